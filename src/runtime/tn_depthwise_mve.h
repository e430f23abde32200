/*
 * Depthwise convolution with integer vectors, in place or not, TN_DEPTHWISE_LANES channels at a time: they
 * lie side by side, in the output as in the input, so that groups do not touch each other. The scratch holds
 * the group's weights and a window of kernel_h padded rows; a row of outputs is computed from it, then the
 * window moves down. An output row lies on input rows that are in the window or above it.
 *
 * Products of eight channels come as those of the even and those of the odd ones, and so do the tables below.
 */
#ifndef TN_DEPTHWISE_MVE_H
#define TN_DEPTHWISE_MVE_H

#include "tn_kernels.h"
#include "tn_mve.h"
#include "tn_rows.h"

/* Of a group: [0] the even channels, [1] the odd ones. */
typedef struct {
  int32_t bias[2][4];
  int32_t multiplier[2][4];
  int32_t left[2][4];  /* shifts >= 0 */
  int32_t right[2][4]; /* shifts <= 0 */
} tn_depthwise_tables;

TN_HELPER void tn_load_tables(const tn_conv2d_op* op, int32_t channel, int32_t lanes,
                              tn_depthwise_tables* tables) {
  int32_t i;
  for (i = 0; i < TN_DEPTHWISE_LANES; ++i) {
    const int32_t from = channel + (i < lanes ? i : 0);
    const int32_t shift = op->shifts[from];
    tables->bias[i & 1][i >> 1] = op->bias[from];
    tables->multiplier[i & 1][i >> 1] = op->multipliers[from];
    tables->left[i & 1][i >> 1] = shift > 0 ? shift : 0;
    tables->right[i & 1][i >> 1] = shift > 0 ? 0 : shift;
  }
}

/* `count` pixels of a group, or (step == 0) of padding, into the window; lanes that are not there become 0.
 */
TN_INLINE int8_t* tn_load_pixels(int8_t* to, const int8_t* from, int32_t step, int32_t count,
                                 mve_pred16_t there) {
  for (; count > 0; --count, from += step, to += TN_DEPTHWISE_LANES) {
    vstrbq_s16(to, vldrbq_z_s16(from, there));
  }
  return to;
}

TN_INLINE int8_t* tn_load_padding(int8_t* to, int32_t count, int8_t value) {
  if (count > 0) tn_fill_bytes(to, value, count * TN_DEPTHWISE_LANES);
  return to + count * TN_DEPTHWISE_LANES;
}

/* A row of a group's pixels, or (NULL) padding, into a row of the window. */
TN_HELPER void tn_load_group_row(const tn_conv2d_op* op, const tn_columns* columns, const int8_t* pixels,
                                 int8_t* row, int32_t width, mve_pred16_t there) {
  const int32_t room = width - columns->pad_left;
  const int32_t inside = pixels == NULL ? 0 : columns->in_w < room ? columns->in_w : room;
  row = tn_load_padding(row, columns->pad_left, op->input_zero_point);
  row = tn_load_pixels(row, pixels, op->in_c, inside, there);
  (void)tn_load_padding(row, room - inside, op->input_zero_point);
}

TN_INLINE int16x8_t tn_depthwise_output(int32x4_t even, int32x4_t odd, const tn_depthwise_tables* tables,
                                        int16_t zero_point, int16_t low, int16_t high, int plain) {
  int16x8_t out;
  if (plain) {
    even = tn_requantize_plain_lanes(even, vld1q_s32(tables->multiplier[0]), vld1q_s32(tables->right[0]));
    odd = tn_requantize_plain_lanes(odd, vld1q_s32(tables->multiplier[1]), vld1q_s32(tables->right[1]));
  } else {
    even = tn_requantize_lanes(even, vld1q_s32(tables->multiplier[0]), vld1q_s32(tables->left[0]),
                               vld1q_s32(tables->right[0]));
    odd = tn_requantize_lanes(odd, vld1q_s32(tables->multiplier[1]), vld1q_s32(tables->left[1]),
                              vld1q_s32(tables->right[1]));
  }
  /* Saturated to 16 bits: what is cut off would be clamped anyway. */
  out = vqmovntq_s32(vqmovnbq_s32(vdupq_n_s16(0), even), odd);
  out = vqaddq_n_s16(out, zero_point);
  /* The low byte of a lane is what is stored. */
  if (plain) return vreinterpretq_s16_s8(vqmovnbq_s16(vreinterpretq_s8_s16(out), out));
  return vminq_s16(vmaxq_s16(out, vdupq_n_s16(low)), vdupq_n_s16(high));
}

