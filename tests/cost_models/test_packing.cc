#include <algorithm>
#include <catch2/catch.hpp>
#include <numeric>

#include "base/rng.h"
#include "cost_models/packing.h"

using namespace tinynas;

namespace {

int64_t bound_of(const std::vector<Lifetime>& lifetimes) {
  int64_t bound = 0;
  for (int step = 0; step < 200; ++step) {
    int64_t alive = 0;
    for (const Lifetime& l : lifetimes) alive += l.first <= step && step <= l.last ? l.size_at(step) : 0;
    bound = std::max(bound, alive);
  }
  return bound;
}

bool overlap(const Lifetime& a, int64_t a_offset, const Lifetime& b, int64_t b_offset) {
  for (int step = std::max(a.first, b.first); step <= std::min(a.last, b.last); ++step) {
    if (a_offset < b_offset + b.size_at(step) && b_offset < a_offset + a.size_at(step)) return true;
  }
  return false;
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
          if (overlap(lifetimes[i], offset, lifetimes[j], offsets[j])) return false;
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
    if (last > first && rng.chance(0.3)) {  // shrinks
      lifetimes.back().full_until = first + static_cast<int>(rng.below(last - first));
      lifetimes.back().tail_size = 1 + rng.below(lifetimes.back().size);
    }
  }
  return lifetimes;
}

// Every operator reads one tensor and writes the next; some work in place and so keep a buffer longer; some
// have scratch.
std::vector<Lifetime> random_chain(int64_t buffers, Rng& rng) {
  std::vector<Lifetime> lifetimes;
  int step = 0;
  for (int64_t i = 0; i < buffers; ++i) {
    const int last = step + 1 + static_cast<int>(rng.below(3));
    lifetimes.push_back({step, last, 1 + rng.below(1000)});
    for (int s = step; s <= last; ++s) {
      if (s > step && rng.chance(0.3)) lifetimes.push_back({s, s, 1 + rng.below(200)});
    }
    step = last;
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
        REQUIRE_FALSE(overlap(lifetimes[i], packing.offsets[i], lifetimes[j], packing.offsets[j]));
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

TEST_CASE("a chain of operators is packed optimally: at its liveness bound") {
  Rng rng(74);
  for (int round = 0; round < 500; ++round) {
    const std::vector<Lifetime> lifetimes = random_chain(2 + rng.below(40), rng);
    const int64_t bound = bound_of(lifetimes);
    CHECK(pack(lifetimes, bound).height == bound);
  }
}

TEST_CASE("the work of packing a chain grows linearly with its operators") {
  // Comparisons of buffers, not seconds: they are the same on every machine.
  Rng rng(75);
  const auto per_buffer = [&](int64_t buffers) {
    const std::vector<Lifetime> lifetimes = random_chain(buffers, rng);
    int last = 0;
    for (const Lifetime& lifetime : lifetimes) last = std::max(last, lifetime.last);
    int64_t bound = 0;
    std::vector<int64_t> alive(static_cast<size_t>(last) + 1, 0);
    for (const Lifetime& lifetime : lifetimes) {
      for (int step = lifetime.first; step <= lifetime.last; ++step)
        bound = std::max(bound, alive[static_cast<size_t>(step)] += lifetime.size_at(step));
    }
    const Packing packing = pack(lifetimes, bound);
    CHECK(packing.height == bound);
    return static_cast<double>(packing.comparisons) / static_cast<double>(lifetimes.size());
  };
  const double of_short = per_buffer(500);
  CHECK(of_short > 1);
  for (const int64_t buffers : {1000, 2000, 4000, 8000}) {
    CAPTURE(buffers);
    CHECK(per_buffer(buffers) < 1.2 * of_short);
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
