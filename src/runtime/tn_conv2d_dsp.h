/*
 * Convolution with the DSP extension. Four output positions at a time: their patches are spread to int16 in
 * the scratch, interleaved so that one LDM loads the same two taps of all four, and each row of weights is
 * then read once for the four of them. SXTB16 gives taps 0, 2 and 1, 3 of four; both sides are spread by it,
 * so the order does not matter.
 */
#ifndef TN_CONV2D_DSP_H
#define TN_CONV2D_DSP_H

#include "tn_dsp.h"
#include "tn_kernels.h"
#include "tn_requantize.h"
#include "tn_rows.h"

/* `quads` times four bytes, spread into the lane that `lane` points to; returns the lane's next place. */
TN_INLINE tn_word* tn_spread(const int8_t* from, int32_t quads, tn_word* lane) {
  for (; quads > 0; --quads, from += 4, lane += 2 * TN_CONV2D_POSITIONS) {
    const uint32_t four = *(const tn_unaligned_word*)from;
    lane[0] = tn_even_bytes(four);
    lane[TN_CONV2D_POSITIONS] = tn_odd_bytes(four);
  }
  return lane;
}

TN_HELPER tn_word* tn_spread_value(int8_t value, int32_t quads, tn_word* lane) {
  const uint32_t pair = tn_pack(value, value);
  for (; quads > 0; --quads, lane += 2 * TN_CONV2D_POSITIONS) {
    lane[0] = pair;
    lane[TN_CONV2D_POSITIONS] = pair;
  }
  return lane;
}

/* The patch of the window whose first row is `top` and column `left`, padding included, into a lane. `patch`:
 * one row of weights' bytes. */
TN_INLINE void tn_spread_window(const tn_conv2d_op* op, int32_t in_w, const int8_t* input,
                                const int8_t* const* rows, int32_t top, int32_t left, tn_word* lane,
                                int8_t* patch) {
  const int32_t in_c = op->in_c;
  const int32_t first_x = left < 0 ? -left : 0;
  const int32_t end_x = in_w - left < op->kernel_w ? in_w - left : op->kernel_w;
  int32_t y, i;
  if ((in_c & 3) == 0) {
    const int32_t quads = in_c >> 2;
    for (y = 0; y < op->kernel_h; ++y) {
      const int8_t* row = tn_window_row(op, input, rows, top, y);
      if (row == NULL) {
        lane = tn_spread_value(op->input_zero_point, quads * op->kernel_w, lane);
        continue;
      }
      lane = tn_spread_value(op->input_zero_point, quads * first_x, lane);
      lane = tn_spread(row + (left + first_x) * in_c, quads * (end_x - first_x), lane);
      lane = tn_spread_value(op->input_zero_point, quads * (op->kernel_w - end_x), lane);
    }
    return;
  }
  {
    int8_t* at = patch;
    for (y = 0; y < op->kernel_h; ++y) {
      const int8_t* row = tn_window_row(op, input, rows, top, y);
      const int32_t before = row != NULL ? first_x * in_c : op->kernel_w * in_c;
      const int32_t run = row != NULL ? (end_x - first_x) * in_c : 0;
      const int32_t after = row != NULL ? (op->kernel_w - end_x) * in_c : 0;
      const int8_t* from = row + (row != NULL ? (left + first_x) * in_c : 0);
      for (i = 0; i < before; ++i) *at++ = op->input_zero_point;
      for (i = 0; i + 4 <= run; i += 4, at += 4)
        *(tn_unaligned_word*)at = *(const tn_unaligned_word*)(from + i);
      for (; i < run; ++i) *at++ = from[i];
      for (i = 0; i < after; ++i) *at++ = op->input_zero_point;
    }
    /* What a row of weights is longer than the patch has weights 0. */
    (void)tn_spread(patch, tn_conv2d_row_bytes(op->kernel_h, op->kernel_w, in_c) >> 2, lane);
  }
}