/* The products of one tap of two outputs. The compiler would spill: four sums, a weight, two pixels and a
 * product are all of the eight registers. */
#define TN_TAP_PRODUCTS(pixel0, pixel1)   \
  "vmullb.s16 q7, " pixel0                \
  ", q4\n\t"                              \
  "vadd.i32 %q[even0], %q[even0], q7\n\t" \
  "vmullt.s16 q7, " pixel0                \
  ", q4\n\t"                              \
  "vadd.i32 %q[odd0], %q[odd0], q7\n\t"   \
  "vmullb.s16 q7, " pixel1                \
  ", q4\n\t"                              \
  "vadd.i32 %q[even1], %q[even1], q7\n\t" \
  "vmullt.s16 q7, " pixel1                \
  ", q4\n\t"                              \
  "vadd.i32 %q[odd1], %q[odd1], q7\n\t"

/* With stride 1 the second output's pixel is the first one's next: `known` is loaded already. */
#define TN_TAP_1(next_at, known, next) \
  "vldrb.s16 q4, [%[weight]], #8\n\t"  \
  "vldrb.s16 " next ", [%[row], #" next_at "]\n\t" TN_TAP_PRODUCTS(known, next)
#define TN_TAP_2(at0, at1)            \
  "vldrb.s16 q4, [%[weight]], #8\n\t" \
  "vldrb.s16 q5, [%[row], #" at0      \
  "]\n\t"                             \
  "vldrb.s16 q6, [%[row], #" at1 "]\n\t" TN_TAP_PRODUCTS("q5", "q6")

#define TN_TAPS_3_1 \
  "vldrb.s16 q5, [%[row]]\n\t" TN_TAP_1("8", "q5", "q6") TN_TAP_1("16", "q6", "q5") TN_TAP_1("24", "q5", "q6")
#define TN_TAPS_5_1 TN_TAPS_3_1 TN_TAP_1("32", "q6", "q5") TN_TAP_1("40", "q5", "q6")
#define TN_TAPS_7_1 TN_TAPS_5_1 TN_TAP_1("48", "q6", "q5") TN_TAP_1("56", "q5", "q6")
#define TN_TAPS_3_2 TN_TAP_2("0", "16") TN_TAP_2("8", "24") TN_TAP_2("16", "32")
#define TN_TAPS_5_2 TN_TAPS_3_2 TN_TAP_2("24", "40") TN_TAP_2("32", "48")
#define TN_TAPS_7_2 TN_TAPS_5_2 TN_TAP_2("40", "56") TN_TAP_2("48", "64")

/* All rows of the kernel. */
#define TN_ADD_TAPS(taps)                                                                                    \
  __asm__ volatile(                                                                                          \
      "dls lr, %[rows]\n\t"                                                                                  \
      "1:\n\t" taps                                                                                          \
      "add %[row], %[row], %[pitch]\n\t"                                                                     \
      "le lr, 1b\n\t"                                                                                        \
      : [row] "+r"(row), [weight] "+r"(weight), [even0] "+w"(even0), [odd0] "+w"(odd0), [even1] "+w"(even1), \
        [odd1] "+w"(odd1)                                                                                    \
      : [pitch] "r"(pitch), [rows] "r"(kernel)                                                               \
      : "memory", "lr", "q4", "q5", "q6", "q7")

