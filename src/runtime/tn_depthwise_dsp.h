/*
 * Depthwise convolution with the DSP extension, in place or not, channel by channel: the pixels of a channel
 * lie c bytes apart, in the output as in the input, so that channels do not touch each other. The scratch is
 * a window of kernel_h padded rows of one channel as int16; a row of outputs is computed from it, then the
 * window moves down. An output row lies on input rows that are in the window or above it.
 *
 * Two outputs at a time: with stride 1 the second one's taps begin at an odd pixel, so its weights are paired
 * the other way round.
 */
#ifndef TN_DEPTHWISE_DSP_H
#define TN_DEPTHWISE_DSP_H

#include "tn_dsp.h"
#include "tn_kernels.h"
#include "tn_requantize.h"
#include "tn_rows.h"

/* Words of weights of one kernel row, kernel_w odd: (w0,w1), (w2,w3)... for even pixels, (w1,w2), (w3,w4)...
 * for odd. */
#define TN_PAIRS(kernel_w) ((kernel_w) / 2 * 2)

TN_INLINE void tn_pair_weights(const int8_t* weight, int32_t c, tn_word* pairs, int kernel_h, int kernel_w) {
  int y, x;
  for (y = 0; y < kernel_h; ++y) {
    for (x = 0; x < kernel_w / 2; ++x, ++pairs) {
      const int8_t* at = weight + 2 * x * c;
      pairs[0] = tn_pack(at[0], at[c]);
      pairs[kernel_w / 2] = tn_pack(at[c], at[2 * c]);
    }
    pairs += kernel_w / 2;
    weight += kernel_w * c;
  }
}

/* `count` pixels of a channel, which lie `step` bytes apart. */
TN_HELPER void tn_fill_window(int16_t* to, const int8_t* from, int32_t step, int32_t count) {
  const int32_t three = 3 * step;
  if (((uintptr_t)to & 3) != 0 && count > 0) {
    *to++ = *from;
    from += step;
    --count;
  }
#pragma GCC unroll 2
  for (; count > 3; count -= 4, from += 4 * step, to += 4) {
    ((tn_word*)(void*)to)[0] = tn_pack(from[0], from[step]);
    ((tn_word*)(void*)to)[1] = tn_pack(from[2 * step], from[three]);
  }
  if (count > 1) {
    *(tn_word*)(void*)to = tn_pack(from[0], from[step]);
    count -= 2, from += 2 * step, to += 2;
  }
  if (count > 0) *to = *from;
}

/*
 * The same for those of `count` rows that are there, into rows `pitch` pixels apart (an even number); nothing
 * else changes. A row kernel loads all rows of its window for every row of outputs, so this loop is what it
 * costs more than one that moves its window: eight pixels in 17 instructions.
 */
TN_HELPER void tn_fill_rows(int16_t* to, int32_t pitch, const int8_t* const* rows, int32_t count,
                            int32_t channel, int32_t step, int32_t pixels) {
  const int32_t three = 3 * step, odd = ((uintptr_t)to & 3) != 0;
  for (; count > 0; --count, ++rows, to += pitch) {
    const int8_t* from = *rows;
    int16_t* at = to;
    int32_t left = pixels - odd - 8;
    if (from == NULL) continue;
    from += channel;
    if (odd) {
      *at++ = *from;
      from += step;
    }
    if (left >= 0) {
      __asm__ volatile(
          "1:\n\t"
          "ldrsb r3, [%[from]]\n\t"
          "ldrsb r4, [%[from], %[step]]\n\t"
          "pkhbt r3, r3, r4, lsl #16\n\t"
          "ldrsb r4, [%[from], %[step], lsl #1]\n\t"
          "ldrsb r5, [%[from], %[three]]\n\t"
          "pkhbt r4, r4, r5, lsl #16\n\t"
          "add %[from], %[from], %[step], lsl #2\n\t"
          "ldrsb r5, [%[from]]\n\t"
          "ldrsb r6, [%[from], %[step]]\n\t"
          "pkhbt r5, r5, r6, lsl #16\n\t"
          "ldrsb r6, [%[from], %[step], lsl #1]\n\t"
          "ldrsb r8, [%[from], %[three]]\n\t"
          "pkhbt r6, r6, r8, lsl #16\n\t"
          "add %[from], %[from], %[step], lsl #2\n\t"
          "stmia %[at]!, {r3, r4, r5, r6}\n\t"
          "subs %[left], %[left], #8\n\t"
          "bge 1b\n\t"
          : [from] "+r"(from), [at] "+r"(at), [left] "+r"(left)
          : [step] "r"(step), [three] "r"(three)
          : "memory", "cc", "r3", "r4", "r5", "r6", "r8");
    }
    /* Eight less than there are: the same last three bits. */
    if ((left & 4) != 0) {
      ((tn_word*)(void*)at)[0] = tn_pack(from[0], from[step]);
      ((tn_word*)(void*)at)[1] = tn_pack(from[2 * step], from[three]);
      from += 4 * step;
      at += 4;
    }
    if ((left & 2) != 0) {
      *(tn_word*)(void*)at = tn_pack(from[0], from[step]);
      from += 2 * step;
      at += 2;
    }
    if ((left & 1) != 0) *at = *from;
  }
}

