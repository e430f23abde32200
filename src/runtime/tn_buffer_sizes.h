/*
 * What the kernels of this folder need beside their tensors: bytes of scratch in the arena, and bytes of
 * requantisation tables in Flash. The memory planner and the Flash model ask here and nowhere else, so that a
 * changed kernel changes every plan with it. Plain C99, usable from C++.
 */
#ifndef TN_BUFFER_SIZES_H
#define TN_BUFFER_SIZES_H

#include <stdint.h>

#include "tn_variant.h"

/*
 * Bytes of Flash of one requantisation entry: a Q31 multiplier (int32) and a shift (int8), kept in two arrays
 * so that nothing is lost to alignment. conv2d, depthwise_conv2d:  one entry per output channel
 *   fully_connected:           one entry
 *   add, global_avg_pool:      none; their multipliers are constants of the operator and count as code
 */
#define TN_REQUANT_ENTRY_BYTES 5

/*
 * @brief      Bytes of weights of one output channel of tn_conv2d() and tn_conv2d_1x1(): its taps, and zeros
 * up to a multiple of 4.
 */
static inline int32_t tn_conv2d_row_bytes(int32_t kernel_h, int32_t kernel_w, int32_t in_c) {
  return (kernel_h * kernel_w * in_c + 3) / 4 * 4;
}

/* How many output positions the convolutions of the variants dsp and mve compute at once. */
#define TN_CONV2D_POSITIONS 4

/*
 * @brief      Bytes of scratch that the convolutions need.
 *
 * @param[in]  in_c      Channels of the input
 * @param[in]  kernel_h  Height of the kernel
 * @param[in]  kernel_w  Width of the kernel
 * @param[in]  variant   TN_PORTABLE, TN_DSP or TN_MVE (tn_variant.h)
 *
 * @return     Bytes, aligned to 4. Portable: 0, sums are in registers. Else the patches of
 * TN_CONV2D_POSITIONS positions as int16, and one as int8 where in_c is no multiple of 4. (mve has patches of
 * int8: half of that would do, but a core without vectors runs dsp.)
 */
static inline int32_t tn_conv2d_get_buffer_size(int32_t in_c, int32_t kernel_h, int32_t kernel_w,
                                                int32_t variant) {
  const int32_t row_bytes = tn_conv2d_row_bytes(kernel_h, kernel_w, in_c);
  if (variant == TN_PORTABLE) return 0;
  return 2 * TN_CONV2D_POSITIONS * row_bytes + (in_c % 4 != 0 ? row_bytes : 0);
}

/* Whether the depthwise template of the variants dsp and mve takes a kernel; others run the portable code. */
static inline int32_t tn_depthwise_has_template(int32_t kernel_h, int32_t kernel_w, int32_t stride_h,
                                                int32_t stride_w) {
  return kernel_h == kernel_w && (kernel_h == 3 || kernel_h == 5 || kernel_h == 7) && stride_h == stride_w &&
         (stride_h == 1 || stride_h == 2);
}

/* How many channels the depthwise template of the variant mve computes at once. */
#define TN_DEPTHWISE_LANES 8

/* Pixels of one row of the window that the depthwise templates keep: of outputs in pairs. */
static inline int32_t tn_depthwise_window_pixels(int32_t w, int32_t kernel, int32_t stride) {
  const int32_t pairs = ((w + stride - 1) / stride + 1) / 2;
  return (2 * pairs - 1) * stride + kernel;
}

/* Words (int16 pairs) of one row of the window that the dsp variant's depthwise template keeps. */
static inline int32_t tn_depthwise_window_words(int32_t w, int32_t kernel, int32_t stride) {
  const int32_t pairs = ((w + stride - 1) / stride + 1) / 2; /* of outputs in a row */
  return pairs * stride + kernel / 2;
}

/*
 * @brief      Bytes of scratch that depthwise convolutions need.
 *
 * @param[in]  w         Width of the input in columns
 * @param[in]  kernel_h  Height of the kernel
 * @param[in]  kernel_w  Width of the kernel
 * @param[in]  stride_h  Step between output rows
 * @param[in]  stride_w  Step between output columns
 * @param[in]  in_place  Whether the output is written over the input
 * @param[in]  inside    Whether every window begins inside the input: (out_h - 1) * stride_h < h, likewise w.
 * In place implies it
 * @param[in]  variant   TN_PORTABLE, TN_DSP or TN_MVE (tn_variant.h)
 *
 * @return     Bytes, aligned to 4, whatever the height and the channels: all kernels go channel by channel,
 * or TN_DEPTHWISE_LANES of them at a time. Portable: out of place 0, in place a ring of kernel_h padded rows
 * of one channel. The templates, in place or not: dsp kernel_h padded rows as int16, and the weights of one
 * channel in pairs; mve padded rows and weights as bytes, of TN_DEPTHWISE_LANES channels. Never less than the
 * variant below needs, which a core without those instructions runs.
 */
static inline int32_t tn_depthwise_conv2d_get_buffer_size(int32_t w, int32_t kernel_h, int32_t kernel_w,
                                                          int32_t stride_h, int32_t stride_w,
                                                          int32_t in_place, int32_t inside, int32_t variant) {
  if (variant != TN_PORTABLE && inside && tn_depthwise_has_template(kernel_h, kernel_w, stride_h, stride_w)) {
    if (variant == TN_MVE) {
      return TN_DEPTHWISE_LANES * kernel_h * (kernel_w + tn_depthwise_window_pixels(w, kernel_w, stride_w));
    }
    return 4 * kernel_h * (kernel_w - 1 + tn_depthwise_window_words(w, kernel_w, stride_w));
  }
  return in_place ? kernel_h * (w + kernel_w - 1) : 0;
}

/*
 * @brief      Bytes of scratch that fully connected layers need.
 *
 * @param[in]  in_c     Values of the flattened input
 * @param[in]  variant  TN_PORTABLE, TN_DSP or TN_MVE (tn_variant.h)
 *
 * @return     Bytes, aligned to 4. dsp: the input as int16. Else 0.
 */
static inline int32_t tn_fully_connected_get_buffer_size(int32_t in_c, int32_t variant) {
  return variant == TN_PORTABLE ? 0 : (in_c + 3) / 4 * 8;
}

#endif /* TN_BUFFER_SIZES_H */