/* The whole output, or (`rows`) one row of it. kernel_h = kernel_w = kernel in {3, 5, 7}, stride_h = stride_w
 * = stride in {1, 2}; every window begins inside. */
TN_INLINE void tn_depthwise_mve(const tn_conv2d_op* op, const tn_columns* columns, const int8_t* input,
                                const int8_t* const* rows, int8_t* output, int8_t* scratch, int kernel,
                                int stride, int plain) {
  const int32_t c = op->in_c, out_h = rows != NULL ? 1 : op->out_h, out_w = columns->out_w;
  const int32_t width = tn_depthwise_window_pixels(columns->in_w, kernel, stride);
  const int32_t pitch = width * TN_DEPTHWISE_LANES;
  int8_t* const weights = scratch;
  int8_t* const window = weights + kernel * kernel * TN_DEPTHWISE_LANES;
  const int16_t zero_point = op->output_zero_point, low = op->activation_min, high = op->activation_max;
  int32_t channel, out_y, out_x, y;
  for (channel = 0; channel < c; channel += TN_DEPTHWISE_LANES) {
    const int32_t lanes = c - channel < TN_DEPTHWISE_LANES ? c - channel : TN_DEPTHWISE_LANES;
    const mve_pred16_t there = vctp16q((uint32_t)lanes);
    tn_depthwise_tables tables;
    int8_t* out = output + channel;
    int32_t next = -op->pad_top; /* the input row at the top of the window */
    tn_load_tables(op, channel, lanes, &tables);
    (void)tn_load_pixels(weights, op->weights + channel, c, kernel * kernel, there);
    for (y = 0; y < kernel; ++y) {
      const int8_t* row = tn_window_row(op, input, rows, next, y);
      tn_load_group_row(op, columns, row == NULL ? NULL : row + channel, window + y * pitch, width, there);
    }
    for (out_y = 0; out_y < out_h; ++out_y) {
      const int8_t* pixels = window;
      for (out_x = 0; out_x < out_w; out_x += 2, pixels += 2 * stride * TN_DEPTHWISE_LANES) {
        int32x4_t even0 = vld1q_s32(tables.bias[0]), odd0 = vld1q_s32(tables.bias[1]);
        int32x4_t even1 = even0, odd1 = odd0;
        const int8_t *weight = weights, *row = pixels;
        if (kernel == 3 && stride == 1) {
          TN_ADD_TAPS(TN_TAPS_3_1);
        } else if (kernel == 3) {
          TN_ADD_TAPS(TN_TAPS_3_2);
        } else if (kernel == 5 && stride == 1) {
          TN_ADD_TAPS(TN_TAPS_5_1);
        } else if (kernel == 5) {
          TN_ADD_TAPS(TN_TAPS_5_2);
        } else if (stride == 1) {
          TN_ADD_TAPS(TN_TAPS_7_1);
        } else {
          TN_ADD_TAPS(TN_TAPS_7_2);
        }
        vstrbq_p_s16(out, tn_depthwise_output(even0, odd0, &tables, zero_point, low, high, plain), there);
        out += c;
        if (out_x + 1 < out_w) {
          vstrbq_p_s16(out, tn_depthwise_output(even1, odd1, &tables, zero_point, low, high, plain), there);
          out += c;
        }
      }
      if (out_y + 1 == out_h) break;
      for (y = 0; y < kernel - stride; ++y) {
        tn_copy_bytes(window + y * pitch, window + (y + stride) * pitch, pitch);
      }
      next += stride;
      for (; y < kernel; ++y) {
        const int8_t* row = tn_window_row(op, input, NULL, next, y);
        tn_load_group_row(op, columns, row == NULL ? NULL : row + channel, window + y * pitch, width, there);
      }
    }
  }
}

#endif /* TN_DEPTHWISE_MVE_H */
