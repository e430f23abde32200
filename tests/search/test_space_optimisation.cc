#include <catch2/catch.hpp>
#include <cmath>

#include "base/interrupt.h"
#include "base/progress.h"
#include "base/units.h"
#include "search/space_optimisation.h"
#include "synthetic.h"

using namespace tinynas;
using Catch::Matchers::Contains;

namespace {

SpaceOptimisation optimise(const Limits& limits, int threads = 1, SearchSpace space = small_space()) {
  Progress::set_enabled(false);
  SpaceOptimisationOptions options;
  options.samples = 60;
  options.threads = threads;
  return optimise_space(Constraint(std::move(space), 10, limits), options);
}

const SubSpaceReport& report_of(const SpaceOptimisation& result, const SubSpace& sub_space) {
  for (const SubSpaceReport& report : result.sub_spaces) {
    if (report.sub_space == sub_space) return report;
  }
  throw std::logic_error("no such sub-space");
}

}  // namespace

TEST_CASE("the chosen sub-space has the largest mean FLOPs among those in which enough networks fit") {
  Rng rng(1);
  for (int round = 0; round < 12; ++round) {
    const Limits limits =
        limits_of(12000 + rng.below(60000), 60000 + rng.below(200000), 500000 + rng.below(4000000));
    const SpaceOptimisation result = optimise(limits);
    REQUIRE(result.sub_spaces.size() == 9);
    CHECK(result.chosen == result.sub_spaces.front().sub_space);
    CHECK(result.chosen == result.top.front());
    const SubSpaceReport& chosen = report_of(result, result.chosen);
    for (const SubSpaceReport& report : result.sub_spaces) {
      CHECK(report.sampled == 60);
      CHECK(report.eligible == (report.fitting > 0 && report.fraction() >= 0.1));
      if (report.eligible) {
        CHECK(chosen.eligible);
        CHECK(report.mean_flops() <= chosen.mean_flops());
      }
      REQUIRE(report.macs_cdf.size() == (report.fitting > 0 ? 21 : 0));
      if (report.fitting > 0) {
        CHECK(std::is_sorted(report.macs_cdf.begin(), report.macs_cdf.end()));
        CHECK(report.macs_cdf[10] == report.p50_macs);
        CHECK(report.macs_cdf[16] == report.p80_macs);
        CHECK(report.macs_cdf.back() == report.max_macs);
        CHECK(report.macs_cdf.back() <= *limits.macs);
        CHECK(report.mean_macs >= static_cast<double>(report.macs_cdf.front()));
        CHECK(report.mean_macs <= static_cast<double>(report.macs_cdf.back()));
        CHECK(report.smallest_fits);
      }
      int rejections = 0;
      for (const auto& [limit, count] : report.violations) rejections += count;
      CHECK(rejections >= report.sampled - report.fitting);
      CHECK((report.binding_limit == "none") == (rejections == 0));
    }
  }
}

TEST_CASE("the runner-up is the best that holds other networks, and says by how much it lost") {
  Rng rng(2);
  int found = 0;
  for (int round = 0; round < 12; ++round) {
    SearchSpace space = small_space();
    space.widths = {0.5, 1.0, 1.01, 1.5};  // 1.0 and 1.01 make the same networks
    const Limits limits = limits_of(12000 + rng.below(60000), 60000 + rng.below(200000), {});
    const SpaceOptimisation result = optimise(limits, 1, space);
    const SubSpaceReport& chosen = report_of(result, result.chosen);
    const auto same = [](double width) { return width == 1.01 ? 1.0 : width; };
    if (!result.runner_up) continue;
    ++found;
    const RunnerUp& second = *result.runner_up;
    CHECK((second.sub_space.resolution != result.chosen.resolution ||
           same(second.sub_space.width) != same(result.chosen.width)));
    CHECK(second.mean_macs == report_of(result, second.sub_space).mean_macs);
    CHECK(second.behind == Approx(1 - second.mean_macs / chosen.mean_macs));
    CHECK(second.behind_error > 0);
    if (!second.eligible || !chosen.eligible) continue;
    CHECK(second.behind >= 0);
    // No other eligible sub-space of other networks lies between.
    for (const SubSpaceReport& report : result.sub_spaces) {
      const bool like_chosen = report.sub_space.resolution == result.chosen.resolution &&
                               same(report.sub_space.width) == same(result.chosen.width);
      if (report.eligible && !like_chosen) CHECK(report.mean_macs <= second.mean_macs);
    }
  }
  CHECK(found > 6);
}

