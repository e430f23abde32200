#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>

#include "../space/random_space.h"
#include "base/interrupt.h"
#include "base/progress.h"
#include "graph/lower.h"
#include "search/space_samples.h"
#include "synthetic.h"

using namespace tinynas;
using namespace tinynas::testing;
using Catch::Matchers::Contains;

namespace {

SpaceSamples samples_of(const SearchSpace& space, int samples, int threads = 1, uint64_t seed = 1) {
  Progress::set_enabled(false);
  return draw_samples(Constraint(space, 10, {}), {samples, threads, seed});
}

const SubSpaceSamples& part(const SpaceSamples& samples, const SubSpace& sub_space) {
  for (const SubSpaceSamples& candidate : samples.sub_spaces) {
    if (candidate.sub_space == sub_space) return candidate;
  }
  throw std::logic_error("no such sub-space");
}

}  // namespace

TEST_CASE(
    "the table holds every sub-space with as many samples as asked for, sorted, none below the smallest") {
  Rng rng(71);
  for (int round = 0; round < 6; ++round) {
    const SearchSpace space = random_any_space(rng);
    const SpaceSamples samples = samples_of(space, 77);
    REQUIRE(samples.sub_spaces.size() == space.widths.size() * space.resolutions.size());
    for (const SubSpaceSamples& sub_space : samples.sub_spaces) {
      REQUIRE(sub_space.rows.size() == 77);
      const Graph largest_graph = lower(space, largest(space, sub_space.sub_space), 10);
      for (size_t i = 0; i < sub_space.rows.size(); ++i) {
        const CostRow& row = sub_space.rows[i];
        REQUIRE(row.macs >= sub_space.smallest.macs);
        REQUIRE(row.params >= sub_space.smallest.params);
        REQUIRE(row.macs <= macs(largest_graph));
        REQUIRE(row.params <= params(largest_graph));
        REQUIRE((i == 0 || sub_space.rows[i - 1].macs <= row.macs));
      }
    }
  }
}

TEST_CASE("the table does not depend on threads, nor a sub-space's samples on the rest of the grid") {
  const SearchSpace space = small_space();
  const SpaceSamples one = samples_of(space, 123, 1);
  const SpaceSamples three = samples_of(space, 123, 3);
  SearchSpace narrow = space;
  narrow.widths = {1.0};
  narrow.resolutions = {24};
  const SpaceSamples alone = samples_of(narrow, 123, 2);
  for (size_t i = 0; i < one.sub_spaces.size(); ++i) {
    CHECK(one.sub_spaces[i].rows == three.sub_spaces[i].rows);
  }
  CHECK(part(alone, {1.0, 24}).rows == part(one, {1.0, 24}).rows);
  CHECK(part(samples_of(space, 123, 1, 2), {1.0, 24}).rows != part(one, {1.0, 24}).rows);
}

TEST_CASE("widths that round to the same channels are drawn once and have the same samples") {
  // Counts what is asked of the cost model.
  class Counting final : public Constraint {
   public:
    using Constraint::Constraint;
    CostReport costs(const Architecture& architecture) const override {
      ++asked;
      return Constraint::costs(architecture);
    }
    mutable std::atomic<int> asked{0};
  };
  Progress::set_enabled(false);
  SearchSpace space = small_space();
  space.widths = {1.0, 1.01, 1.5};
  space.resolutions = {16, 32};
  const Counting constraint(space, 10, {});
  const SpaceSamples samples = draw_samples(constraint, {60, 2, 1});
  // Two networks of each of six sub-spaces bound the grid; four hold different networks.
  CHECK(constraint.asked == 6 * 2 + 4 * 60);
  CHECK(part(samples, {1.01, 32}).rows == part(samples, {1.0, 32}).rows);
  CHECK(samples.sub_spaces[part(samples, {1.01, 32}).same_as].sub_space == SubSpace{1.0, 32});
  CHECK(samples.sub_spaces[part(samples, {1.5, 32}).same_as].sub_space == SubSpace{1.5, 32});
  CHECK(part(samples, {1.5, 32}).rows != part(samples, {1.0, 32}).rows);
}

TEST_CASE("a limit is exceeded by the totals exactly when the cost models say so") {
  Rng rng(72);
  const auto maybe = [&](auto value) { return rng.chance(0.7) ? std::optional(value) : std::nullopt; };
  for (int round = 0; round < 2000; ++round) {
    // Small integers, so that equality with a limit occurs.
    const auto small = [&] { return 1 + rng.below(4); };
    CostReport report;
    report.macs = small();
    report.sram.arena_bytes = small();
    report.sram.reserve_bytes = small();
    report.flash.weights_bytes = small();
    report.flash.code_bytes = small();
    report.latency_ms = static_cast<double>(small());
    report.energy_mj = static_cast<double>(small());
    const Limits limits{maybe(2 * small()), maybe(2 * small()), maybe(small()),
                        maybe(static_cast<double>(small())), maybe(static_cast<double>(small()))};
    const unsigned bits = exceeded(cost_row(report), limits);
    unsigned expected = 0;
    for (const Violation& violation : violations(report, limits)) {
      const auto found = std::find(kLimitNames.begin(), kLimitNames.end(), violation.limit);
      REQUIRE(found != kLimitNames.end());
      expected |= 1u << (found - kLimitNames.begin());
    }
    REQUIRE(bits == expected);
    REQUIRE(violations(cost_row(report), limits).size() == violations(report, limits).size());
  }
  CostRow without_board;
  Limits latency;
  latency.latency_ms = 1.0;
  CHECK_THROWS_AS(exceeded(without_board, latency), Error);
}

TEST_CASE("drawing refuses what cannot be drawn, and says which sub-space is too large") {
  CHECK_THROWS_WITH(samples_of(small_space(), 0), Contains("samples: got 0"));
  CHECK_THROWS_WITH(samples_of(small_space(), 1, -1), Contains("threads: got -1"));
  CHECK_THROWS_WITH(samples_of(small_space(), 50'000'000), Contains("50000000 samples in 9 sub-spaces"));
  SearchSpace huge = small_space();
  huge.resolutions = {32, 2048};
  huge.stem.channels = 1024;
  CHECK_THROWS_WITH(samples_of(huge, 5), Contains("sub-space w0.50-r2048"));
}

TEST_CASE("drawing stops on Ctrl-C") {
  set_interrupted(true);
  try {
    samples_of(small_space(), 10);
    FAIL("went on");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::kInterrupted);
  }
  set_interrupted(false);
}
