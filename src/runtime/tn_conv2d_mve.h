/*
 * Convolution with integer vectors. Four output positions at a time: VMLADAVA adds sixteen products to a sum,
 * so that a row of weights, read once, is multiplied by the four patches. A pointwise convolution reads its
 * patches where they lie, others have them copied to the scratch. The loop's tail is predicated: nothing is
 * read beyond a row.
 */
#ifndef TN_CONV2D_MVE_H
#define TN_CONV2D_MVE_H

#include "tn_kernels.h"
#include "tn_mve.h"
#include "tn_rows.h"

/* The patch of the window whose first row is `top` and column `left`, padding included, as a row of weights
 * has it. */
TN_INLINE void tn_copy_window(const tn_conv2d_op* op, int32_t in_w, const int8_t* input,
                              const int8_t* const* rows, int32_t top, int32_t left, int8_t* patch) {
  const int32_t in_c = op->in_c;
  const int32_t first_x = left < 0 ? -left : 0;
  const int32_t end_x = in_w - left < op->kernel_w ? in_w - left : op->kernel_w;
  const int32_t bytes = op->kernel_w * in_c;
  const int32_t before = first_x * in_c, after = (op->kernel_w - end_x) * in_c;
  int32_t y;
  for (y = 0; y < op->kernel_h; ++y, patch += bytes) {
    const int8_t* row = tn_window_row(op, input, rows, top, y);
    if (row == NULL) {
      tn_fill_bytes(patch, op->input_zero_point, bytes);
      continue;
    }
    if (before != 0) tn_fill_bytes(patch, op->input_zero_point, before);
    tn_copy_bytes(patch + before, row + (left + first_x) * in_c, bytes - before - after);
    if (after != 0) tn_fill_bytes(patch + bytes - after, op->input_zero_point, after);
  }
}

TN_HELPER void tn_copy_patch(const tn_conv2d_op* op, const int8_t* input, int32_t out_y, int32_t out_x,
                             int8_t* patch) {
  tn_copy_window(op, op->in_w, input, NULL, out_y * op->stride_h - op->pad_top,
                 out_x * op->stride_w - op->pad_left, patch);
}

TN_HELPER void tn_copy_row_patch(const tn_conv2d_op* op, const tn_columns* columns, const int8_t* const* rows,
                                 int32_t out_x, int8_t* patch) {
  tn_copy_window(op, columns->in_w, NULL, rows, 0, out_x * op->stride_w - columns->pad_left, patch);
}

/* All channels of four positions, whose patches of `taps` bytes lie `pitch` bytes apart; the outputs of
 * positions that are not there (`offsets`) are stored where the last one's is, which is there. */
TN_INLINE void tn_conv2d_channels_mve(const tn_conv2d_op* op, const int8_t* patches, int32_t pitch1,
                                      int32_t pitch2, int32_t pitch3, int32_t taps, uint32x4_t offsets,
                                      int8_t* output, int plain) {
  const int32_t row = tn_conv2d_row_bytes(op->kernel_h, op->kernel_w, op->in_c);
  const int32x4_t low = vdupq_n_s32(op->activation_min), high = vdupq_n_s32(op->activation_max);
  const int32_t* bias = op->bias;
  const int32_t* multiplier = op->multipliers;
  const int8_t* shift = op->shifts;
  const int8_t* weights = op->weights;
  int32_t left;
  for (left = op->out_c; left > 0; --left, ++output, weights += row) {
    const int8_t *at = weights, *patch0 = patches, *patch1 = patches + pitch1, *patch2 = patches + pitch2,
                 *patch3 = patches + pitch3;
    int32_t sum0 = *bias++, sum1 = sum0, sum2 = sum0, sum3 = sum0;
    int32x4_t out;
    __asm__(
        "dlstp.8 lr, %[taps]\n\t"
        "1:\n\t"
        "vldrb.8 q0, [%[at]], #16\n\t"
        "vldrb.8 q1, [%[patch0]], #16\n\t"
        "vmladava.s8 %[sum0], q0, q1\n\t"
        "vldrb.8 q2, [%[patch1]], #16\n\t"
        "vmladava.s8 %[sum1], q0, q2\n\t"
        "vldrb.8 q1, [%[patch2]], #16\n\t"
        "vmladava.s8 %[sum2], q0, q1\n\t"
        "vldrb.8 q2, [%[patch3]], #16\n\t"
        "vmladava.s8 %[sum3], q0, q2\n\t"
        "letp lr, 1b\n\t"
        : [at] "+r"(at), [patch0] "+r"(patch0), [patch1] "+r"(patch1), [patch2] "+r"(patch2),
          [patch3] "+r"(patch3), [sum0] "+Te"(sum0), [sum1] "+Te"(sum1), [sum2] "+Te"(sum2),
          [sum3] "+Te"(sum3)
        : [taps] "r"(taps)
        : "memory", "lr", "cc", "q0", "q1", "q2");
    out = vsetq_lane_s32(sum0, vuninitializedq_s32(), 0);
    out = vsetq_lane_s32(sum1, out, 1);
    out = vsetq_lane_s32(sum2, out, 2);
    out = vsetq_lane_s32(sum3, out, 3);
    out = tn_requantize_channel(out, *multiplier++, *shift++, plain);
    out = vaddq_n_s32(out, op->output_zero_point);
    out = vminq_s32(vmaxq_s32(out, low), high);
    vstrbq_scatter_offset_s32(output, offsets, out);
  }
}

/* The whole output, or (`rows`) one row of it. `pointwise`: 1x1, stride 1, no padding. */
TN_INLINE void tn_conv2d_mve(const tn_conv2d_op* op, const tn_columns* columns, const int8_t* input,
                             const int8_t* const* rows, int8_t* output, int8_t* scratch, int pointwise,
                             int plain) {
  const int32_t out_w = columns->out_w, out_c = op->out_c;
  const int32_t taps = op->kernel_h * op->kernel_w * op->in_c;
  const int32_t count = rows != NULL ? out_w : op->out_h * out_w;
  int32_t done = 0, out_y = 0, out_x = 0;
  while (done < count) {
    const int32_t positions = count - done < TN_CONV2D_POSITIONS ? count - done : TN_CONV2D_POSITIONS;
    const int8_t* patches = input;
    uint32_t offset[TN_CONV2D_POSITIONS];
    int32_t pitch[TN_CONV2D_POSITIONS];
    int32_t i;
    for (i = 0; i < TN_CONV2D_POSITIONS; ++i) {
      const int32_t position = i < positions ? i : positions - 1;
      offset[i] = (uint32_t)position * (uint32_t)out_c;
      pitch[i] = position * taps;
    }
    if (pointwise) {
      input += positions * taps;
    } else {
      patches = scratch;
      for (i = 0; i < positions; ++i) {
        if (rows != NULL) {
          tn_copy_row_patch(op, columns, rows, done + i, scratch + i * taps);
          continue;
        }
        tn_copy_patch(op, input, out_y, out_x, scratch + i * taps);
        if (++out_x == out_w) out_x = 0, ++out_y;
      }
    }
    tn_conv2d_channels_mve(op, patches, pitch[1], pitch[2], pitch[3], taps, vld1q_u32(offset), output, plain);
    output += positions * out_c;
    done += positions;
  }
}

#endif /* TN_CONV2D_MVE_H */
