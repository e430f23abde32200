#include "kernel_sweep.h"

#include "export/templates/emulator/semihosting.h"
#include "runtime/tn_buffer_sizes.h"
#include "runtime/tn_instances.h"
#include "runtime/tn_kernels.h"

/* Every template with every constant that the exporter gives it. */
TN_CONV2D(general_conv2d, 0, 0)
TN_CONV2D(plain_conv2d, 0, 1)
TN_CONV2D(general_pointwise, 1, 0)
TN_CONV2D(plain_pointwise, 1, 1)
TN_DEPTHWISE(general_depthwise_3_1, 3, 1, 0)
TN_DEPTHWISE(general_depthwise_3_2, 3, 2, 0)
TN_DEPTHWISE(general_depthwise_5_1, 5, 1, 0)
TN_DEPTHWISE(general_depthwise_5_2, 5, 2, 0)
TN_DEPTHWISE(general_depthwise_7_1, 7, 1, 0)
TN_DEPTHWISE(general_depthwise_7_2, 7, 2, 0)
TN_DEPTHWISE(plain_depthwise_3_1, 3, 1, 1)
TN_DEPTHWISE(plain_depthwise_3_2, 3, 2, 1)
TN_DEPTHWISE(plain_depthwise_5_1, 5, 1, 1)
TN_DEPTHWISE(plain_depthwise_5_2, 5, 2, 1)
TN_DEPTHWISE(plain_depthwise_7_1, 7, 1, 1)
TN_DEPTHWISE(plain_depthwise_7_2, 7, 2, 1)
TN_DEPTHWISE_ANY(any_depthwise)
TN_DEPTHWISE_ANY_IN_PLACE(any_depthwise_in_place)
TN_FULLY_CONNECTED(sweep_fully_connected)
/* The same for rows. */
TN_CONV2D_ROW(general_conv2d_row, 0, 0)
TN_CONV2D_ROW(plain_conv2d_row, 0, 1)
TN_CONV2D_ROW(general_pointwise_row, 1, 0)
TN_CONV2D_ROW(plain_pointwise_row, 1, 1)
#define DEPTHWISE_ROWS(kernel, stride)                                             \
  TN_DEPTHWISE_ROW(general_row_##kernel##_##stride, kernel, stride, 0, 0)          \
  TN_DEPTHWISE_ROW(plain_row_##kernel##_##stride, kernel, stride, 1, 0)            \
  TN_DEPTHWISE_ROW(general_row_in_place_##kernel##_##stride, kernel, stride, 0, 1) \
  TN_DEPTHWISE_ROW(plain_row_in_place_##kernel##_##stride, kernel, stride, 1, 1)
DEPTHWISE_ROWS(3, 1)
DEPTHWISE_ROWS(3, 2)
DEPTHWISE_ROWS(5, 1)
DEPTHWISE_ROWS(5, 2)
DEPTHWISE_ROWS(7, 1)
DEPTHWISE_ROWS(7, 2)
TN_DEPTHWISE_ANY_ROW(any_depthwise_row, 0)
TN_DEPTHWISE_ANY_ROW(any_depthwise_row_in_place, 1)

typedef void row_function(const tn_conv2d_op* op, const tn_columns* columns, const int8_t* const* rows,
                          int8_t* output, int8_t* scratch);

#define DEPTHWISE_ROW_FUNCTIONS(kind)                                              \
  {                                                                                \
    {kind##_3_1, kind##_3_2}, {kind##_5_1, kind##_5_2}, { kind##_7_1, kind##_7_2 } \
  }
/* [in place][plain] */
static row_function* const depthwise_row_templates[2][2][3][2] = {
    {DEPTHWISE_ROW_FUNCTIONS(general_row), DEPTHWISE_ROW_FUNCTIONS(plain_row)},
    {DEPTHWISE_ROW_FUNCTIONS(general_row_in_place), DEPTHWISE_ROW_FUNCTIONS(plain_row_in_place)}};

typedef void conv2d_function(const tn_conv2d_op* op, const int8_t* input, int8_t* output, int8_t* scratch);

static conv2d_function* const depthwise_templates[2][3][2] = {
    {{general_depthwise_3_1, general_depthwise_3_2},
     {general_depthwise_5_1, general_depthwise_5_2},
     {general_depthwise_7_1, general_depthwise_7_2}},
    {{plain_depthwise_3_1, plain_depthwise_3_2},
     {plain_depthwise_5_1, plain_depthwise_5_2},
     {plain_depthwise_7_1, plain_depthwise_7_2}}};

/* ---- random numbers ---- */

static uint32_t state;

static uint32_t next_random(void) { /* xorshift32 */
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state;
}

static int32_t draw(int32_t low, int32_t high) {
  return low + (int32_t)((next_random() >> 4) % (uint32_t)(high - low + 1));
}

static int one_in(int32_t n) { return draw(1, n) == 1; }

/* ---- buffers between guard bytes ---- */

enum { MAX_TENSOR_BYTES = 80 * 1024, MAX_BUFFERS = 8, GUARD_BYTES = 40, GUARD = 0x5A };
enum { POOL_BYTES = 3 * MAX_TENSOR_BYTES };

typedef struct {
  const char* name;
  int8_t* data;
  int32_t bytes;
  int guarded_before, guarded_after;
  int constant;  /* the kernel must not write it */
  uint32_t hash; /* of a constant one, before the kernel ran */
} buffer;

static int8_t pool[POOL_BYTES] __attribute__((aligned(8)));
static int32_t pool_used;
static buffer buffers[MAX_BUFFERS];
static int32_t buffer_count;
static int32_t at_edge; /* which buffer lies at an edge of the room */
static int at_end;      /* at its end rather than at its beginning */
static int8_t *room_begin, *room_end;

int32_t sweep_room_bytes(void) { return MAX_TENSOR_BYTES + GUARD_BYTES; }

static uint32_t hash_of(const int8_t* data, int32_t bytes) { /* FNV-1a */
  uint32_t hash = 2166136261u;
  int32_t i;
  for (i = 0; i < bytes; ++i) hash = (hash ^ (uint8_t)data[i]) * 16777619u;
  return hash;
}

static void begin_buffers(void) {
  pool_used = 0;
  buffer_count = 0;
  at_edge = draw(0, MAX_BUFFERS - 1);
  at_end = one_in(2);
}

/* At any multiple of `alignment` in the pool, or at an edge of the room. */
static buffer* place(const char* name, int32_t bytes, int32_t alignment) {
  buffer* const b = &buffers[buffer_count];
  const int edge = buffer_count == at_edge;
  int32_t i;
  b->name = name;
  b->bytes = bytes;
  b->guarded_before = !edge || at_end;
  b->guarded_after = !edge || !at_end;
  b->constant = 0;
  if (edge) {
    b->data = at_end ? room_end - (bytes + alignment - 1) / alignment * alignment : room_begin;
  } else {
    pool_used = (pool_used + GUARD_BYTES + 7) / 8 * 8 + draw(0, 8 / alignment - 1) * alignment;
    b->data = pool + pool_used;
    pool_used += bytes + GUARD_BYTES;
  }
  if (bytes > MAX_TENSOR_BYTES || pool_used > POOL_BYTES) {
    host_write("BUFFER TOO LARGE\n");
    host_exit(1);
  }
  ++buffer_count;
  /* Of no consequence for any result; nothing is drawn, because the scratch's size depends on the variant. */
  for (i = 0; i < bytes; ++i) b->data[i] = (int8_t)(i * 89 + 41);
  for (i = 0; b->guarded_before && i < GUARD_BYTES; ++i) b->data[-1 - i] = GUARD;
  for (i = 0; b->guarded_after && i < GUARD_BYTES; ++i) b->data[bytes + i] = GUARD;
  return b;
}

static int guards_intact(const buffer* b) {
  int32_t i;
  for (i = 0; b->guarded_before && i < GUARD_BYTES; ++i) {
    if (b->data[-1 - i] != GUARD) return 0;
  }
  for (i = 0; b->guarded_after && i < GUARD_BYTES; ++i) {
    if (b->data[b->bytes + i] != GUARD) return 0;
  }
  return 1;
}

static void make_constant(buffer* b) {
  b->constant = 1;
  b->hash = hash_of(b->data, b->bytes);
}

static buffer* place_int32(const char* name, const int32_t* from, int32_t count) {
  buffer* const b = place(name, 4 * count, 4);
  int32_t* const to = (int32_t*)(void*)b->data;
  int32_t i;
  for (i = 0; i < count; ++i) to[i] = from[i];
  make_constant(b);
  return b;
}

/* int8 values of all sorts; now and then the extremes alone. */
static void fill(buffer* b) {
  const int32_t mode = draw(0, 9);
  const int32_t low = mode == 0 ? 127 : -128, high = mode == 1 ? -128 : 127;
  int32_t i;
  for (i = 0; i < b->bytes; ++i) {
    b->data[i] = (int8_t)(mode == 2 ? (one_in(2) ? -128 : 127) : draw(low, high));
  }
}

/* ---- one line ---- */

static void write_shape(int32_t h, int32_t w, int32_t c) {
  host_write(" ");
  host_write_int(h), host_write("x"), host_write_int(w), host_write("x"), host_write_int(c);
}

/* The output's hash, and what the kernel wrote outside what is its own. */
static void finish_line(const int8_t* output, int32_t bytes) {
  int32_t i;
  host_write(" = ");
  host_write_int(hash_of(output, bytes));
  for (i = 0; i < buffer_count; ++i) {
    const buffer* const b = &buffers[i];
    if (!guards_intact(b)) host_write(", WROTE OUTSIDE "), host_write(b->name);
    if (b->constant && hash_of(b->data, b->bytes) != b->hash) host_write(", CHANGED "), host_write(b->name);
  }
  host_write("\n");
}

/* ---- requantisation ---- */

static int32_t log2_of(int32_t x) {
  int32_t log = 0;
  while (x > 1) x >>= 1, ++log;
  return log;
}

/* Brings sums of `terms` products into the range of int8 more often than not. */
static int32_t draw_shift(int32_t terms, int plain) {
  if (one_in(16)) return plain ? draw(-22, -1) : draw(-31, 8);
  return -(4 + log2_of(terms) / 2 + draw(0, 4));
}

static int32_t draw_multiplier(void) { return (int32_t)(0x40000000u + (next_random() >> 2)); }

static int32_t draw_bias(void) { return one_in(16) ? draw(-(1 << 29), 1 << 29) : draw(-20000, 20000); }

static void draw_clamp(int plain, int8_t* low, int8_t* high) {
  const int narrow = !plain && !one_in(3);
  *low = (int8_t)(narrow ? draw(-128, 20) : -128);
  *high = (int8_t)(narrow ? draw(*low, 127) : 127);
}

/* ---- convolutions ---- */

typedef enum { CONV2D, POINTWISE, DEPTHWISE, DEPTHWISE_TEMPLATE, DEPTHWISE_MULTIPLIER } conv_kind;

static int32_t larger(int32_t a, int32_t b) { return a > b ? a : b; }

static int every_window_begins_inside(const tn_conv2d_op* op) {
  return (op->out_h - 1) * op->stride_h < op->in_h && (op->out_w - 1) * op->stride_w < op->in_w;
}

static int32_t draw_side(void) { return one_in(5) ? 1 : draw(1, 20); }

/* A shape, kernel, stride and padding, also lopsided and on maps smaller than the kernel. */
static void draw_window(tn_conv2d_op* op, conv_kind kind) {
  const int square = kind == DEPTHWISE_TEMPLATE;
  const int same = square && one_in(2); /* the padding of TensorFlow Lite's SAME */
  int32_t below, right;
  op->kernel_h = (uint8_t)(kind == POINTWISE ? 1 : square ? 1 + 2 * draw(1, 3) : draw(1, 7));
  op->kernel_w = (uint8_t)(kind == POINTWISE ? 1 : square || one_in(3) ? op->kernel_h : draw(1, 7));
  op->stride_h = (uint8_t)(kind == POINTWISE ? 1 : square ? draw(1, 2) : draw(1, 4));
  op->stride_w = (uint8_t)(kind == POINTWISE ? 1 : square || one_in(2) ? op->stride_h : draw(1, 4));
  op->in_h = (uint16_t)draw_side();
  op->in_w = (uint16_t)draw_side();
  op->pad_top = (uint8_t)draw(0, op->kernel_h - 1);
  op->pad_left = (uint8_t)draw(0, op->kernel_w - 1);
  below = draw(0, op->kernel_h - 1);
  right = draw(0, op->kernel_w - 1);
  if (same) {
    const int32_t out_h = (op->in_h + op->stride_h - 1) / op->stride_h;
    const int32_t out_w = (op->in_w + op->stride_w - 1) / op->stride_w;
    const int32_t rows = larger(0, (out_h - 1) * op->stride_h + op->kernel_h - op->in_h);
    const int32_t columns = larger(0, (out_w - 1) * op->stride_w + op->kernel_w - op->in_w);
    op->pad_top = (uint8_t)(rows / 2), below = rows - rows / 2;
    op->pad_left = (uint8_t)(columns / 2), right = columns - columns / 2;
  }
  op->in_h = (uint16_t)larger(op->in_h, op->kernel_h - op->pad_top - below);
  op->in_w = (uint16_t)larger(op->in_w, op->kernel_w - op->pad_left - right);
  op->out_h = (uint16_t)((op->in_h + op->pad_top + below - op->kernel_h) / op->stride_h + 1);
  op->out_w = (uint16_t)((op->in_w + op->pad_left + right - op->kernel_w) / op->stride_w + 1);
}

/* ---- row by row ---- */

enum { MOST_KERNEL_ROWS = 7 };
static int by_rows;

/* Columns of a strip of the output, and what they need of the input, from *first on. */
static tn_columns columns_of(const tn_conv2d_op* op, int32_t begin, int32_t end, int32_t* first) {
  const int32_t left = begin * op->stride_w - op->pad_left;
  const int32_t right = (end - 1) * op->stride_w - op->pad_left + op->kernel_w;
  tn_columns columns;
  *first = left < 0 ? 0 : left;
  columns.in_w = (uint16_t)((right > op->in_w ? op->in_w : right) - *first);
  columns.out_w = (uint16_t)(end - begin);
  columns.pad_left = (uint8_t)(left < 0 ? -left : 0);
  return columns;
}

static void find_rows(const tn_conv2d_op* op, const int8_t* input, int32_t first, int32_t out_y,
                      const int8_t** rows) {
  int32_t y;
  for (y = 0; y < op->kernel_h; ++y) {
    const int32_t at = out_y * op->stride_h - op->pad_top + y;
    rows[y] = at < 0 || at >= op->in_h ? NULL : input + (at * op->in_w + first) * op->in_c;
  }
}

/* Copies of the rows side by side in `ring`, as a plan has them; the first one's place is the output's. */
static void move_to_ring(const tn_conv2d_op* op, const tn_columns* columns, const int8_t** rows,
                         int8_t* ring) {
  const int32_t bytes = columns->in_w * op->in_c;
  int32_t y, i;
  for (y = 0; y < op->kernel_h; ++y, ring += bytes) {
    for (i = 0; i < bytes; ++i) ring[i] = rows[y] != NULL ? rows[y][i] : GUARD;
    if (rows[y] != NULL) rows[y] = ring;
  }
}

/* `ring`: where the kernel works in place, else NULL. */
static void run_rows(row_function* kernel, const tn_conv2d_op* op, int32_t strips, const int8_t* input,
                     int8_t* output, int8_t* scratch, int8_t* ring) {
  const int8_t* rows[MOST_KERNEL_ROWS];
  int32_t strip, out_y, i, first;
  for (strip = 0; strip < strips; ++strip) {
    const int32_t begin = op->out_w * strip / strips, end = op->out_w * (strip + 1) / strips;
    const tn_columns columns = columns_of(op, begin, end, &first);
    for (out_y = 0; out_y < op->out_h; ++out_y) {
      int8_t* const to = output + (out_y * op->out_w + begin) * op->out_c;
      find_rows(op, input, first, out_y, rows);
      if (ring == NULL) {
        kernel(op, &columns, rows, to, scratch);
        continue;
      }
      move_to_ring(op, &columns, rows, ring);
      kernel(op, &columns, rows, ring, scratch);
      for (i = 0; i < columns.out_w * op->out_c; ++i) to[i] = ring[i];
    }
  }
}

/* Columns of the input that the widest strip needs. */
static int32_t widest_strip(const tn_conv2d_op* op, int32_t strips) {
  int32_t strip, first, widest = 0;
  for (strip = 0; strip < strips; ++strip) {
    const tn_columns columns =
        columns_of(op, op->out_w * strip / strips, op->out_w * (strip + 1) / strips, &first);
    if (columns.in_w > widest) widest = columns.in_w;
  }
  return widest;
}

static void sweep_convolution(conv_kind kind) {
  static int32_t bias[512], multipliers[512];
  const int depthwise = kind != CONV2D && kind != POINTWISE;
  tn_conv2d_op op;
  const char* name = kind == CONV2D ? "conv2d" : kind == POINTWISE ? "pointwise" : "depthwise";
  conv2d_function* kernel;
  row_function* row_kernel;
  buffer* ring = NULL;
  buffer *weights, *shifts, *input, *output, *scratch;
  int plain = one_in(2), in_place = 0, inside;
  int32_t scratch_bytes, row_bytes, taps, strips, in_w, i, k;
  uint32_t before;

  draw_window(&op, kind);
  strips = draw(1, op.out_w < 3 ? op.out_w : 3);
  in_w = by_rows ? widest_strip(&op, strips) : op.in_w;
  plain = plain && (kind != DEPTHWISE && kind != DEPTHWISE_MULTIPLIER);
  inside = every_window_begins_inside(&op);
  op.in_c = (uint16_t)(kind == POINTWISE ? 4 * draw(1, 10) : draw(1, 40));
  op.out_c = (uint16_t)(depthwise ? op.in_c : draw(1, 40));
  if (kind == DEPTHWISE_MULTIPLIER)
    op.in_c = (uint16_t)draw(1, 10), op.out_c = (uint16_t)(op.in_c * draw(2, 6));
  /* What the emulator does in good time. */
  while (!depthwise && op.out_h * op.out_w * op.kernel_h * op.kernel_w * op.in_c * op.out_c > 150000 &&
         op.out_c > 1) {
    op.out_c = (uint16_t)((op.out_c + 1) / 2);
  }
  op.input_zero_point = (int8_t)draw(-128, 127);
  op.output_zero_point = (int8_t)draw(-128, 127);
  draw_clamp(plain, &op.activation_min, &op.activation_max);

  begin_buffers();
  taps = op.kernel_h * op.kernel_w * (depthwise ? 1 : op.in_c);
  row_bytes = depthwise ? op.out_c : tn_conv2d_row_bytes(op.kernel_h, op.kernel_w, op.in_c);
  weights = place("weights", depthwise ? taps * op.out_c : row_bytes * op.out_c, depthwise ? 1 : 4);
  fill(weights);
  for (i = 0; !depthwise && i < op.out_c; ++i) {
    for (k = taps; k < row_bytes; ++k) weights->data[i * row_bytes + k] = 0;
  }
  make_constant(weights);
  shifts = place("shifts", op.out_c, 1);
  for (i = 0; i < op.out_c; ++i) {
    bias[i] = draw_bias();
    multipliers[i] = draw_multiplier();
    shifts->data[i] = (int8_t)draw_shift(taps, plain);
  }
  make_constant(shifts);
  op.weights = weights->data;
  op.shifts = shifts->data;
  op.bias = (const int32_t*)(const void*)place_int32("bias", bias, op.out_c)->data;
  op.multipliers = (const int32_t*)(const void*)place_int32("multipliers", multipliers, op.out_c)->data;

  in_place = depthwise && kind != DEPTHWISE_MULTIPLIER && inside && one_in(2);
  if (!depthwise) {
    kernel = kind == POINTWISE ? (plain ? plain_pointwise : general_pointwise)
                               : (plain ? plain_conv2d : general_conv2d);
    row_kernel = kind == POINTWISE ? (plain ? plain_pointwise_row : general_pointwise_row)
                                   : (plain ? plain_conv2d_row : general_conv2d_row);
    scratch_bytes = tn_conv2d_get_buffer_size(op.in_c, op.kernel_h, op.kernel_w, TN_PLANNED_VARIANT);
  } else {
    const int template_kernel = kind == DEPTHWISE_TEMPLATE && inside;
    kernel = template_kernel ? depthwise_templates[plain][op.kernel_h / 2 - 1][op.stride_h - 1]
             : in_place      ? any_depthwise_in_place
                             : any_depthwise;
    row_kernel = template_kernel
                     ? depthwise_row_templates[in_place][plain][op.kernel_h / 2 - 1][op.stride_h - 1]
                 : in_place ? any_depthwise_row_in_place
                            : any_depthwise_row;
    /* A multiplier has no template, whatever the kernel's size. */
    scratch_bytes = kind == DEPTHWISE_MULTIPLIER ? 0
                                                 : tn_depthwise_conv2d_get_buffer_size(
                                                       in_w, op.kernel_h, op.kernel_w, op.stride_h,
                                                       op.stride_w, in_place, inside, TN_PLANNED_VARIANT);
  }
  input = place("input", op.in_h * op.in_w * op.in_c, 1);
  fill(input);
  if (!in_place || by_rows) make_constant(input);
  before = state; /* row by row there are more buffers, but the next layers are the same */
  output = in_place && !by_rows ? input : place("output", op.out_h * op.out_w * op.out_c, 1);
  if (in_place && by_rows) ring = place("ring", op.kernel_h * in_w * op.in_c, 1);
  scratch = place("scratch", scratch_bytes, 4);
  state = before;

  host_write(name);
  write_shape(op.in_h, op.in_w, op.in_c);
  write_shape(op.out_h, op.out_w, op.out_c);
  write_shape(op.kernel_h, op.kernel_w, 1);
  write_shape(op.stride_h, op.stride_w, 1);
  host_write(" pad"), write_shape(op.pad_top, op.pad_left, 0);
  host_write(plain ? " plain" : " general"), host_write(in_place ? " in place" : "");
  if (by_rows) {
    run_rows(row_kernel, &op, strips, input->data, output->data, scratch->data,
             ring != NULL ? ring->data : NULL);
  } else {
    kernel(&op, input->data, output->data, scratch->data);
  }
  finish_line(output->data, op.out_h * op.out_w * op.out_c);
}

/* ---- the other operators ---- */

static void sweep_fully_connected_layer(void) {
  static int32_t bias[40];
  int32_t multiplier = draw_multiplier(), i;
  tn_fully_connected_op op;
  buffer *weights, *shift, *input, *output, *scratch;
  op.in_c = (uint32_t)draw(1, 300);
  op.out_c = (uint32_t)draw(1, 40);
  op.output_zero_point = (int8_t)draw(-128, 127);
  draw_clamp(0, &op.activation_min, &op.activation_max);
  begin_buffers();
  weights = place("weights", (int32_t)(op.in_c * op.out_c), 1);
  fill(weights);
  make_constant(weights);
  shift = place("shift", 1, 1);
  shift->data[0] = (int8_t)draw_shift((int32_t)op.in_c, 0);
  make_constant(shift);
  for (i = 0; i < (int32_t)op.out_c; ++i) bias[i] = draw_bias();
  op.weights = weights->data;
  op.shifts = shift->data;
  op.bias = (const int32_t*)(const void*)place_int32("bias", bias, (int32_t)op.out_c)->data;
  op.multipliers = (const int32_t*)(const void*)place_int32("multiplier", &multiplier, 1)->data;
  input = place("input", (int32_t)op.in_c, 1);
  fill(input);
  make_constant(input);
  output = place("output", (int32_t)op.out_c, 1);
  scratch = place("scratch", tn_fully_connected_get_buffer_size((int32_t)op.in_c, TN_PLANNED_VARIANT), 4);
  host_write("fully_connected"), write_shape(1, (int32_t)op.in_c, (int32_t)op.out_c);
  sweep_fully_connected(&op, input->data, output->data, scratch->data);
  finish_line(output->data, (int32_t)op.out_c);
}

static void sweep_add(void) {
  const int32_t over = draw(0, 2); /* 0 and 1: the output is that input */
  tn_add_op op;
  buffer* inputs[2];
  buffer* output;
  int32_t i;
  op.count = (uint32_t)draw(1, 600);
  begin_buffers();
  for (i = 0; i < 2; ++i) {
    op.input[i].multiplier = draw_multiplier();
    op.input[i].shift = draw(-6, 0);
    op.input_zero_point[i] = (int8_t)draw(-128, 127);
    inputs[i] = place(i == 0 ? "input 0" : "input 1", (int32_t)op.count, 1);
    fill(inputs[i]);
    if (i != over) make_constant(inputs[i]);
  }
  op.output.multiplier = draw_multiplier();
  op.output.shift = draw(-22, -15);
  op.output_zero_point = (int8_t)draw(-128, 127);
  draw_clamp(0, &op.activation_min, &op.activation_max);
  output = over < 2 ? inputs[over] : place("output", (int32_t)op.count, 1);
  host_write("add"), write_shape(1, (int32_t)op.count, over);
  tn_add(&op, inputs[0]->data, inputs[1]->data, output->data);
  finish_line(output->data, (int32_t)op.count);
}

/* A divisor. */
static int32_t rows_of(int32_t count) {
  int32_t rows = 7;
  while (count % rows != 0) --rows;
  return rows;
}

static void sweep_global_avg_pool(void) {
  tn_global_avg_pool_op op;
  buffer *input, *output;
  op.count = (uint32_t)draw(1, 200);
  op.c = (uint16_t)draw(1, 40);
  op.mean.multiplier = draw_multiplier();
  op.mean.shift = draw(-3, 2);
  op.input_zero_point = (int8_t)draw(-128, 127);
  op.output_zero_point = (int8_t)draw(-128, 127);
  draw_clamp(0, &op.activation_min, &op.activation_max);
  begin_buffers();
  input = place("input", (int32_t)op.count * op.c, 1);
  fill(input);
  make_constant(input);
  output = place("output", op.c, 1);
  host_write("global_avg_pool"), write_shape(1, (int32_t)op.count, op.c);
  if (by_rows) {
    static int32_t sums[40];
    const int32_t rows = rows_of((int32_t)op.count);
    int32_t done;
    tn_mean_start(&op, sums);
    for (done = 0; done < (int32_t)op.count; done += (int32_t)op.count / rows)
      tn_mean_add(&op, input->data + done * op.c, (int32_t)op.count / rows, sums);
    tn_mean_end(&op, sums, output->data);
  } else {
    tn_global_avg_pool(&op, input->data, output->data);
  }
  finish_line(output->data, op.c);
}

static void run_pool_rows(const tn_avg_pool_op* op, const tn_conv2d_op* like, int32_t strips,
                          const int8_t* input, int8_t* output) {
  const int8_t* rows[MOST_KERNEL_ROWS];
  int32_t strip, out_y, first;
  for (strip = 0; strip < strips; ++strip) {
    const int32_t begin = op->out_w * strip / strips, end = op->out_w * (strip + 1) / strips;
    const tn_columns columns = columns_of(like, begin, end, &first);
    for (out_y = 0; out_y < op->out_h; ++out_y) {
      find_rows(like, input, first, out_y, rows);
      tn_avg_pool_row(op, &columns, rows, output + (out_y * op->out_w + begin) * op->c);
    }
  }
}

static void sweep_avg_pool(void) {
  tn_conv2d_op like;
  tn_avg_pool_op op;
  buffer *input, *output;
  int32_t strips;
  draw_window(&like, CONV2D);
  strips = draw(1, like.out_w < 3 ? like.out_w : 3);
  op.in_h = like.in_h, op.in_w = like.in_w, op.c = (uint16_t)draw(1, 40);
  like.in_c = op.c;
  op.out_h = like.out_h, op.out_w = like.out_w;
  op.kernel_h = like.kernel_h, op.kernel_w = like.kernel_w;
  op.stride_h = like.stride_h, op.stride_w = like.stride_w;
  op.pad_top = like.pad_top, op.pad_left = like.pad_left;
  draw_clamp(0, &op.activation_min, &op.activation_max);
  begin_buffers();
  input = place("input", op.in_h * op.in_w * op.c, 1);
  fill(input);
  make_constant(input);
  output = place("output", op.out_h * op.out_w * op.c, 1);
  host_write("avg_pool"), write_shape(op.in_h, op.in_w, op.c);
  write_shape(op.kernel_h, op.kernel_w, 1), write_shape(op.stride_h, op.stride_w, 1);
  if (by_rows) {
    run_pool_rows(&op, &like, strips, input->data, output->data);
  } else {
    tn_avg_pool(&op, input->data, output->data);
  }
  finish_line(output->data, op.out_h * op.out_w * op.c);
}

static void sweep_softmax(void) {
  tn_softmax_op op;
  buffer *input, *output;
  int32_t bytes;
  op.rows = (uint32_t)draw(1, 4);
  op.c = (uint16_t)(one_in(8) ? draw(1, 600) : draw(1, 20));
  op.input.multiplier = draw_multiplier();
  op.input.shift = draw(17, 27); /* input scales from 2^-10 to almost 2 */
  op.difference_min = -(int32_t)(((int64_t)31 << 26) >> op.input.shift);
  bytes = (int32_t)op.rows * op.c;
  begin_buffers();
  input = place("input", bytes, 1);
  fill(input);
  make_constant(input);
  output = place("output", bytes, 1);
  host_write("softmax"), write_shape(1, (int32_t)op.rows, op.c);
  tn_softmax(&op, input->data, output->data);
  finish_line(output->data, bytes);
}

static void sweep_pad(void) {
  tn_pad_op op;
  buffer *input, *output;
  int32_t bytes;
  op.in_h = (uint16_t)draw(1, 8), op.in_w = (uint16_t)draw(1, 8), op.in_c = (uint16_t)draw(1, 12);
  op.pad_top = (uint16_t)draw(0, 3), op.pad_left = (uint16_t)draw(0, 3);
  op.pad_bottom = (uint16_t)draw(0, 3), op.pad_right = (uint16_t)draw(0, 3);
  op.channels_before = (uint16_t)(one_in(2) ? draw(0, 5) : 0);
  op.channels_after = (uint16_t)(one_in(2) ? draw(0, 5) : 0);
  op.zero_point = (int8_t)draw(-128, 127);
  bytes = (op.pad_top + op.in_h + op.pad_bottom) * (op.pad_left + op.in_w + op.pad_right) *
          (op.channels_before + op.in_c + op.channels_after);
  begin_buffers();
  input = place("input", op.in_h * op.in_w * op.in_c, 1);
  fill(input);
  make_constant(input);
  output = place("output", bytes, 1);
  host_write("pad"), write_shape(op.in_h, op.in_w, op.in_c);
  write_shape(op.pad_top, op.pad_left, op.channels_before);
  write_shape(op.pad_bottom, op.pad_right, op.channels_after);
  tn_pad(&op, input->data, output->data);
  finish_line(output->data, bytes);
}

void sweep_kernels(uint32_t seed, int32_t layers, int row_by_row, int8_t* room, int32_t room_bytes) {
  int32_t i;
  by_rows = row_by_row;
  room_begin = room;
  room_end = room + room_bytes;
  state = seed * 2654435761u | 1u;
  for (i = 0; i < layers; ++i) {
    const int32_t kind = i % 13;
    host_write_int(i), host_write(": ");
    if (kind < 2) {
      sweep_convolution(CONV2D);
    } else if (kind < 4) {
      sweep_convolution(POINTWISE);
    } else if (kind < 6) {
      sweep_convolution(DEPTHWISE_TEMPLATE);
    } else if (kind == 6) {
      sweep_convolution(one_in(2) ? DEPTHWISE : DEPTHWISE_MULTIPLIER);
    } else if (kind == 7) {
      sweep_fully_connected_layer();
    } else if (kind == 8) {
      sweep_add();
    } else if (kind == 9) {
      sweep_global_avg_pool();
    } else if (kind == 10) {
      sweep_avg_pool();
    } else if (kind == 11) {
      sweep_softmax();
    } else {
      sweep_pad();
    }
  }
}
