#include "quantize/softmax.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>

#include "quantize/fixed_point.h"

namespace tinynas {
namespace {

constexpr int32_t kLargest = std::numeric_limits<int32_t>::max();  // 1 in Q0

// Qn: an int32 with n integer bits and 31 - n fraction bits. The product of Qa and Qb is Q(a + b).
int32_t product(int32_t a, int32_t b) { return doubling_high_multiply(a, b); }

// gemmlowp's exp_on_negative_values: Q5, at most 0, to Q0. The argument is split into a rest in [-1/4, 0),
// whose exponential is a polynomial around -1/8, and quarters, whose exponentials are constants for each
// power of two.
int32_t exponential(int32_t x) {
  if (x == 0) return kLargest;
  constexpr int32_t kQuarter = 1 << 24;
  constexpr int32_t kExpOfEighth = 1895147668;  // exp(-1/8)
  constexpr int32_t kThird = 715827883;
  constexpr std::array<int32_t, 7> kExpOfPowers{
      1672461947, 1302514674, 790015084, 290630308,
      39332535,   720401,     242};  // exp(-1/4), exp(-1/2), .. exp(-16)
  const int32_t rest = (x & (kQuarter - 1)) - kQuarter;
  const int32_t quarters = rest - x;
  const int32_t a = rest * (1 << 5) + (1 << 28);  // Q5 to Q0, plus 1/8
  const int32_t a2 = product(a, a);
  const int32_t a3 = product(a2, a);
  const int32_t a4 = product(a2, a2);
  const int32_t cubic_and_quartic = product(rounding_divide_by_power_of_two(a4, 2) + a3, kThird);
  const int32_t above_linear = rounding_divide_by_power_of_two(cubic_and_quartic + a2, 1);
  int32_t result = kExpOfEighth + product(kExpOfEighth, a + above_linear);
  for (size_t power = 0; power < kExpOfPowers.size(); ++power) {
    if ((quarters & (kQuarter << power)) != 0) result = product(result, kExpOfPowers[power]);
  }
  return result;
}

// gemmlowp's one_over_one_plus_x_for_x_in_0_1, both Q0: Newton-Raphson on half the denominator.
int32_t reciprocal_of_one_plus(int32_t x) {
  const auto half = static_cast<int32_t>((int64_t{x} + kLargest + 1) / 2);
  int32_t estimate = 1515870810 + product(half, -1010580540);  // Q2: 48/17 - 32/17 * half
  for (int step = 0; step < 3; ++step) {
    const int32_t error = (1 << 29) - product(half, estimate);  // Q2
    estimate += product(estimate, error) * 4;                   // Q4 to Q2
  }
  return estimate >= 1 << 30 ? kLargest : estimate * 2;  // half of Q2 is Q1, to Q0
}

}  // namespace

void softmax_row(const int8_t* from, int channels, FixedMultiplier input, int32_t difference_min,
                 int8_t* to) {
  const int32_t largest = *std::max_element(from, from + channels);
  // A difference is never so small that its shift overflows: difference_min sees to that.
  const auto exponential_of = [&](int32_t difference) {
    return exponential(product(difference * (int32_t{1} << input.shift), input.multiplier));
  };
  uint32_t sum = 0;  // Q12, at least 1
  for (int c = 0; c < channels; ++c) {
    const int32_t difference = from[c] - largest;
    if (difference < difference_min) continue;
    sum += static_cast<uint32_t>(rounding_divide_by_power_of_two(exponential_of(difference), 12));
  }
  // sum = 2^(12 - leading) * (1 + fraction), fraction in Q0
  const int leading = std::countl_zero(sum);
  const auto fraction = static_cast<int32_t>((sum << leading) - (uint32_t{1} << 31));
  const int32_t reciprocal = reciprocal_of_one_plus(fraction);
  const int exponent = 12 - leading + 31 - 8;
  for (int c = 0; c < channels; ++c) {
    const int32_t difference = from[c] - largest;
    int32_t value = -128;
    // Beyond 2^31 a quotient is below one half: TFLite's own function is not defined there (over 512 classes
    // alike).
    if (difference >= difference_min && exponent <= 31) {
      value += rounding_divide_by_power_of_two(product(reciprocal, exponential_of(difference)), exponent);
    }
    to[c] = static_cast<int8_t>(std::clamp(value, -128, 127));
  }
}

}  // namespace tinynas