/* A row of a channel's pixels, or (NULL) padding, into a row of the window. */
TN_HELPER void tn_load_window_row(const tn_conv2d_op* op, const tn_columns* columns, const int8_t* pixels,
                                  tn_word* row, int32_t words) {
  const int32_t left = columns->pad_left;
  const int32_t room = 2 * words - left;
  const int32_t inside = columns->in_w < room ? columns->in_w : room;
  const int16_t padding = op->input_zero_point;
  int16_t *to = (int16_t*)(void*)row, *const end = to + 2 * words;
  if (pixels == NULL) {
    const uint32_t two = tn_pack(padding, padding);
    for (; words > 0; --words) *row++ = two;
    return;
  }
  for (; to < end - room; ++to) *to = padding;
  tn_fill_window(to, pixels, op->in_c, inside);
  for (to += inside; to < end; ++to) *to = padding;
}

/* Moves the window's rows up by `words`; what follows is loaded anew. */
TN_INLINE void tn_move_window(tn_word* window, int32_t words, int32_t kept) {
  const tn_word* from = window + words;
  for (; kept >= 4; kept -= 4, window += 4, from += 4) {
    *(tn_four_words*)(void*)window = *(const tn_four_words*)(const void*)from;
  }
  for (; kept > 0; --kept) *window++ = *from++;
}

/*
 * One kernel row of two neighbouring outputs. Pixels are (p0,p1), (p2,p3)...; weights as tn_pair_weights()
 * leaves them. LDM's lists need registers in order, hence by name.
 */
#define TN_ROW_3_1                      \
  "ldm %[row], {r3, r4}\n\t"            \
  "ldmia %[pairs]!, {r5, r6}\n\t"       \
  "smlad %[sum0], r3, r5, %[sum0]\n\t"  \
  "smlatb %[sum1], r3, r5, %[sum1]\n\t" \
  "smlabt %[sum0], r4, r6, %[sum0]\n\t" \
  "smlad %[sum1], r4, r6, %[sum1]\n\t"  \
  "add %[row], %[row], %[pitch]\n\t"
#define TN_ROW_3_2                      \
  "ldm %[row], {r3, r4, r5}\n\t"        \
  "ldmia %[pairs]!, {r6, r8}\n\t"       \
  "smlad %[sum0], r3, r6, %[sum0]\n\t"  \
  "smlad %[sum1], r4, r6, %[sum1]\n\t"  \
  "smlabt %[sum0], r4, r8, %[sum0]\n\t" \
  "smlabt %[sum1], r5, r8, %[sum1]\n\t" \
  "add %[row], %[row], %[pitch]\n\t"
#define TN_ROW_5_1                         \
  "ldm %[row], {r3, r4, r5}\n\t"           \
  "ldmia %[pairs]!, {r6, r8, r9, r10}\n\t" \
  "smlad %[sum0], r3, r6, %[sum0]\n\t"     \
  "smlatb %[sum1], r3, r6, %[sum1]\n\t"    \
  "smlad %[sum0], r4, r8, %[sum0]\n\t"     \
  "smlad %[sum1], r4, r9, %[sum1]\n\t"     \
  "smlabt %[sum0], r5, r10, %[sum0]\n\t"   \
  "smlad %[sum1], r5, r10, %[sum1]\n\t"    \
  "add %[row], %[row], %[pitch]\n\t"
