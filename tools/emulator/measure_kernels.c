/*
 * Runs every kernel of src/runtime over many layers, and whole networks layer by layer, each call between the
 * marks that count_instructions.c counts. Prints one line per call, in the order of the plugin's lines:
 *
 *   network kernel in_h in_w in_c out_c kernel_h kernel_w stride macs stack_bytes
 *
 * network: "-" for layers of their own, else for example mbconv-3 or dscnn-7. stack_bytes: the deepest byte
 * that the call overwrote of a painted stretch.
 */
#include <stdint.h>

#include "mark.h"
#include "measured_layer.h"
#include "measured_networks.h"
#include "semihosting.h"
#include "tn_buffer_sizes.h"
#include "tn_instances.h"

enum { TENSOR_BYTES = 400 * 1024, WEIGHTS_BYTES = 512 * 1024, MAX_CHANNELS = 2048, PAINTED_BYTES = 512 };

static int8_t input[TENSOR_BYTES], output[TENSOR_BYTES], weights[WEIGHTS_BYTES],
    scratch[16384] __attribute__((aligned(4)));
static int32_t bias[MAX_CHANNELS], multipliers[MAX_CHANNELS];
static int8_t shifts[MAX_CHANNELS];
static volatile int32_t sink;

static union {
  tn_conv2d_op conv;
  tn_fully_connected_op fully_connected;
  tn_add_op add;
  tn_global_avg_pool_op pool;
  tn_avg_pool_op window_pool;
  tn_softmax_op softmax;
  tn_pad_op pad;
} op;

/* The instances that tools/measure_kernels links. */
typedef void conv2d_function(const tn_conv2d_op* op, const int8_t* from, int8_t* to, int8_t* memory);
conv2d_function tn_conv2d_1x1, tn_depthwise, tn_depthwise_in_place, tn_depthwise_3x3_s1, tn_depthwise_3x3_s2,
    tn_depthwise_5x5_s1, tn_depthwise_5x5_s2, tn_depthwise_7x7_s1, tn_depthwise_7x7_s2;

/* What runs a convolution, as cost_models/kernels.h chooses it, and its name there. */
typedef struct {
  conv2d_function* run;
  const char* name;
} choice;

static choice depthwise_of(const layer* l) {
  static const choice templates[3][2] = {
      {{tn_depthwise_3x3_s1, "depthwise_3x3_s1"}, {tn_depthwise_3x3_s2, "depthwise_3x3_s2"}},
      {{tn_depthwise_5x5_s1, "depthwise_5x5_s1"}, {tn_depthwise_5x5_s2, "depthwise_5x5_s2"}},
      {{tn_depthwise_7x7_s1, "depthwise_7x7_s1"}, {tn_depthwise_7x7_s2, "depthwise_7x7_s2"}}};
  static const choice any = {tn_depthwise, "depthwise"},
                      any_in_place = {tn_depthwise_in_place, "depthwise_in_place"};
  if (TN_PLANNED_VARIANT != TN_PORTABLE && l->kind != DEPTHWISE_MULTIPLIER &&
      tn_depthwise_has_template(l->kernel_h, l->kernel_w, l->stride, l->stride)) {
    return templates[(l->kernel_h - 3) / 2][l->stride - 1];
  }
  return l->kind == DEPTHWISE_IN_PLACE ? any_in_place : any;
}

static choice choice_of(const layer* l) {
  static const choice conv2d = {tn_conv2d, "conv2d"}, pointwise = {tn_conv2d_1x1, "conv2d_1x1"};
  if (l->kind == CONV2D) return conv2d;
  if (l->kind == CONV2D_1X1) return pointwise;
  return depthwise_of(l);
}

