#include <catch2/catch.hpp>
#include <set>

#include "base/rng.h"

using namespace tinynas;

TEST_CASE("a seed fixes the stream, on every compiler") {
  Rng rng(1);
  CHECK(rng.next() == 12966619160104079557ULL);
  CHECK(rng.next() == 9600361134598540522ULL);
  CHECK(rng.next() == 10590380919521690900ULL);
}

TEST_CASE("a fork depends on seed and tag, not on what was drawn before") {
  Rng a(7);
  Rng b(7);
  for (int i = 0; i < 100; ++i) b.next();
  CHECK(a.fork("train").next() == b.fork("train").next());
  std::set<uint64_t> first;
  for (uint64_t tag = 0; tag < 1000; ++tag) first.insert(a.fork(tag).next());
  CHECK(first.size() == 1000);
}

TEST_CASE("draws are in range and roughly uniform") {
  Rng rng(3);
  int counts[7] = {};
  for (int i = 0; i < 70000; ++i) {
    const int64_t draw = rng.below(7);
    REQUIRE(draw >= 0);
    REQUIRE(draw < 7);
    ++counts[draw];
  }
  for (const int count : counts) {
    CHECK(count > 9500);
    CHECK(count < 10500);
  }
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < 100000; ++i) {
    const double x = rng.normal();
    sum += x;
    squares += x * x;
  }
  CHECK(std::abs(sum / 100000) < 0.02);
  CHECK(std::abs(squares / 100000 - 1) < 0.03);
}

TEST_CASE("below takes the first draw under the largest multiple of n, modulo n") {
  // The definition, with its two divisions; the ranges reject from one draw in 2^64 to nearly every second
  // one.
  const auto defined = [](Rng& rng, uint64_t n) {
    const uint64_t limit = UINT64_MAX - UINT64_MAX % n;
    uint64_t draw = rng.next();
    while (draw >= limit) draw = rng.next();
    return static_cast<int64_t>(draw % n);
  };
  Rng ranges(5);
  for (int round = 0; round < 2000; ++round) {
    const auto n = static_cast<int64_t>(1 + (ranges.next() >> (1 + ranges.below(63))));
    Rng a(static_cast<uint64_t>(round));
    Rng b = a;
    for (int i = 0; i < 20; ++i) CHECK(a.below(n) == defined(b, static_cast<uint64_t>(n)));
    CHECK(a.next() == b.next());
  }
}
