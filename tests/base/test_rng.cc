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