static const char* name_of(const layer* l) {
  switch (l->kind) {
    case FULLY_CONNECTED:
      return "fully_connected";
    case ADD:
      return "add";
    case GLOBAL_AVG_POOL:
      return "global_avg_pool";
    case AVG_POOL:
      return "avg_pool";
    case SOFTMAX:
      return "softmax";
    case PAD:
      return "pad";
    default:
      return choice_of(l).name;
  }
}

static void call(const layer* l) {
  switch (l->kind) {
    case FULLY_CONNECTED:
      tn_fully_connected(&op.fully_connected, input, output, scratch);
      break;
    case ADD:
      tn_add(&op.add, input, output, output);
      break;
    case GLOBAL_AVG_POOL:
      tn_global_avg_pool(&op.pool, input, output);
      break;
    case AVG_POOL:
      tn_avg_pool(&op.window_pool, input, output);
      break;
    case SOFTMAX:
      tn_softmax(&op.softmax, input, output);
      break;
    case PAD:
      tn_pad(&op.pad, input, output);
      break;
    default:
      choice_of(l).run(&op.conv, input, l->kind == DEPTHWISE_IN_PLACE ? input : output, scratch);
  }
}

/* Counts call(), and returns how many bytes of stack it used below this function. */
__attribute__((noinline)) static int32_t counted_call(const layer* l) {
  int32_t untouched = 0;
  int32_t i;
  volatile uint8_t* bottom;
  __asm volatile("mov %0, sp" : "=r"(bottom));
  bottom -= PAINTED_BYTES;
  for (i = 0; i < PAINTED_BYTES; ++i) bottom[i] = 0xA5;
  MARK_BEGIN();
  call(l);
  MARK_END();
  while (untouched < PAINTED_BYTES && bottom[untouched] == 0xA5) ++untouched;
  return PAINTED_BYTES - untouched;
}

static int same_padding(int in, int out, int kernel_size, int stride) {
  const int total = (out - 1) * stride + kernel_size - in;
  return total > 0 ? total / 2 : 0;
}

static void write_field(int64_t value) {
  host_write(" ");
  host_write_int(value);
}

/* The operator of a layer in `op`; its MACs. */
static int64_t prepare(const layer* l) {
  const int out_h = (l->h + l->stride - 1) / l->stride, out_w = (l->w + l->stride - 1) / l->stride;
  const int64_t positions = (int64_t)out_h * out_w * l->kernel_h * l->kernel_w;
  switch (l->kind) {
    case FULLY_CONNECTED: {
      const tn_fully_connected_op made = {
          weights, bias, multipliers, shifts, (uint32_t)l->in_c, (uint32_t)l->out_c, 4, -128, 127};
      op.fully_connected = made;
      return (int64_t)l->in_c * l->out_c;
    }
    case ADD: {
      const tn_add_op made = {{{1500000000, -1}, {1400000000, -2}},
                              {1300000000, -18},
                              (uint32_t)(l->h * l->w * l->in_c),
                              {3, 4},
                              5,
                              -128,
                              127};
      op.add = made;
      return 0;
    }
    case GLOBAL_AVG_POOL: {
      const tn_global_avg_pool_op made = {
          {1500000000, -1}, (uint32_t)(l->h * l->w), (uint16_t)l->in_c, 3, 4, -128, 127};
      op.pool = made;
      return 0;
    }
    case AVG_POOL: {
      const tn_avg_pool_op made = {(uint16_t)l->h,
                                   (uint16_t)l->w,
                                   (uint16_t)l->in_c,
                                   (uint16_t)out_h,
                                   (uint16_t)out_w,
                                   (uint8_t)l->kernel_h,
                                   (uint8_t)l->kernel_w,
                                   (uint8_t)l->stride,
                                   (uint8_t)l->stride,
                                   (uint8_t)same_padding(l->h, out_h, l->kernel_h, l->stride),
                                   (uint8_t)same_padding(l->w, out_w, l->kernel_w, l->stride),
                                   -128,
                                   127};
      op.window_pool = made;
      return 0;
    }
    case SOFTMAX: {
      /* An input scale of 0.1. */
      const tn_softmax_op made = {{1717986918, 23}, -248, (uint32_t)(l->h * l->w), (uint16_t)l->in_c};
      op.softmax = made;
      return 0;
    }
    case PAD: {
      const int rows = l->kernel_h - 1, columns = l->kernel_w - 1, channels = l->out_c - l->in_c;
      const tn_pad_op made = {(uint16_t)l->h,
                              (uint16_t)l->w,
                              (uint16_t)l->in_c,
                              (uint16_t)(rows / 2),
                              (uint16_t)(columns / 2),
                              (uint16_t)(rows - rows / 2),
                              (uint16_t)(columns - columns / 2),
                              (uint16_t)(channels / 2),
                              (uint16_t)(channels - channels / 2),
                              -3};
      op.pad = made;
      return 0;
    }
    default: {
      const tn_conv2d_op made = {weights,
                                 bias,
                                 multipliers,
                                 shifts,
                                 (uint16_t)l->h,
                                 (uint16_t)l->w,
                                 (uint16_t)l->in_c,
                                 (uint16_t)out_h,
                                 (uint16_t)out_w,
                                 (uint16_t)l->out_c,
                                 (uint8_t)l->kernel_h,
                                 (uint8_t)l->kernel_w,
                                 (uint8_t)l->stride,
                                 (uint8_t)l->stride,
                                 (uint8_t)same_padding(l->h, out_h, l->kernel_h, l->stride),
                                 (uint8_t)same_padding(l->w, out_w, l->kernel_w, l->stride),
                                 -3,
                                 4,
                                 -128,
                                 127};
      op.conv = made;
      return l->kind == CONV2D || l->kind == CONV2D_1X1 ? positions * l->in_c * l->out_c
                                                        : positions * l->out_c;
    }
  }
}

