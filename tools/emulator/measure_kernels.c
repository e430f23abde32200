/*
 * Runs every kernel of src/runtime over many layers, and whole networks layer by layer, each call between the
 * marks that count_instructions.c counts. Prints one line per call, in the order of the plugin's lines:
 *
 *   network kernel in_h in_w in_c out_c kernel_h kernel_w stride macs stack_bytes
 *
 * network: "-" for layers of their own, else for example mbconv-3 or dscnn-7. stack_bytes: the deepest byte
 * that the call overwrote of a painted stretch. The networks are drawn from a fixed sequence: the two
 * backbones of the MicroNets study (MobileNetV2's inverted bottlenecks, and DS-CNN) in many widths, depths
 * and resolutions.
 */
#include <stdint.h>

#include "mark.h"
#include "semihosting.h"
#include "tn_buffer_sizes.h"
#include "tn_instances.h"

enum { TENSOR_BYTES = 400 * 1024, WEIGHTS_BYTES = 512 * 1024, MAX_CHANNELS = 2048, PAINTED_BYTES = 512 };

static int8_t input[TENSOR_BYTES], output[TENSOR_BYTES], weights[WEIGHTS_BYTES],
    scratch[16384] __attribute__((aligned(4)));
static int32_t bias[MAX_CHANNELS], multipliers[MAX_CHANNELS];
static int8_t shifts[MAX_CHANNELS];
static volatile int32_t sink;

typedef enum {
  CONV2D,
  CONV2D_1X1,
  DEPTHWISE,
  DEPTHWISE_IN_PLACE,
  FULLY_CONNECTED,
  ADD,
  GLOBAL_AVG_POOL,
  AVG_POOL,
  SOFTMAX,
  DEPTHWISE_MULTIPLIER
} kernel;
typedef struct {
  kernel kind;
  int h, w, in_c, out_c, kernel_h, kernel_w, stride;
} layer;

