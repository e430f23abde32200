/*
 * What the kernels of this folder need beside their tensors: bytes of scratch in the arena, and bytes of
 * requantisation tables in Flash. The memory planner and the Flash model ask here and nowhere else, so that a
 * changed kernel changes every plan with it. Plain C99, usable from C++.
 */
#ifndef TN_BUFFER_SIZES_H
#define TN_BUFFER_SIZES_H

#include <stdint.h>

/*
 * Bytes of Flash of one requantisation entry: a Q31 multiplier (int32) and a shift (int8), kept in two arrays
 * so that nothing is lost to alignment. conv2d, depthwise_conv2d:  one entry per output channel
 *   fully_connected:           one entry
 *   add, global_avg_pool:      none; their multipliers are constants of the operator and count as code
 */
#define TN_REQUANT_ENTRY_BYTES 5

/*
 * @brief      Bytes of scratch that tn_conv2d() or, for 1x1 stride 1 without padding, tn_conv2d_1x1() needs.
 *
 * @param[in]  in_h      Height of the input in rows
 * @param[in]  in_w      Width of the input in columns
 * @param[in]  in_c      Channels of the input
 * @param[in]  out_c     Channels of the output
 * @param[in]  kernel_h  Height of the kernel
 * @param[in]  kernel_w  Width of the kernel
 * @param[in]  stride_h  Step between output rows, in input rows
 * @param[in]  stride_w  Step between output columns, in input columns
 *
 * @return     Bytes, 0: the portable kernels accumulate in registers. No alignment is needed.
 */
static inline int32_t tn_conv2d_get_buffer_size(int32_t in_h, int32_t in_w, int32_t in_c, int32_t out_c,
                                                int32_t kernel_h, int32_t kernel_w, int32_t stride_h,
                                                int32_t stride_w) {
  (void)in_h, (void)in_w, (void)in_c, (void)out_c;
  (void)kernel_h, (void)kernel_w, (void)stride_h, (void)stride_w;
  return 0;
}

/*
 * @brief      Bytes of scratch that tn_depthwise_conv2d() (in_place = 0) or tn_depthwise_conv2d_in_place()
 * (in_place
 *             != 0) needs.
 *
 * @param[in]  h         Height of the input in rows
 * @param[in]  w         Width of the input in columns
 * @param[in]  c         Channels of input and output
 * @param[in]  kernel_h  Height of the kernel
 * @param[in]  kernel_w  Width of the kernel
 * @param[in]  stride_h  Step between output rows
 * @param[in]  stride_w  Step between output columns
 * @param[in]  in_place  Whether the output is written over the input
 *
 * @return     Bytes. Out of place 0. In place the kernel goes channel by channel through a ring of kernel_h
 * padded rows of one channel, whatever h, c and the strides: kernel_h * (w + kernel_w - 1). No alignment is needed.
 */
static inline int32_t tn_depthwise_conv2d_get_buffer_size(int32_t h, int32_t w, int32_t c, int32_t kernel_h,
                                                          int32_t kernel_w, int32_t stride_h,
                                                          int32_t stride_w, int32_t in_place) {
  (void)h, (void)c, (void)stride_h, (void)stride_w;
  return in_place ? kernel_h * (w + kernel_w - 1) : 0;
}

/*
 * @brief      Bytes of scratch that tn_fully_connected() needs.
 *
 * @param[in]  in_c   Values of the flattened input
 * @param[in]  out_c  Values of the output
 *
 * @return     Bytes, 0. No alignment is needed.
 */
static inline int32_t tn_fully_connected_get_buffer_size(int32_t in_c, int32_t out_c) {
  (void)in_c, (void)out_c;
  return 0;
}

#endif /* TN_BUFFER_SIZES_H */