static void require_fits(const layer* l) {
  const int32_t weights_bytes = l->kind == CONV2D || l->kind == CONV2D_1X1 || l->kind == FULLY_CONNECTED
                                    ? l->kernel_h * l->kernel_w * l->in_c * l->out_c
                                    : l->kernel_h * l->kernel_w * l->out_c;
  const int32_t in_bytes = l->h * l->w * l->in_c,
                out_bytes = l->kind == PAD ? (l->h + l->kernel_h - 1) * (l->w + l->kernel_w - 1) * l->out_c
                                           : l->h * l->w * l->out_c / (l->stride * l->stride);
  if (in_bytes > TENSOR_BYTES || out_bytes > TENSOR_BYTES || weights_bytes > WEIGHTS_BYTES ||
      l->out_c > MAX_CHANNELS ||
      tn_depthwise_conv2d_get_buffer_size(l->w, l->kernel_h, l->kernel_w, l->stride, l->stride, 1, 1,
                                          TN_PLANNED_VARIANT) > (int32_t)sizeof scratch ||
      ((l->kind == CONV2D || l->kind == CONV2D_1X1) &&
       tn_conv2d_get_buffer_size(l->in_c, l->kernel_h, l->kernel_w, TN_PLANNED_VARIANT) >
           (int32_t)sizeof scratch)) {
    host_write("LAYER TOO LARGE\n");
    host_exit(1);
  }
}

/* The values matter to clamps and roundings only; every layer starts from the same ones. */
static void fill_input(int32_t bytes) {
  int32_t i;
  for (i = 0; i < bytes; ++i) input[i] = (int8_t)(i * 37 + (i >> 7) * 11 + 5);
}

static void measure(const char* network, int index, const layer* l) {
  int64_t macs;
  int32_t stack_bytes;
  require_fits(l);
  macs = prepare(l);
  fill_input(l->h * l->w * l->in_c);
  stack_bytes = counted_call(l);
  sink += output[0] + input[0];
  host_write(network);
  if (index >= 0) host_write("-");
  if (index >= 0) host_write_int(index);
  host_write(" ");
  host_write(name_of(l));
  write_field(l->h), write_field(l->w), write_field(l->in_c), write_field(l->out_c);
  write_field(l->kernel_h), write_field(l->kernel_w), write_field(l->stride);
  write_field(macs), write_field(stack_bytes);
  host_write("\n");
}