#define TN_ROW_5_2                          \
  "ldm %[row], {r3, r4, r5, r6}\n\t"        \
  "ldmia %[pairs]!, {r8, r9, r10, r11}\n\t" \
  "smlad %[sum0], r3, r8, %[sum0]\n\t"      \
  "smlad %[sum1], r4, r8, %[sum1]\n\t"      \
  "smlad %[sum0], r4, r9, %[sum0]\n\t"      \
  "smlad %[sum1], r5, r9, %[sum1]\n\t"      \
  "smlabt %[sum0], r5, r11, %[sum0]\n\t"    \
  "smlabt %[sum1], r6, r11, %[sum1]\n\t"    \
  "add %[row], %[row], %[pitch]\n\t"
#define TN_ROW_7_1                       \
  "ldm %[row], {r3, r4, r5, r6}\n\t"     \
  "ldmia %[pairs]!, {r8, r9, r10}\n\t"   \
  "smlad %[sum0], r3, r8, %[sum0]\n\t"   \
  "smlatb %[sum1], r3, r8, %[sum1]\n\t"  \
  "smlad %[sum0], r4, r9, %[sum0]\n\t"   \
  "smlad %[sum0], r5, r10, %[sum0]\n\t"  \
  "ldmia %[pairs]!, {r8, r9, r10}\n\t"   \
  "smlad %[sum1], r4, r8, %[sum1]\n\t"   \
  "smlad %[sum1], r5, r9, %[sum1]\n\t"   \
  "smlabt %[sum0], r6, r10, %[sum0]\n\t" \
  "smlad %[sum1], r6, r10, %[sum1]\n\t"  \
  "add %[row], %[row], %[pitch]\n\t"
#define TN_ROW_7_2                       \
  "ldm %[row], {r3, r4, r5, r6, r8}\n\t" \
  "ldmia %[pairs]!, {r9, r10, r11}\n\t"  \
  "smlad %[sum0], r3, r9, %[sum0]\n\t"   \
  "smlad %[sum1], r4, r9, %[sum1]\n\t"   \
  "smlad %[sum0], r4, r10, %[sum0]\n\t"  \
  "smlad %[sum1], r5, r10, %[sum1]\n\t"  \
  "smlad %[sum0], r5, r11, %[sum0]\n\t"  \
  "smlad %[sum1], r6, r11, %[sum1]\n\t"  \
  "ldmia %[pairs]!, {r9, r10, r11}\n\t"  \
  "smlabt %[sum0], r6, r11, %[sum0]\n\t" \
  "smlabt %[sum1], r8, r11, %[sum1]\n\t" \
  "add %[row], %[row], %[pitch]\n\t"

#define TN_ADD_ROWS(rows, ...)                                                                  \
  __asm__ volatile(rows                                                                         \
                   : [row] "+r"(row), [pairs] "+r"(pairs), [sum0] "+r"(sum0), [sum1] "+r"(sum1) \
                   : [pitch] "r"(pitch_bytes)                                                   \
                   : "memory", "r3", "r4", "r5", "r6", __VA_ARGS__)

/* The two outputs' accumulators, from `bias`; `pixels`: under the first kernel row, left below the last. */
TN_INLINE int32_t tn_two_outputs(const tn_word** pixels, const tn_word* pairs, int32_t pitch_bytes,
                                 int32_t bias, int kernel, int stride, int32_t* second) {
  const tn_word* row = *pixels;
  int32_t sum0 = bias, sum1 = bias;
  if (kernel == 3 && stride == 1) {
    TN_ADD_ROWS(TN_ROW_3_1 TN_ROW_3_1 TN_ROW_3_1, "cc");
  } else if (kernel == 3) {
    TN_ADD_ROWS(TN_ROW_3_2 TN_ROW_3_2 TN_ROW_3_2, "r8");
  } else if (kernel == 5 && stride == 1) {
    TN_ADD_ROWS(TN_ROW_5_1 TN_ROW_5_1 TN_ROW_5_1 TN_ROW_5_1 TN_ROW_5_1, "r8", "r9", "r10");
  } else if (kernel == 5) {
    TN_ADD_ROWS(TN_ROW_5_2 TN_ROW_5_2 TN_ROW_5_2 TN_ROW_5_2 TN_ROW_5_2, "r8", "r9", "r10", "r11");
  } else if (stride == 1) {
    TN_ADD_ROWS(TN_ROW_7_1 TN_ROW_7_1 TN_ROW_7_1 TN_ROW_7_1 TN_ROW_7_1 TN_ROW_7_1 TN_ROW_7_1, "r8", "r9",
                "r10");
  } else {
    TN_ADD_ROWS(TN_ROW_7_2 TN_ROW_7_2 TN_ROW_7_2 TN_ROW_7_2 TN_ROW_7_2 TN_ROW_7_2 TN_ROW_7_2, "r8", "r9",
                "r10", "r11");
  }
  *pixels = row;
  *second = sum1;
  return sum0;
}

