#include <algorithm>
#include <catch2/catch.hpp>
#include <numeric>

#include "base/rng.h"
#include "cost_models/packing.h"

using namespace tinynas;

namespace {

int64_t bound_of(const std::vector<Lifetime>& lifetimes) {
  int64_t bound = 0;
  for (int step = 0; step < 100; ++step) {
    int64_t alive = 0;
    for (const Lifetime& l : lifetimes) alive += l.first <= step && step <= l.last ? l.size : 0;
    bound = std::max(bound, alive);
  }
  return bound;
}

// The optimum, by first fit in every order.
int64_t optimum(const std::vector<Lifetime>& lifetimes) {
  std::vector<size_t> order(lifetimes.size());
  std::iota(order.begin(), order.end(), 0);
  int64_t best = INT64_MAX;
  do {
    std::vector<int64_t> offsets(lifetimes.size(), -1);
    int64_t height = 0;
    for (const size_t i : order) {
      const auto free_at = [&](int64_t offset) {
        for (size_t j = 0; j < lifetimes.size(); ++j) {
          if (offsets[j] < 0 || lifetimes[j].first > lifetimes[i].last ||
              lifetimes[i].first > lifetimes[j].last)
            continue;
          if (offset < offsets[j] + lifetimes[j].size && offsets[j] < offset + lifetimes[i].size)
            return false;
        }
        return true;
      };
      int64_t offset = 0;
      while (!free_at(offset)) ++offset;
      offsets[i] = offset;
      height = std::max(height, offset + lifetimes[i].size);
    }
    best = std::min(best, height);
  } while (std::next_permutation(order.begin(), order.end()));
  return best;
}

std::vector<Lifetime> random_lifetimes(int64_t count, int64_t steps, int64_t max_size, Rng& rng) {
  std::vector<Lifetime> lifetimes;
  for (int64_t i = 0; i < count; ++i) {
    const int first = static_cast<int>(rng.below(steps));
    const int last = std::min(static_cast<int>(steps) - 1, first + static_cast<int>(rng.below(4)));
    lifetimes.push_back({first, last, 1 + rng.below(max_size)});
  }
  return lifetimes;
}

}  // namespace

TEST_CASE("buffers alive together never overlap, whatever their number") {
  Rng rng(71);
  for (int round = 0; round < 300; ++round) {
    const auto lifetimes = random_lifetimes(1 + rng.below(60), 30, 1000, rng);
    const Packing packing = pack(lifetimes, bound_of(lifetimes));
    int64_t height = 0;
    for (size_t i = 0; i < lifetimes.size(); ++i) {
      REQUIRE(packing.offsets[i] >= 0);
      height = std::max(height, packing.offsets[i] + lifetimes[i].size);
      for (size_t j = 0; j < i; ++j) {
        if (lifetimes[i].first > lifetimes[j].last || lifetimes[j].first > lifetimes[i].last) continue;
        const bool disjoint = packing.offsets[i] + lifetimes[i].size <= packing.offsets[j] ||
                              packing.offsets[j] + lifetimes[j].size <= packing.offsets[i];
        REQUIRE(disjoint);
      }
    }
    CHECK(packing.height == height);
    CHECK(packing.height >= bound_of(lifetimes));
  }
}

TEST_CASE("small packings are optimal") {
  Rng rng(72);
  for (int round = 0; round < 150; ++round) {
    const auto lifetimes = random_lifetimes(7, 5, 9, rng);
    CHECK(pack(lifetimes, bound_of(lifetimes)).height == optimum(lifetimes));
  }
}

TEST_CASE("packing depends on its arguments alone") {
  Rng rng(73);
  for (int round = 0; round < 20; ++round) {
    const auto lifetimes = random_lifetimes(50, 20, 1000, rng);
    CHECK(pack(lifetimes, bound_of(lifetimes)).offsets == pack(lifetimes, bound_of(lifetimes)).offsets);
  }
  CHECK(pack({}, 0).height == 0);
}
