// Requantisation: a 32-bit value times a Q31 multiplier, with the double rounding of TFLite Micro (gemmlowp).
#pragma once

#include <cstdint>

#include "quantize/int8_model.h"

namespace tinynas {

// round(a * b / 2^31), ties towards +infinity: gemmlowp's saturating rounding doubling high multiply. Its one
// saturating case (both INT32_MIN) cannot come up, because no constant and no multiplier is INT32_MIN.
// gemmlowp nudges by the product's sign and truncates towards zero, which is the same number.
inline int32_t doubling_high_multiply(int32_t a, int32_t b) {
  return static_cast<int32_t>((int64_t{a} * b + (int64_t{1} << 30)) >> 31);
}

// round(x / 2^exponent), ties away from zero; exponent in [0, 31].
inline int32_t rounding_divide_by_power_of_two(int32_t x, int32_t exponent) {
  if (exponent == 0) return x;
  const int64_t half = int64_t{1} << (exponent - 1);
  return static_cast<int32_t>((x + half - (x < 0 ? 1 : 0)) >> exponent);
}

// TFLite's MultiplyByQuantizedMultiplier, double rounding. Int8Model::check() rules out that the left shift
// overflows.
inline int32_t rescale(int32_t x, FixedMultiplier by) {
  const int32_t left = by.shift > 0 ? by.shift : 0;
  const int32_t right = by.shift > 0 ? 0 : -by.shift;
  return rounding_divide_by_power_of_two(doubling_high_multiply(x * (int32_t{1} << left), by.multiplier),
                                         right);
}

// round(x / n), halves away from zero; n > 0.
inline int32_t rounded_quotient(int32_t x, int32_t n) { return x > 0 ? (x + n / 2) / n : (x - n / 2) / n; }

// MEAN over n values: the sum rescaled, then divided half away from zero (TFLite's
// reference_integer_ops::Mean).
inline int32_t rescaled_mean(int32_t sum, int32_t n, FixedMultiplier by) {
  return rounded_quotient(rescale(sum, by), n);
}

}  // namespace tinynas