/* The whole output, or (`rows`) one row of it. kernel_h = kernel_w = kernel in {3, 5, 7}, stride_h = stride_w
 * = stride in {1, 2}; every window begins inside. */
TN_INLINE void tn_depthwise_dsp(const tn_conv2d_op* op, const tn_columns* columns, const int8_t* input,
                                const int8_t* const* rows, int8_t* output, int8_t* scratch, int kernel,
                                int stride, int plain) {
  const int32_t c = op->in_c, out_h = rows != NULL ? 1 : op->out_h, out_w = columns->out_w;
  const int32_t pitch = tn_depthwise_window_words(columns->in_w, kernel, stride);
  tn_word* const pairs = (tn_word*)(void*)scratch;
  tn_word* const window = pairs + kernel * TN_PAIRS(kernel);
  const int32_t next_pair = stride - kernel * pitch; /* from below the last kernel row */
  int32_t channel, out_y, y;
  if (rows != NULL) {
    /* Of one row, all channels have the same padding in the same places. */
    const uint32_t two = tn_pack(op->input_zero_point, op->input_zero_point);
    for (y = 0; y < kernel * pitch; ++y) window[y] = two;
  }
  for (channel = 0; channel < c; ++channel) {
    const int32_t bias = op->bias[channel];
    const tn_plain_requant r =
        tn_make_plain(op->multipliers[channel], plain ? op->shifts[channel] : -1, op->output_zero_point);
    int8_t* out = output + channel;
    int32_t next = -op->pad_top; /* the input row at the top of the window */
    tn_pair_weights(op->weights + channel, c, pairs, kernel, kernel);
    if (rows != NULL) {
      const int32_t room = 2 * pitch - columns->pad_left;
      tn_fill_rows((int16_t*)(void*)window + columns->pad_left, 2 * pitch, rows, kernel, channel, c,
                   columns->in_w < room ? columns->in_w : room);
    } else {
      for (y = 0; y < kernel; ++y) {
        const int8_t* row = tn_window_row(op, input, NULL, next, y);
        tn_load_window_row(op, columns, row == NULL ? NULL : row + channel, window + y * pitch, pitch);
      }
    }
    for (out_y = 0; out_y < out_h; ++out_y) {
      const tn_word* pixels = window;
      const tn_word* const end = window + (out_w + 1) / 2 * stride;
      while (pixels != end) {
        int32_t sum1;
        int32_t sum0 = tn_two_outputs(&pixels, pairs, 4 * pitch, bias, kernel, stride, &sum1);
        pixels += next_pair;
        if (plain) {
          sum0 = tn_plain_output(sum0, r);
          sum1 = tn_plain_output(sum1, r);
        } else {
          sum0 = tn_output(op, channel, sum0);
          sum1 = tn_output(op, channel, sum1);
        }
        *out = (int8_t)sum0;
        out += c;
        /* The last column of an odd number is the first of a pair whose second is not there. */
        if (pixels != end || (out_w & 1) == 0) {
          *out = (int8_t)sum1;
          out += c;
        }
      }
      if (out_y + 1 == out_h) break;
      tn_move_window(window, stride * pitch, (kernel - stride) * pitch);
      next += stride;
      for (y = kernel - stride; y < kernel; ++y) {
        const int8_t* row = tn_window_row(op, input, NULL, next, y);
        tn_load_window_row(op, columns, row == NULL ? NULL : row + channel, window + y * pitch, pitch);
      }
    }
  }
}

#endif /* TN_DEPTHWISE_DSP_H */