static union {
  tn_conv2d_op conv;
  tn_fully_connected_op fully_connected;
  tn_add_op add;
  tn_global_avg_pool_op pool;
  tn_avg_pool_op window_pool;
  tn_softmax_op softmax;
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
                out_bytes = l->h * l->w * l->out_c / (l->stride * l->stride);
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

/* Layers of both backbones, from the first to the last stages and from small to large resolutions. */
static const layer layers[] = {
    {CONV2D, 32, 32, 3, 16, 3, 3, 1},
    {CONV2D, 32, 32, 3, 16, 3, 3, 2},
    {CONV2D, 96, 96, 3, 16, 3, 3, 2},
    {CONV2D, 144, 144, 3, 8, 3, 3, 2},
    {CONV2D, 16, 16, 16, 16, 3, 3, 1},
    {CONV2D, 16, 16, 32, 32, 3, 3, 1},
    {CONV2D, 8, 8, 64, 64, 3, 3, 1},
    {CONV2D, 32, 32, 16, 32, 3, 3, 2},
    {CONV2D, 49, 10, 1, 64, 10, 4, 2},
    {CONV2D, 49, 10, 1, 140, 10, 4, 2},
    {CONV2D, 32, 32, 1, 72, 3, 3, 2},
    {CONV2D, 24, 24, 8, 16, 5, 5, 2},
    {CONV2D, 28, 28, 1, 32, 5, 5, 1},
    {CONV2D, 16, 16, 32, 64, 1, 1, 2},
    {CONV2D, 12, 12, 16, 24, 3, 3, 1},
    {CONV2D, 10, 10, 32, 16, 3, 3, 2},
    {CONV2D, 7, 7, 64, 48, 3, 3, 1},
    {CONV2D, 20, 20, 4, 16, 3, 3, 1},
    {CONV2D, 9, 9, 24, 40, 5, 5, 1},
    {CONV2D, 14, 14, 8, 24, 7, 7, 2},
    {CONV2D, 15, 15, 40, 64, 1, 1, 2},
    {CONV2D, 8, 8, 96, 32, 3, 3, 1},
    {CONV2D, 13, 3, 16, 20, 5, 3, 1},
    /* Channels that are no multiple of four. */
    {CONV2D, 40, 40, 3, 24, 5, 5, 2},
    {CONV2D, 64, 64, 3, 8, 3, 3, 2},
    {CONV2D, 20, 20, 6, 10, 3, 3, 1},
    {CONV2D, 24, 24, 1, 16, 3, 3, 1},
    {CONV2D, 30, 30, 2, 12, 7, 7, 2},
    {CONV2D, 11, 11, 10, 16, 1, 1, 1},
    {CONV2D, 16, 16, 18, 12, 1, 1, 1},
    {CONV2D, 60, 10, 1, 32, 20, 8, 2},
    {CONV2D, 32, 32, 3, 32, 7, 7, 2},
    {CONV2D, 21, 21, 5, 7, 3, 3, 1},

    {CONV2D_1X1, 48, 48, 8, 24, 1, 1, 1},
    {CONV2D_1X1, 32, 32, 16, 48, 1, 1, 1},
    {CONV2D_1X1, 32, 32, 48, 16, 1, 1, 1},
    {CONV2D_1X1, 24, 24, 96, 24, 1, 1, 1},
    {CONV2D_1X1, 16, 16, 24, 96, 1, 1, 1},
    {CONV2D_1X1, 16, 16, 96, 24, 1, 1, 1},
    {CONV2D_1X1, 8, 8, 40, 240, 1, 1, 1},
    {CONV2D_1X1, 8, 8, 240, 40, 1, 1, 1},
    {CONV2D_1X1, 4, 4, 96, 320, 1, 1, 1},
    {CONV2D_1X1, 25, 5, 64, 64, 1, 1, 1},
    {CONV2D_1X1, 25, 5, 140, 112, 1, 1, 1},
    {CONV2D_1X1, 16, 16, 72, 164, 1, 1, 1},
    {CONV2D_1X1, 8, 8, 220, 276, 1, 1, 1},
    {CONV2D_1X1, 5, 5, 320, 480, 1, 1, 1},
    {CONV2D_1X1, 13, 3, 92, 196, 1, 1, 1},
    {CONV2D_1X1, 72, 72, 8, 8, 1, 1, 1},
    {CONV2D_1X1, 3, 3, 40, 20, 1, 1, 1},
    {CONV2D_1X1, 7, 7, 24, 12, 1, 1, 1},
    {CONV2D_1X1, 5, 1, 16, 8, 1, 1, 1},
    {CONV2D_1X1, 6, 6, 4, 32, 1, 1, 1},
    {CONV2D_1X1, 9, 9, 12, 7, 1, 1, 1},

    /* Kernels that have no template. */
    {DEPTHWISE, 16, 16, 48, 48, 4, 4, 1},
    {DEPTHWISE, 32, 32, 16, 16, 2, 2, 2},
    {DEPTHWISE, 12, 12, 96, 96, 3, 5, 1},
    {DEPTHWISE, 24, 24, 24, 24, 9, 9, 1},
    {DEPTHWISE, 8, 8, 160, 160, 1, 3, 1},
    {DEPTHWISE, 16, 16, 64, 64, 5, 3, 2},
    {DEPTHWISE, 25, 5, 72, 72, 3, 3, 3},
    {DEPTHWISE_IN_PLACE, 16, 16, 48, 48, 4, 4, 1},
    {DEPTHWISE_IN_PLACE, 32, 32, 16, 16, 2, 2, 2},
    {DEPTHWISE_IN_PLACE, 12, 12, 96, 96, 3, 5, 1},
    {DEPTHWISE_IN_PLACE, 24, 24, 24, 24, 9, 9, 1},
    {DEPTHWISE_IN_PLACE, 8, 8, 160, 160, 1, 3, 1},
    {DEPTHWISE_IN_PLACE, 16, 16, 64, 64, 5, 3, 2},
    {DEPTHWISE_IN_PLACE, 25, 5, 72, 72, 3, 3, 3},

    {DEPTHWISE, 48, 48, 24, 24, 3, 3, 2},
    {DEPTHWISE, 32, 32, 48, 48, 3, 3, 2},
    {DEPTHWISE, 16, 16, 96, 96, 3, 3, 2},
    {DEPTHWISE, 16, 16, 96, 96, 5, 5, 2},
    {DEPTHWISE, 16, 16, 96, 96, 7, 7, 2},
    {DEPTHWISE, 16, 16, 96, 96, 3, 3, 1},
    {DEPTHWISE, 16, 16, 96, 96, 5, 5, 1},
    {DEPTHWISE, 8, 8, 240, 240, 7, 7, 1},
    {DEPTHWISE, 8, 8, 240, 240, 5, 5, 2},
    {DEPTHWISE, 25, 5, 140, 140, 3, 3, 2},
    {DEPTHWISE, 24, 24, 72, 72, 5, 5, 2},
    {DEPTHWISE, 13, 3, 196, 196, 3, 3, 1},
    {DEPTHWISE, 48, 48, 16, 16, 7, 7, 2},
    {DEPTHWISE, 32, 32, 8, 8, 3, 3, 1},

    {DEPTHWISE_IN_PLACE, 48, 48, 16, 16, 3, 3, 1},
    {DEPTHWISE_IN_PLACE, 32, 32, 48, 48, 3, 3, 1},
    {DEPTHWISE_IN_PLACE, 16, 16, 96, 96, 3, 3, 1},
    {DEPTHWISE_IN_PLACE, 16, 16, 96, 96, 5, 5, 1},
    {DEPTHWISE_IN_PLACE, 16, 16, 96, 96, 7, 7, 1},
    {DEPTHWISE_IN_PLACE, 8, 8, 240, 240, 3, 3, 1},
    {DEPTHWISE_IN_PLACE, 8, 8, 240, 240, 5, 5, 1},
    {DEPTHWISE_IN_PLACE, 8, 8, 144, 144, 7, 7, 1},
    {DEPTHWISE_IN_PLACE, 25, 5, 64, 64, 3, 3, 1},
    {DEPTHWISE_IN_PLACE, 25, 5, 140, 140, 3, 3, 1},
    {DEPTHWISE_IN_PLACE, 13, 3, 196, 196, 3, 3, 1},
    {DEPTHWISE_IN_PLACE, 5, 5, 480, 480, 5, 5, 1},
    {DEPTHWISE_IN_PLACE, 24, 24, 72, 72, 7, 7, 1},
    {DEPTHWISE_IN_PLACE, 4, 4, 288, 288, 3, 3, 1},
    {DEPTHWISE_IN_PLACE, 32, 32, 48, 48, 3, 3, 2},
    {DEPTHWISE_IN_PLACE, 16, 16, 96, 96, 5, 5, 2},
    {DEPTHWISE_IN_PLACE, 24, 24, 72, 72, 7, 7, 2},
    {DEPTHWISE_IN_PLACE, 25, 5, 140, 140, 3, 3, 2},
    {DEPTHWISE_IN_PLACE, 8, 8, 240, 240, 7, 7, 2},

    {FULLY_CONNECTED, 1, 1, 40, 100, 1, 1, 1},
    {FULLY_CONNECTED, 1, 1, 64, 12, 1, 1, 1},
    {FULLY_CONNECTED, 1, 1, 640, 50, 1, 1, 1},
    {FULLY_CONNECTED, 1, 1, 256, 10, 1, 1, 1},
    {FULLY_CONNECTED, 1, 1, 160, 1000, 1, 1, 1},
    {FULLY_CONNECTED, 1, 1, 276, 12, 1, 1, 1},
    {FULLY_CONNECTED, 1, 1, 112, 2, 1, 1, 1},
    {FULLY_CONNECTED, 1, 1, 10, 5, 1, 1, 1},
    {FULLY_CONNECTED, 1, 1, 33, 12, 1, 1, 1},
    {FULLY_CONNECTED, 1, 1, 130, 10, 1, 1, 1},
    {FULLY_CONNECTED, 1, 1, 99, 64, 1, 1, 1},
    {FULLY_CONNECTED, 1, 1, 512, 32, 1, 1, 1},
    {FULLY_CONNECTED, 1, 1, 25, 100, 1, 1, 1},
    {FULLY_CONNECTED, 1, 1, 71, 3, 1, 1, 1},

    {ADD, 16, 16, 24, 24, 1, 1, 1},
    {ADD, 8, 8, 40, 40, 1, 1, 1},
    {ADD, 32, 32, 16, 16, 1, 1, 1},
    {ADD, 4, 4, 96, 96, 1, 1, 1},
    {ADD, 5, 5, 64, 64, 1, 1, 1},
    {ADD, 7, 3, 12, 12, 1, 1, 1},
    {ADD, 12, 12, 8, 8, 1, 1, 1},
    {ADD, 3, 3, 5, 5, 1, 1, 1},

    {GLOBAL_AVG_POOL, 8, 8, 96, 96, 1, 1, 1},
    {GLOBAL_AVG_POOL, 4, 4, 320, 320, 1, 1, 1},
    {GLOBAL_AVG_POOL, 25, 5, 64, 64, 1, 1, 1},
    {GLOBAL_AVG_POOL, 13, 3, 276, 276, 1, 1, 1},
    {GLOBAL_AVG_POOL, 5, 5, 480, 480, 1, 1, 1},
    {GLOBAL_AVG_POOL, 2, 2, 160, 160, 1, 1, 1},
    {GLOBAL_AVG_POOL, 7, 7, 64, 64, 1, 1, 1},
    {GLOBAL_AVG_POOL, 10, 10, 24, 24, 1, 1, 1},
    {GLOBAL_AVG_POOL, 3, 3, 33, 33, 1, 1, 1},

    {AVG_POOL, 3, 3, 256, 256, 3, 3, 3},
    {AVG_POOL, 8, 8, 64, 64, 8, 8, 8},
    {AVG_POOL, 25, 5, 64, 64, 25, 5, 25},
    {AVG_POOL, 7, 7, 160, 160, 7, 7, 7},
    {AVG_POOL, 32, 32, 16, 16, 2, 2, 2},
    {AVG_POOL, 16, 16, 32, 32, 2, 2, 2},
    {AVG_POOL, 24, 24, 24, 24, 3, 3, 2},
    {AVG_POOL, 16, 16, 16, 16, 3, 3, 1},
    {AVG_POOL, 12, 4, 40, 40, 5, 3, 1},

    /* What an exponential takes depends on its value: of many, so that no one counts for much. */
    {SOFTMAX, 1, 1, 10, 10, 1, 1, 1},
    {SOFTMAX, 1, 1, 12, 12, 1, 1, 1},
    {SOFTMAX, 1, 1, 35, 35, 1, 1, 1},
    {SOFTMAX, 1, 1, 60, 60, 1, 1, 1},
    {SOFTMAX, 1, 1, 100, 100, 1, 1, 1},
    {SOFTMAX, 1, 1, 1000, 1000, 1, 1, 1},
    {SOFTMAX, 10, 10, 20, 20, 1, 1, 1},
    {SOFTMAX, 4, 4, 35, 35, 1, 1, 1},
    {SOFTMAX, 25, 1, 12, 12, 1, 1, 1},

    {DEPTHWISE_MULTIPLIER, 96, 96, 1, 8, 3, 3, 2},
    {DEPTHWISE_MULTIPLIER, 49, 10, 1, 8, 10, 8, 2},
    {DEPTHWISE_MULTIPLIER, 49, 10, 1, 64, 10, 4, 2},
    {DEPTHWISE_MULTIPLIER, 32, 32, 3, 6, 3, 3, 1},
    {DEPTHWISE_MULTIPLIER, 28, 28, 1, 32, 5, 5, 1},
    {DEPTHWISE_MULTIPLIER, 16, 16, 16, 32, 3, 3, 1},
    {DEPTHWISE_MULTIPLIER, 16, 16, 24, 72, 7, 7, 2},
    {DEPTHWISE_MULTIPLIER, 8, 8, 64, 256, 3, 3, 2},
    {DEPTHWISE_MULTIPLIER, 8, 8, 64, 128, 3, 3, 1},
    {DEPTHWISE_MULTIPLIER, 96, 96, 3, 24, 3, 3, 2},
    {DEPTHWISE_MULTIPLIER, 48, 48, 1, 16, 5, 5, 2},
    {DEPTHWISE_MULTIPLIER, 24, 24, 8, 16, 1, 1, 1},
    {DEPTHWISE_MULTIPLIER, 20, 20, 4, 16, 7, 7, 1},
    {DEPTHWISE_MULTIPLIER, 64, 64, 1, 4, 3, 3, 1},
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

static uint32_t state = 20210101;
static int draw(int below) {
  state = state * 1664525u + 1013904223u;
  return (int)((state >> 16) % (uint32_t)below);
}

static int rounded(int channels, int percent, int divisor) {
  const int wanted = channels * percent / 100 + divisor / 2;
  return wanted / divisor * divisor > divisor ? wanted / divisor * divisor : divisor;
}

static int half_if(int size, int stride) { return (size + stride - 1) / stride; }

static layer made(kernel kind, int h, int w, int in_c, int out_c, int kernel_size, int stride) {
  const layer l = {kind, h, w, in_c, out_c, kernel_size, kernel_size, stride};
  return l;
}

/* In place, as the planner puts it wherever the input dies there. */
static layer depthwise(int h, int w, int c, int kernel_size, int stride) {
  return made(DEPTHWISE_IN_PLACE, h, w, c, c, kernel_size, stride);
}

/* The MBConv space of docs and configs/spaces: kernels 3, 5, 7, expansions 3, 4, 6, depths 2 to 4. */
static void run_mbconv(int index, int resolution, int width_percent, int classes) {
  static const int base[] = {24, 40, 80, 96, 192};
  static const int strides[] = {2, 2, 2, 1, 2};
  static const int kernels[] = {3, 5, 7}, expansions[] = {3, 4, 6};
  const char* name = "mbconv";
  int c = rounded(32, width_percent, 8), side = half_if(resolution, 2), stage, block;
  layer l = made(CONV2D, resolution, resolution, 3, c, 3, 2);
  measure(name, index, &l);
  l = depthwise(side, side, c, 3, 1), measure(name, index, &l);
  l = made(CONV2D_1X1, side, side, c, rounded(16, width_percent, 8), 1, 1), measure(name, index, &l);
  c = rounded(16, width_percent, 8);
  for (stage = 0; stage < 5; ++stage) {
    const int depth = 2 + draw(3), out_c = rounded(base[stage], width_percent, 8);
    for (block = 0; block < depth; ++block) {
      const int stride = block == 0 ? strides[stage] : 1, kernel_size = kernels[draw(3)];
      const int middle = c * expansions[draw(3)];
      l = made(CONV2D_1X1, side, side, c, middle, 1, 1), measure(name, index, &l);
      l = depthwise(side, side, middle, kernel_size, stride), measure(name, index, &l);
      side = half_if(side, stride);
      l = made(CONV2D_1X1, side, side, middle, out_c, 1, 1), measure(name, index, &l);
      if (c == out_c && stride == 1) l = made(ADD, side, side, c, c, 1, 1), measure(name, index, &l);
      c = out_c;
    }
  }
  l = made(GLOBAL_AVG_POOL, side, side, c, c, 1, 1), measure(name, index, &l);
  l = made(FULLY_CONNECTED, 1, 1, c, classes, 1, 1), measure(name, index, &l);
}

/* MicroNets' DS-CNN space: a 2-D stem, depthwise-separable blocks of channels in steps of 4. */
static void run_dscnn(int index, int h, int w, int stem_h, int stem_w, int least, int span, int classes) {
  const char* name = "dscnn";
  const int blocks = 4 + draw(5), second_stride_at = draw(3);
  int c = least + 4 * draw(span), block;
  layer l = made(CONV2D, h, w, 1, c, stem_h, 2);
  l.kernel_w = stem_w;
  measure(name, index, &l);
  h = half_if(h, 2), w = half_if(w, 2);
  for (block = 0; block < blocks; ++block) {
    const int stride = block == second_stride_at ? 2 : 1, out_c = least + 4 * draw(span);
    l = depthwise(h, w, c, 3, stride), measure(name, index, &l);
    h = half_if(h, stride), w = half_if(w, stride);
    l = made(CONV2D_1X1, h, w, c, out_c, 1, 1), measure(name, index, &l);
    c = out_c;
  }
  l = made(GLOBAL_AVG_POOL, h, w, c, c, 1, 1), measure(name, index, &l);
  l = made(FULLY_CONNECTED, 1, 1, c, classes, 1, 1), measure(name, index, &l);
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
