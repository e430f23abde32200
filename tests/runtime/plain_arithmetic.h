// The fixed-point arithmetic as gemmlowp's fixedpoint.h and TensorFlow Lite's common.h write it, with wide
// integers and divisions in place of shifts: slow, and derived from other text than the kernels.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

namespace plain {

inline int64_t power_of_two(int exponent) { return int64_t{1} << exponent; }

inline int32_t saturating_rounding_doubling_high_mul(int32_t a, int32_t b) {
  if (a == b && a == std::numeric_limits<int32_t>::min()) return std::numeric_limits<int32_t>::max();
  const int64_t product = int64_t{a} * b;
  const int64_t nudge = product >= 0 ? power_of_two(30) : 1 - power_of_two(30);
  return static_cast<int32_t>((product + nudge) / power_of_two(31));
}

// Nearest, halves away from zero.
inline int64_t rounding_divide(int64_t x, int64_t divisor) {
  const int64_t magnitude = (std::llabs(x) * 2 + divisor) / (2 * divisor);
  return x < 0 ? -magnitude : magnitude;
}

inline int32_t multiply_by_quantized_multiplier(int32_t x, int32_t multiplier, int shift) {
  const int64_t left = int64_t{x} * power_of_two(shift > 0 ? shift : 0);
  const int32_t high = saturating_rounding_doubling_high_mul(static_cast<int32_t>(left), multiplier);
  return static_cast<int32_t>(rounding_divide(high, power_of_two(shift > 0 ? 0 : -shift)));
}

inline int8_t clamp(int64_t x, int low, int high) {
  return static_cast<int8_t>(x < low ? low : x > high ? high : x);
}

}  // namespace plain
