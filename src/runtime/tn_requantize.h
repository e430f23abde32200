/*
 * From int32 accumulators to int8 outputs: gemmlowp's and TensorFlow Lite's fixed-point arithmetic with
 * double rounding. Nothing here is undefined behaviour; the one implementation-defined operation is checked
 * at compile time.
 */
#ifndef TN_REQUANTIZE_H
#define TN_REQUANTIZE_H

#include <stdint.h>

#include "tn_kernels.h"

/* Right shifts of negative numbers must keep the sign, as every compiler for our targets documents. */
typedef char tn_requires_arithmetic_right_shift[((-1) >> 1) == -1 && ((int64_t)-1 >> 1) == -1 ? 1 : -1];

/*
 * gemmlowp's SaturatingRoundingDoublingHighMul for b >= 0, which cannot saturate: round(a * b / 2^31), halves
 * up. Its truncating division after a signed nudge is exactly this floor.
 */
static inline int32_t tn_doubling_high_multiply(int32_t a, int32_t b) {
  return (int32_t)(((int64_t)a * b + ((int64_t)1 << 30)) >> 31);
}

/* round(x / 2^exponent), halves away from zero; exponent in [0, 31]. */
static inline int32_t tn_rounding_divide_by_pot(int32_t x, int32_t exponent) {
  const int32_t mask = (int32_t)(((uint32_t)1 << exponent) - 1u);
  const int32_t remainder = x & mask;
  const int32_t threshold = (mask >> 1) + (x < 0 ? 1 : 0);
  return (x >> exponent) + (remainder > threshold ? 1 : 0);
}

/*
 * x * multiplier * 2^(shift - 31), shift in [-31, 30]. A left shift is taken modulo 2^32, which is what
 * TensorFlow Lite's x * (1 << shift) does on every machine; a quantised network never gets there.
 */
static inline int32_t tn_requantize(int32_t x, int32_t multiplier, int32_t shift) {
  const int32_t left = shift > 0 ? shift : 0;
  const int32_t right = shift > 0 ? 0 : -shift;
  const int32_t shifted = (int32_t)((uint32_t)x << left);
  return tn_rounding_divide_by_pot(tn_doubling_high_multiply(shifted, multiplier), right);
}

static inline int32_t tn_clamp(int32_t x, int32_t low, int32_t high) {
  return x < low ? low : (x > high ? high : x);
}

/* Channel `channel` of a convolution: from its accumulator to the output. */
static inline int32_t tn_output(const tn_conv2d_op* op, int32_t channel, int32_t acc) {
  const int32_t scaled = tn_requantize(acc, op->multipliers[channel], op->shifts[channel]);
  return tn_clamp(scaled + op->output_zero_point, op->activation_min, op->activation_max);
}

#endif /* TN_REQUANTIZE_H */