TN_HELPER void tn_spread_patch(const tn_conv2d_op* op, const int8_t* input, int32_t out_y, int32_t out_x,
                               tn_word* lane, int8_t* patch) {
  tn_spread_window(op, op->in_w, input, NULL, out_y * op->stride_h - op->pad_top,
                   out_x * op->stride_w - op->pad_left, lane, patch);
}

TN_HELPER void tn_spread_row_patch(const tn_conv2d_op* op, const tn_columns* columns,
                                   const int8_t* const* rows, int32_t out_x, tn_word* lane, int8_t* patch) {
  tn_spread_window(op, columns->in_w, NULL, rows, 0, out_x * op->stride_w - columns->pad_left, lane, patch);
}

/* Four taps of a row of weights times those of the four lanes. LDM's lists need registers in order, hence by
 * name. */
#define TN_FOUR_TAPS                       \
  "ldr %[four], [%[weights]], #4\n\t"      \
  "ldmia %[lanes]!, {r3, r4, r5, r6}\n\t"  \
  "sxtb16 %[two], %[four]\n\t"             \
  "smlad %[sum0], %[two], r3, %[sum0]\n\t" \
  "smlad %[sum1], %[two], r4, %[sum1]\n\t" \
  "smlad %[sum2], %[two], r5, %[sum2]\n\t" \
  "smlad %[sum3], %[two], r6, %[sum3]\n\t" \
  "ldmia %[lanes]!, {r3, r4, r5, r6}\n\t"  \
  "sxtb16 %[two], %[four], ror #8\n\t"     \
  "smlad %[sum0], %[two], r3, %[sum0]\n\t" \
  "smlad %[sum1], %[two], r4, %[sum1]\n\t" \
  "smlad %[sum2], %[two], r5, %[sum2]\n\t" \
  "smlad %[sum3], %[two], r6, %[sum3]\n\t"

/* The same for the first three, two, or one of the lanes: the end of a row. */
#define TN_FOUR_TAPS_OF_3                  \
  "ldr %[four], [%[weights]], #4\n\t"      \
  "ldmia %[lanes]!, {r3, r4, r5, r6}\n\t"  \
  "sxtb16 %[two], %[four]\n\t"             \
  "smlad %[sum0], %[two], r3, %[sum0]\n\t" \
  "smlad %[sum1], %[two], r4, %[sum1]\n\t" \
  "smlad %[sum2], %[two], r5, %[sum2]\n\t" \
  "ldmia %[lanes]!, {r3, r4, r5, r6}\n\t"  \
  "sxtb16 %[two], %[four], ror #8\n\t"     \
  "smlad %[sum0], %[two], r3, %[sum0]\n\t" \
  "smlad %[sum1], %[two], r4, %[sum1]\n\t" \
  "smlad %[sum2], %[two], r5, %[sum2]\n\t"
#define TN_FOUR_TAPS_OF_2                  \
  "ldr %[four], [%[weights]], #4\n\t"      \
  "ldrd r3, r4, [%[lanes]], #16\n\t"       \
  "sxtb16 %[two], %[four]\n\t"             \
  "smlad %[sum0], %[two], r3, %[sum0]\n\t" \
  "smlad %[sum1], %[two], r4, %[sum1]\n\t" \
  "ldrd r3, r4, [%[lanes]], #16\n\t"       \
  "sxtb16 %[two], %[four], ror #8\n\t"     \
  "smlad %[sum0], %[two], r3, %[sum0]\n\t" \
  "smlad %[sum1], %[two], r4, %[sum1]\n\t"
#define TN_FOUR_TAPS_OF_1                  \
  "ldr %[four], [%[weights]], #4\n\t"      \
  "ldr r3, [%[lanes]], #16\n\t"            \
  "sxtb16 %[two], %[four]\n\t"             \
  "smlad %[sum0], %[two], r3, %[sum0]\n\t" \
  "ldr r3, [%[lanes]], #16\n\t"            \
  "sxtb16 %[two], %[four], ror #8\n\t"     \
  "smlad %[sum0], %[two], r3, %[sum0]\n\t"

