#include <catch2/catch.hpp>
#include <cmath>

#include "base/error.h"
#include "base/rng.h"
#include "quantize/fixed_point.h"
#include "reference.h"

using namespace tinynas;
using namespace tinynas::testing;

namespace {
double real_of(FixedMultiplier fixed) { return std::ldexp(fixed.multiplier, fixed.shift - 31); }

// Numbers of every magnitude and the corners of int32.
int32_t any_int32(Rng& rng) {
  switch (rng.below(8)) {
    case 0:
      return INT32_MIN;
    case 1:
      return INT32_MAX;
    case 2:
      return 0;
    default:
      return static_cast<int32_t>(rng.next()) >> rng.below(32);
  }
}
}  // namespace

TEST_CASE("a fixed multiplier is the real one to 2^-31, normalised") {
  Rng rng(1);
  for (int i = 0; i < 20000; ++i) {
    const double real = std::ldexp(1.0 + rng.uniform(), static_cast<int>(rng.below(60)) - 31);
    const FixedMultiplier fixed = to_fixed(real);
    REQUIRE(std::abs(real_of(fixed) - real) <= std::ldexp(real, -31));
    REQUIRE(fixed.multiplier >= 1 << 30);
    REQUIRE(fixed.shift >= -31);
    REQUIRE(fixed.shift <= 30);
  }
}

TEST_CASE("fixed multipliers at the ends of their range") {
  CHECK(to_fixed(1.0) == FixedMultiplier{1 << 30, 1});
  CHECK(to_fixed(0.5) == FixedMultiplier{1 << 30, 0});
  // Rounds up to the next power of two, which must not overflow the mantissa.
  CHECK(to_fixed(std::nextafter(1.0, 0.0)) == FixedMultiplier{1 << 30, 1});
  CHECK(to_fixed(0.0) == FixedMultiplier{0, 0});
  CHECK(to_fixed(std::ldexp(1.0, -32)) == FixedMultiplier{1 << 30, -31});
  CHECK(to_fixed(std::ldexp(0.99, -32)) == FixedMultiplier{0, 0});
  CHECK(to_fixed(5e-324) == FixedMultiplier{0, 0});
  for (const double bad : {-1e-9, std::ldexp(1.0, 30), double{INFINITY}, double{NAN}}) {
    CHECK_THROWS_AS(to_fixed(bad), Error);
  }
}

TEST_CASE("the short forms of gemmlowp's rounding equal gemmlowp's formulas") {
  Rng rng(2);
  for (int i = 0; i < 200000; ++i) {
    const int32_t x = any_int32(rng);
    const auto multiplier = static_cast<int32_t>(rng.next() & INT32_MAX);
    REQUIRE(doubling_high_multiply(x, multiplier) == saturating_rounding_doubling_high_mul(x, multiplier));
    const auto exponent = static_cast<int32_t>(rng.below(32));
    REQUIRE(rounding_divide_by_power_of_two(x, exponent) == rounding_divide_by_pot(x, exponent));
  }
  // Exactly half rounds away from zero in the division.
  CHECK(rounding_divide_by_power_of_two(3, 1) == 2);
  CHECK(rounding_divide_by_power_of_two(-3, 1) == -2);
}

TEST_CASE("rescaling is the real product to within one") {
  Rng rng(3);
  for (int i = 0; i < 50000; ++i) {
    const FixedMultiplier by =
        to_fixed(std::ldexp(1.0 + rng.uniform(), static_cast<int>(rng.below(28)) - 24));
    const auto x = static_cast<int32_t>(rng.next()) >> (6 + rng.below(20));
    REQUIRE(rescale(x, by) == multiply_by_quantized_multiplier(x, by));
    // Two roundings of at most a half each; the first is divided by 2^-shift.
    REQUIRE(std::abs(rescale(x, by) - x * real_of(by)) <= 1.0);
  }
}