static const layer layers[] = {
#include "measured_layers.inc"
};

/* The depthwise templates, each over maps of even and odd columns, wide and narrow, of few and many channels.
 */
static void run_templates(void) {
  static const int maps[][3] = {{48, 48, 16}, {32, 32, 24}, {24, 24, 40}, {16, 16, 96}, {13, 13, 64},
                                {12, 6, 48},  {25, 5, 72},  {8, 8, 144},  {7, 7, 96},   {5, 5, 192},
                                {4, 4, 240},  {36, 21, 12}, {9, 9, 32},   {6, 10, 20},  {20, 15, 16},
                                {3, 17, 48},  {10, 3, 40},  {14, 14, 28}, {1, 30, 48},  {9, 14, 64},
                                {12, 3, 24},  {6, 2, 56}};
  int size, stride, i;
  for (size = 3; size <= 7; size += 2) {
    for (stride = 1; stride <= 2; ++stride) {
      for (i = 0; i < (int)(sizeof maps / sizeof maps[0]); ++i) {
        const layer l = {DEPTHWISE_IN_PLACE, maps[i][0], maps[i][1], maps[i][2],
                         maps[i][2],         size,       size,       stride};
        measure("-", -1, &l);
      }
    }
  }
}

/* Windows that have no template, in place and not. */
static void run_without_templates(void) {
  static const int windows[][3] = {{2, 2, 1}, {4, 4, 1}, {3, 5, 1}, {9, 9, 1},
                                   {5, 3, 2}, {3, 3, 3}, {1, 3, 1}};
  static const int maps[][3] = {{12, 12, 32}, {25, 5, 24}, {7, 9, 40}, {20, 16, 8}};
  static const kernel kinds[] = {DEPTHWISE, DEPTHWISE_IN_PLACE};
  int kind, window, i;
  for (kind = 0; kind < 2; ++kind) {
    for (window = 0; window < (int)(sizeof windows / sizeof windows[0]); ++window) {
      for (i = 0; i < (int)(sizeof maps / sizeof maps[0]); ++i) {
        const layer l = {kinds[kind], maps[i][0],         maps[i][1],         maps[i][2],
                         maps[i][2],  windows[window][0], windows[window][1], windows[window][2]};
        measure("-", -1, &l);
      }
    }
  }
}

int main(void) {
  int i;
  for (i = 0; i < WEIGHTS_BYTES; ++i) weights[i] = (int8_t)((i * 53 + (i >> 5) * 3 + 7) % 127);
  for (i = 0; i < MAX_CHANNELS; ++i) {
    bias[i] = i * 13 - 500;
    multipliers[i] = 1500000000 + i * 1000;
    shifts[i] = (int8_t)(-8 - i % 3);
  }
  for (i = 0; i < (int)(sizeof layers / sizeof layers[0]); ++i) measure("-", -1, &layers[i]);
  run_templates();
  run_without_templates();
#ifdef WITH_NETWORKS
  for (i = 0; i < 12; ++i) run_mbconv(i, 48 + 16 * (i % 6), 20 + 10 * draw(4), 10 + 90 * (i % 2));
  for (i = 0; i < 12; ++i) {
    if (i % 2 == 0) {
      run_dscnn(i, 49, 10, 10, 4, 32 + 8 * i, 16, 12);
    } else {
      run_dscnn(i, 32, 32, 3, 3, 24 + 6 * i / 4 * 4, 20, 4);
    }
  }
#else
  (void)run_mbconv, (void)run_dscnn;
#endif
  return 0;
}