#define TN_MULTIPLY(taps)                                                                             \
  __asm__ volatile(taps                                                                               \
                   : [weights] "+r"(weights), [lanes] "+r"(at), [sum0] "+r"(sum0), [sum1] "+r"(sum1), \
                     [sum2] "+r"(sum2), [sum3] "+r"(sum3), [four] "=&r"(four), [two] "=&r"(two)       \
                   :                                                                                  \
                   : "r3", "r4", "r5", "r6", "memory")

/* All channels of up to four positions whose patches are in `lanes`. */
TN_INLINE void tn_conv2d_channels(const tn_conv2d_op* op, const tn_word* lanes, int32_t quads,
                                  int32_t positions, int8_t* output, int plain) {
  const int32_t out_c = op->out_c;
  /* Lanes that hold no position are stored where the last one is, before it. */
  const int32_t at3 = (positions - 1) * out_c;
  const int32_t at1 = positions > 1 ? out_c : 0, at2 = positions > 2 ? 2 * out_c : at3;
  const tn_word* const end = lanes + 2 * TN_CONV2D_POSITIONS * quads;
  const tn_word* const end_of_fours = lanes + 2 * TN_CONV2D_POSITIONS * (quads & ~3);
  const int8_t* weights = op->weights;
  int32_t out;
  for (out = 0; out < out_c; ++out, ++output) {
    const tn_word* at = lanes;
    int32_t sum0 = op->bias[out], sum1 = sum0, sum2 = sum0, sum3 = sum0;
    uint32_t four, two;
    while (at != end_of_fours) TN_MULTIPLY(TN_FOUR_TAPS TN_FOUR_TAPS TN_FOUR_TAPS TN_FOUR_TAPS);
    while (at != end) TN_MULTIPLY(TN_FOUR_TAPS);
    if (plain) {
      const tn_plain_requant r = tn_make_plain(op->multipliers[out], op->shifts[out], op->output_zero_point);
      sum0 = tn_plain_output(sum0, r);
      sum1 = tn_plain_output(sum1, r);
      sum2 = tn_plain_output(sum2, r);
      sum3 = tn_plain_output(sum3, r);
    } else {
      sum0 = tn_output(op, out, sum0);
      sum1 = tn_output(op, out, sum1);
      sum2 = tn_output(op, out, sum2);
      sum3 = tn_output(op, out, sum3);
    }
    output[at3] = (int8_t)sum3;
    output[at2] = (int8_t)sum2;
    output[at1] = (int8_t)sum1;
    output[0] = (int8_t)sum0;
  }
}

/* Rare, and long: not copied into every place that needs it. */
TN_HELPER int32_t tn_conv2d_general_output(const tn_conv2d_op* op, int32_t out, int32_t sum) {
  return tn_output(op, out, sum);
}

/* One position's output of a channel. */
TN_INLINE int8_t tn_conv2d_output(const tn_conv2d_op* op, int32_t out, int32_t sum, int plain) {
  if (plain) {
    const tn_plain_requant r = tn_make_plain(op->multipliers[out], op->shifts[out], op->output_zero_point);
    return (int8_t)tn_plain_output(sum, r);
  }
  return (int8_t)tn_conv2d_general_output(op, out, sum);
}

