/*
 * int8 kernels of tinynas: C99, NHWC with N = 1, no heap, no stdio, no global state.
 *
 * Arithmetic: TensorFlow Lite's int8 quantisation specification with double rounding (tn_requantize.h).
 *   real = scale * (q - zero_point); weights have zero point 0
 *   out = clamp(output_zero_point + requantise(bias + sum((in - input_zero_point) * weight)))
 * Padding stands for real 0, that is the zero point. The exporter folds the zero point into the bias,
 *   folded bias = bias - input_zero_point * (sum of the channel's weights), so that the sum is
 *   folded bias + sum(in * weight), padded taps included,
 * and refuses operators whose 32-bit sums could overflow.
 */
#ifndef TN_KERNELS_H
#define TN_KERNELS_H

#include <stdint.h>

#include "tn_buffer_sizes.h"

/* Raised whenever a struct or an argument below changes: a package checks it against the kernels that it is
 * built with. */
#define TN_KERNELS_VERSION 3

#ifdef __cplusplus
extern "C" {
#endif

/* real multiplier = multiplier * 2^(shift - 31); multiplier in [2^30, 2^31) or 0, shift in [-31, 30] (> 0 is
 * left). */
typedef struct {
  int32_t multiplier;
  int32_t shift;
} tn_multiplier;

/* Convolution and depthwise convolution (in_c == out_c, but where the kernel takes a depth multiplier). */
typedef struct {
  /* conv2d: [out_c][tn_conv2d_row_bytes()], a row being [kernel_h][kernel_w][in_c] and zeros up to a multiple
   * of 4, aligned to 4; depthwise: [kernel_h][kernel_w][out_c] */
  const int8_t* weights;
  const int32_t* bias;        /* [out_c], folded */
  const int32_t* multipliers; /* [out_c], tn_multiplier's fields in two arrays */
  const int8_t* shifts;       /* [out_c] */
  uint16_t in_h, in_w, in_c;
  uint16_t out_h, out_w, out_c;
  uint8_t kernel_h, kernel_w;
  uint8_t stride_h, stride_w;
  uint8_t pad_top, pad_left; /* bottom and right follow from the shapes */
  int8_t input_zero_point;
  int8_t output_zero_point;
  int8_t activation_min, activation_max; /* clamp of the output, in output units */
} tn_conv2d_op;

/*
 * A row kernel computes one row of the output, or some columns of it, from kernel_h rows of the input that
 * may lie anywhere. Columns are counted from the first one that is needed: outside of in_w columns is
 * padding.
 */
typedef struct {
  uint16_t in_w, out_w;
  uint8_t pad_left;
} tn_columns;

typedef struct {
  const int8_t* weights;      /* [out_c][in_c] */
  const int32_t* bias;        /* [out_c], folded */
  const int32_t* multipliers; /* [1] */
  const int8_t* shifts;       /* [1] */
  uint32_t in_c, out_c;
  int8_t output_zero_point;
  int8_t activation_min, activation_max;
} tn_fully_connected_op;

typedef struct {
  tn_multiplier input[2]; /* of (q - zero_point) << 20; shift <= 0 */
  tn_multiplier output;
  uint32_t count; /* values in each tensor */
  int8_t input_zero_point[2];
  int8_t output_zero_point;
  int8_t activation_min, activation_max;
} tn_add_op;

typedef struct {
  tn_multiplier mean; /* input scale / output scale */
  uint32_t count;     /* h * w */
  uint16_t c;
  int8_t input_zero_point;
  int8_t output_zero_point;
  int8_t activation_min, activation_max;
} tn_global_avg_pool_op;

/* Input and output have one scale and zero point. */
typedef struct {
  uint16_t in_h, in_w, c;
  uint16_t out_h, out_w;
  uint8_t kernel_h, kernel_w;
  uint8_t stride_h, stride_w;
  uint8_t pad_top, pad_left; /* bottom and right follow from the shapes */
  int8_t activation_min, activation_max;
} tn_avg_pool_op;

typedef struct {
  tn_multiplier input;    /* input scale * 2^26, so that differences have 5 integer bits; shift >= 0 */
  int32_t difference_min; /* smaller q - largest q count as exp = 0 */
  uint32_t rows;          /* h * w */
  uint16_t c;
} tn_softmax_op;

/* Input and output have one scale and zero point. out_h = pad_top + in_h + pad_bottom, and likewise for w and
 * c. */
typedef struct {
  uint16_t in_h, in_w, in_c;
  uint16_t pad_top, pad_left, pad_bottom, pad_right;
  uint16_t channels_before, channels_after;
  int8_t zero_point;
} tn_pad_op;

/* The instances of tn_oracle.c, for any kernel size, stride and padding; they need no more scratch than
 * tn_buffer_sizes.h says for TN_PORTABLE. `output` must not overlap `input`, but in place it is `input`. */
void tn_conv2d(const tn_conv2d_op* op, const int8_t* input, int8_t* output, int8_t* scratch);
void tn_depthwise_conv2d(const tn_conv2d_op* op, const int8_t* input, int8_t* output, int8_t* scratch);
/* Where every window begins inside the input: (out_h - 1) * stride_h < in_h, and likewise for w. */
void tn_depthwise_conv2d_in_place(const tn_conv2d_op* op, const int8_t* input, int8_t* output,
                                  int8_t* scratch);
void tn_fully_connected(const tn_fully_connected_op* op, const int8_t* input, int8_t* output,
                        int8_t* scratch);

/* `output` may be either input's memory exactly, or must not overlap it. */
void tn_add(const tn_add_op* op, const int8_t* input0, const int8_t* input1, int8_t* output);

/* Mean over h and w: [count][c] -> [c]. `output` must not overlap `input`. */
void tn_global_avg_pool(const tn_global_avg_pool_op* op, const int8_t* input, int8_t* output);

/* The same in parts, for an input that comes row by row: zeroes sums[c], adds `count` positions of c values
 * to it, turns it into the means. */
void tn_mean_start(const tn_global_avg_pool_op* op, int32_t* sums);
void tn_mean_add(const tn_global_avg_pool_op* op, const int8_t* input, int32_t count, int32_t* sums);
void tn_mean_end(const tn_global_avg_pool_op* op, const int32_t* sums, int8_t* output);

/* Every window must reach into the input. `output` must not overlap `input`. */
void tn_avg_pool(const tn_avg_pool_op* op, const int8_t* input, int8_t* output);

/* One row of it. `rows`: kernel_h rows of the input, NULL for those outside of it. */
void tn_avg_pool_row(const tn_avg_pool_op* op, const tn_columns* columns, const int8_t* const* rows,
                     int8_t* output);

/* Over the c values of each row: scale 1/256, zero point -128. c at most 4095. `output` must not overlap
 * `input`. */
void tn_softmax(const tn_softmax_op* op, const int8_t* input, int8_t* output);

/* Zeros (the zero point) around the input; without padding, a copy. `output` must not overlap `input`. */
void tn_pad(const tn_pad_op* op, const int8_t* input, int8_t* output);

#ifdef __cplusplus
}
#endif

#endif /* TN_KERNELS_H */