TEST_CASE("the standard error of the mean is what other seeds move it by") {
  Progress::set_enabled(false);
  SearchSpace space = small_space();
  space.widths = {1.0};
  space.resolutions = {32};
  std::vector<double> means;
  double error = 0;
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    const SpaceSamples samples = draw_samples(Constraint(space, 10, {}), {50, 1, seed});
    const SubSpaceReport report = rank_sub_spaces(samples, {}, {}).front();
    means.push_back(report.mean_macs);
    error += report.mean_macs_error / 100;
  }
  double mean = 0;
  for (const double m : means) mean += m / 100;
  double squares = 0;
  for (const double m : means) squares += (m - mean) * (m - mean);
  // The deviation of 100 means is known to 7 %.
  CHECK(std::sqrt(squares / 99) == Approx(error).epsilon(0.25));
}

TEST_CASE("a matrix of limits holds what each pair of limits alone chooses, from one table") {
  Progress::set_enabled(false);
  const SearchSpace space = small_space();
  const SpaceSamples samples = draw_samples(Constraint(space, 10, {}), {60, 2, 1});
  const std::vector<int64_t> sram{4096, 20000, 60000}, flash{30000, 120000};
  const ChoiceMatrix matrix = choice_matrix(samples, sram, flash, {});
  int fits = 0;
  for (size_t i = 0; i < sram.size(); ++i) {
    for (size_t j = 0; j < flash.size(); ++j) {
      const Limits limits = limits_of(sram[i], flash[j], {});
      if (!matrix.cells[i][j]) {
        CHECK_THROWS_AS(optimise(limits), Error);
        continue;
      }
      ++fits;
      const SpaceOptimisation alone = optimise(limits);
      CHECK(matrix.cells[i][j]->chosen == alone.chosen);
      CHECK(matrix.cells[i][j]->mean_macs == report_of(alone, alone.chosen).mean_macs);
      CHECK(matrix.cells[i][j]->eligible == report_of(alone, alone.chosen).eligible);
    }
  }
  CHECK(fits == 4);
  CHECK(to_json(matrix).at("cells").at(0).at(0).is_null());
  CHECK(to_json(matrix).at("cells").at(2).at(1).at("width") == matrix.cells[2][1]->chosen.width);
}

TEST_CASE("a tighter limit never lets more networks fit") {
  for (const bool sram : {true, false}) {
    std::optional<SpaceOptimisation> looser;
    for (const int64_t limit : {4000000, 400000, 90000, 60000, 40000}) {
      const SpaceOptimisation result = optimise(sram ? limits_of(limit, {}, {}) : limits_of({}, limit, {}));
      for (const SubSpaceReport& report : result.sub_spaces) {
        if (looser) CHECK(report.fitting <= report_of(*looser, report.sub_space).fitting);
      }
      looser = result;
    }
  }
}

TEST_CASE("space optimisation does not depend on threads, nor a sub-space's report on the rest of the grid") {
  const Limits limits = limits_of(30000, 120000, {});
  const SpaceOptimisation result = optimise(limits);
  CHECK(to_json(result) == to_json(optimise(limits, 2)));
  SearchSpace narrow = small_space();
  narrow.widths = {1.0};
  narrow.resolutions = {16, 24};
  const SpaceOptimisation part = optimise(limits, 2, narrow);
  for (const SubSpaceReport& report : part.sub_spaces) {
    CHECK(report.fitting == report_of(result, report.sub_space).fitting);
    CHECK(report.macs_cdf == report_of(result, report.sub_space).macs_cdf);
  }
}