/* All channels of one, two or three positions: the end of a row, which a block of four would waste. */
TN_INLINE void tn_conv2d_tail_of(const tn_conv2d_op* op, const tn_word* lanes, int32_t quads, int positions,
                                 int8_t* output, int plain) {
  const int32_t out_c = op->out_c;
  const tn_word* const end = lanes + 2 * TN_CONV2D_POSITIONS * quads;
  const tn_word* const end_of_fours = lanes + 2 * TN_CONV2D_POSITIONS * (quads & ~3);
  const int8_t* weights = op->weights;
  int32_t out;
  for (out = 0; out < out_c; ++out, ++output) {
    const tn_word* at = lanes;
    int32_t sum0 = op->bias[out], sum1 = sum0, sum2 = sum0, sum3 = sum0;
    uint32_t four, two;
    if (positions == 3) {
      while (at != end_of_fours)
        TN_MULTIPLY(TN_FOUR_TAPS_OF_3 TN_FOUR_TAPS_OF_3 TN_FOUR_TAPS_OF_3 TN_FOUR_TAPS_OF_3);
      while (at != end) TN_MULTIPLY(TN_FOUR_TAPS_OF_3);
      output[2 * out_c] = tn_conv2d_output(op, out, sum2, plain);
    } else if (positions == 2) {
      while (at != end_of_fours)
        TN_MULTIPLY(TN_FOUR_TAPS_OF_2 TN_FOUR_TAPS_OF_2 TN_FOUR_TAPS_OF_2 TN_FOUR_TAPS_OF_2);
      while (at != end) TN_MULTIPLY(TN_FOUR_TAPS_OF_2);
    } else {
      while (at != end_of_fours)
        TN_MULTIPLY(TN_FOUR_TAPS_OF_1 TN_FOUR_TAPS_OF_1 TN_FOUR_TAPS_OF_1 TN_FOUR_TAPS_OF_1);
      while (at != end) TN_MULTIPLY(TN_FOUR_TAPS_OF_1);
    }
    if (positions > 1) output[out_c] = tn_conv2d_output(op, out, sum1, plain);
    output[0] = tn_conv2d_output(op, out, sum0, plain);
  }
}

/* Shared by the instances of a file. */
TN_HELPER void tn_conv2d_tail(const tn_conv2d_op* op, const tn_word* lanes, int32_t quads, int32_t positions,
                              int8_t* output, int plain) {
  if (positions == 3) {
    tn_conv2d_tail_of(op, lanes, quads, 3, output, plain);
  } else if (positions == 2) {
    tn_conv2d_tail_of(op, lanes, quads, 2, output, plain);
  } else {
    tn_conv2d_tail_of(op, lanes, quads, 1, output, plain);
  }
}

/* The whole output, or (`rows`) one row of it. `pointwise`: 1x1, stride 1, no padding, in_c a multiple of 4.
 */
TN_INLINE void tn_conv2d_dsp(const tn_conv2d_op* op, const tn_columns* columns, const int8_t* input,
                             const int8_t* const* rows, int8_t* output, int8_t* scratch, int pointwise,
                             int plain) {
  const int32_t out_w = columns->out_w, in_c = op->in_c;
  const int32_t row = tn_conv2d_row_bytes(op->kernel_h, op->kernel_w, in_c);
  const int32_t count = rows != NULL ? out_w : op->out_h * out_w;
  tn_word* const lanes = (tn_word*)(void*)scratch;
  int8_t* const patch = scratch + 2 * TN_CONV2D_POSITIONS * row;
  int32_t done = 0, out_y = 0, out_x = 0;
  while (done < count) {
    const int32_t positions = count - done < TN_CONV2D_POSITIONS ? count - done : TN_CONV2D_POSITIONS;
    int32_t i;
    for (i = 0; i < positions; ++i) {
      if (rows != NULL && !pointwise) {
        tn_spread_row_patch(op, columns, rows, done + i, lanes + i, patch);
      } else if (pointwise) {
        (void)tn_spread(input, in_c >> 2, lanes + i);
        input += in_c;
      } else {
        tn_spread_patch(op, input, out_y, out_x, lanes + i, patch);
        if (++out_x == out_w) out_x = 0, ++out_y;
      }
    }
    if (rows != NULL && positions < TN_CONV2D_POSITIONS) {
      tn_conv2d_tail(op, lanes, row >> 2, positions, output, plain);
    } else {
      tn_conv2d_channels(op, lanes, row >> 2, positions, output, plain);
    }
    output += positions * op->out_c;
    done += positions;
  }
}

#endif /* TN_CONV2D_DSP_H */
