#include <catch2/catch.hpp>

#include "base/rng.h"
#include "plain_arithmetic.h"
#include "runtime/tn_requantize.h"

using namespace tinynas;

namespace {
int32_t any_int32(Rng& rng) { return static_cast<int32_t>(static_cast<uint32_t>(rng.next())); }

// Extremes, values near powers of two, and uniform ones.
int32_t interesting(Rng& rng) {
  switch (rng.below(4)) {
    case 0:
      return any_int32(rng);
    case 1:
      return static_cast<int32_t>(rng.below(2001) - 1000);
    case 2: {
      const int64_t power = (int64_t{1} << rng.below(31)) + rng.below(3) - 1;
      return static_cast<int32_t>(rng.chance(0.5) ? power : -power);
    }
    default:
      return rng.chance(0.5) ? INT32_MAX : INT32_MIN;
  }
}
}  // namespace

TEST_CASE("doubling high multiply is gemmlowp's for every non-negative multiplier") {
  Rng rng(1);
  for (int i = 0; i < 200000; ++i) {
    const int32_t a = interesting(rng);
    const int32_t b = interesting(rng) & INT32_MAX;
    CAPTURE(a, b);
    REQUIRE(tn_doubling_high_multiply(a, b) == plain::saturating_rounding_doubling_high_mul(a, b));
  }
}

TEST_CASE("dividing by a power of two rounds to nearest, halves away from zero") {
  CHECK(tn_rounding_divide_by_pot(5, 1) == 3);
  CHECK(tn_rounding_divide_by_pot(-5, 1) == -3);
  CHECK(tn_rounding_divide_by_pot(-6, 2) == -2);
  Rng rng(2);
  for (int i = 0; i < 200000; ++i) {
    const int32_t x = interesting(rng);
    const int exponent = static_cast<int>(rng.below(32));
    CAPTURE(x, exponent);
    REQUIRE(tn_rounding_divide_by_pot(x, exponent) ==
            plain::rounding_divide(x, plain::power_of_two(exponent)));
  }
}

TEST_CASE("requantisation rounds twice, as TensorFlow Lite Micro does") {
  Rng rng(3);
  int differs_from_single_rounding = 0;
  for (int i = 0; i < 200000; ++i) {
    const auto multiplier = static_cast<int32_t>((int64_t{1} << 30) + rng.below(int64_t{1} << 30));
    const auto shift = static_cast<int32_t>(rng.below(36) - 31);
    const auto x = static_cast<int32_t>(any_int32(rng) >> (shift > 0 ? shift + 1 : 0));
    CAPTURE(x, multiplier, shift);
    const int32_t got = tn_requantize(x, multiplier, shift);
    REQUIRE(got == plain::multiply_by_quantized_multiplier(x, multiplier, shift));
    const double exact = static_cast<double>(x) * multiplier * std::ldexp(1.0, shift - 31);
    REQUIRE(std::abs(got - exact) <= 1.0);
    differs_from_single_rounding += got != static_cast<int32_t>(std::llround(exact));
  }
  CHECK(differs_from_single_rounding > 0);  // otherwise this test would not tell the variants apart
}

TEST_CASE("the widest shifts are defined") {
  CHECK(tn_requantize(INT32_MAX, INT32_MAX, -31) == 1);
  CHECK(tn_requantize(INT32_MIN, INT32_MAX, -31) == -1);
  CHECK(tn_requantize(1, 1 << 30, 30) == 1 << 29);
  CHECK(tn_requantize(INT32_MAX, 0, 0) == 0);
  CHECK(tn_requantize(INT32_MIN, 1 << 30, 30) == 0);  // modulo 2^32
}