TEST_CASE("where memory rejects nothing a warning proposes the three largest") {
  const SpaceOptimisation result = optimise(limits_of(1 << 24, 1 << 24, {}));
  CHECK_FALSE(result.memory_binds);
  CHECK(result.chosen == SubSpace{1.5, 32});
  CHECK(result.top.size() == 3);
  CHECK_THAT(result.warning, Contains("w1.50-r32") && Contains("it is: none"));

  const SpaceOptimisation capped = optimise(limits_of(1 << 24, 1 << 24, 1500000));
  CHECK_FALSE(capped.memory_binds);
  CHECK(report_of(capped, {1.5, 32}).binding_limit == "macs");
  CHECK_THAT(capped.warning, Contains("it is: macs"));

  const SpaceOptimisation bound = optimise(limits_of(30000, {}, {}));
  CHECK(bound.memory_binds);
  CHECK(bound.warning.empty());
  CHECK(report_of(bound, {1.5, 32}).binding_limit == "sram");
}

TEST_CASE("widths that round to the same channels stand once among the top three") {
  SearchSpace space = small_space();
  space.widths = {1.0, 1.01, 1.5};
  space.resolutions = {32};
  const SpaceOptimisation result = optimise({}, 1, space);
  CHECK(result.sub_spaces.size() == 3);
  CHECK(result.top.size() == 2);
}

TEST_CASE("a sub-space in which next to nothing fits is not chosen for its few large survivors") {
  // An artificial cost model: everything fits at R = 16 and one network in fifty at R = 32.
  class Lottery final : public Constraint {
   public:
    using Constraint::Constraint;
    CostReport costs(const Architecture& architecture) const override {
      CostReport report = Constraint::costs(architecture);
      const bool lucky = std::hash<std::string>{}(encode(architecture)) % 50 == 0;
      report.sram.arena_bytes = architecture.sub_space.resolution == 16 || lucky ? 1000 : 1000000;
      return report;
    }
  };
  SearchSpace space = small_space();
  space.widths = {1.0};
  space.resolutions = {16, 32};
  SpaceOptimisationOptions options;
  options.samples = 400;
  const Lottery constraint(space, 10, limits_of(500000, {}, {}));
  const SpaceOptimisation result = optimise_space(constraint, options);
  CHECK(report_of(result, {1.0, 32}).fitting > 0);
  CHECK(report_of(result, {1.0, 32}).mean_macs > report_of(result, {1.0, 16}).mean_macs);
  CHECK(result.chosen == SubSpace{1.0, 16});
  options.min_fit_fraction = 0;
  CHECK(optimise_space(constraint, options).chosen == SubSpace{1.0, 32});
}

TEST_CASE("when only the smallest network of the grid fits, its sub-space is chosen with a warning") {
  const SearchSpace space = small_space();
  const CostReport least = Constraint(space, 10, {}).costs(smallest(space, {0.5, 16}));
  const SpaceOptimisation result = optimise(limits_of({}, {}, least.macs));
  CHECK(result.chosen == SubSpace{0.5, 16});
  CHECK_THAT(result.warning, Contains("tight"));
  CHECK_THROWS_AS(optimise(limits_of({}, {}, least.macs - 1)), Error);
}

TEST_CASE("4k of SRAM: nothing fits, and the error says what is missing") {
  try {
    optimise(limits_of(4096, 1 << 20, {}));
    FAIL("something fits");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::kNothingFits);
    const Constraint constraint(small_space(), 10, limits_of(4096, 1 << 20, {}));
    const Architecture least = smallest(constraint.space(), {0.5, 16});
    const CostReport needs = constraint.costs(least);
    CHECK_THAT(error.what(), Contains("w0.50-r16") &&
                                 Contains(format_bytes(needs.sram.total_bytes()) + " SRAM") &&
                                 Contains(describe(constraint.violations(least).at(0))));
  }
}

TEST_CASE("space optimisation refuses options out of range and stops on Ctrl-C") {
  const Constraint constraint(small_space(), 10, {});
  SpaceOptimisationOptions options;
  options.samples = 0;
  CHECK_THROWS_WITH(optimise_space(constraint, options), Contains("samples"));
  options = {};
  options.min_fit_fraction = 1.5;
  CHECK_THROWS_WITH(optimise_space(constraint, options), Contains("min_fit_fraction"));
  set_interrupted(true);
  try {
    optimise_space(constraint, {});
    FAIL("went on");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::kInterrupted);
  }
  set_interrupted(false);
}
