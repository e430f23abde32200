#include <catch2/catch.hpp>

#include "base/progress.h"
#include "search/shared_space.h"
#include "synthetic.h"

using namespace tinynas;
using Catch::Matchers::Contains;

namespace {

SpaceOptimisationOptions few_samples() {
  SpaceOptimisationOptions options;
  options.samples = 60;
  return options;
}

Constraint with_macs(int64_t macs) { return {small_space(), 10, limits_of({}, {}, macs)}; }

}  // namespace

TEST_CASE("one board's shared space is its own, and equal boards lose nothing") {
  Progress::set_enabled(false);
  const Constraint constraint = with_macs(600000);
  const SpaceOptimisation alone = optimise_space(constraint, few_samples());
  for (const size_t boards : {1, 3}) {
    const SharedSpace shared = optimise_shared_space(
        std::vector<std::string>(boards, "x"), std::vector<Constraint>(boards, constraint), few_samples());
    CHECK(shared.chosen == alone.chosen);
    CHECK(shared.top == alone.top);
    CHECK(shared.memory_binds == alone.memory_binds);
    CHECK(shared.warning.empty());
    for (const BoardShare& board : shared.boards_in(shared.chosen)) CHECK(board.share() == Approx(1));
  }
}

TEST_CASE("the shared sub-space is the one whose worst-served board keeps most") {
  Progress::set_enabled(false);
  const std::vector<Constraint> constraints = {with_macs(900000), with_macs(2500000)};
  const SharedSpace shared = optimise_shared_space({"small", "large"}, constraints, few_samples());
  const SpaceOptimisation small = optimise_space(constraints[0], few_samples());
  const SpaceOptimisation large = optimise_space(constraints[1], few_samples());
  REQUIRE(small.chosen != large.chosen);
  const auto macs_in = [](const SpaceOptimisation& optimisation, const SubSpace& sub_space) {
    for (const SubSpaceReport& report : optimisation.sub_spaces) {
      if (report.sub_space == sub_space) return report.eligible ? report.mean_macs : 0.0;
    }
    return 0.0;
  };
  // By enumeration of the grid.
  double most = 0;
  for (const SubSpaceReport& report : small.sub_spaces) {
    const double least = std::min(macs_in(small, report.sub_space) / macs_in(small, small.chosen),
                                  macs_in(large, report.sub_space) / macs_in(large, large.chosen));
    most = std::max(most, least);
  }
  REQUIRE(most > 0);
  CHECK(shared.sub_spaces.front().least_share == Approx(most));
  const std::vector<BoardShare>& boards = shared.boards_in(shared.chosen);
  CHECK(std::min(boards[0].share(), boards[1].share()) == Approx(most));
  CHECK(boards[0].board == "small");
  CHECK(boards[0].own == small.chosen);
  CHECK_THROWS_AS(shared.boards_in({0.1, 8}), std::logic_error);
  CHECK(shared.sub_spaces.front().eligible);
  if (most < 0.5) CHECK_THAT(shared.warning, Contains("a search of its own"));
  CHECK(to_json(shared).at("boards")[0].size() == 2);
}

TEST_CASE("boards that no sub-space serves together are refused, by the board where one has nothing at all") {
  Progress::set_enabled(false);
  try {
    optimise_shared_space({"good", "hopeless"}, {with_macs(1500000), with_macs(10)}, few_samples());
    FAIL("something fits");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::kNothingFits);
    CHECK_THAT(error.what(), Contains("board hopeless: nothing fits"));
  }
}

TEST_CASE("training draws from every board's networks equally, and from one board as before") {
  const SubSpace sub_space{1.0, 24};
  const std::vector<Constraint> constraints = {with_macs(900000), with_macs(2500000)};
  Rng one(3), same(3);
  for (int i = 0; i < 20; ++i) {
    CHECK(sample_for_boards({constraints[1]}, sub_space, one) ==
          sample_fitting(constraints[1], sub_space, same));
  }
  Rng rng(3);
  int fit_small = 0, fit_small_alone = 0;
  for (int i = 0; i < 200; ++i) {
    const Architecture drawn = sample_for_boards(constraints, sub_space, rng);
    CHECK(constraints[1].fits(drawn));
    fit_small += constraints[0].fits(drawn);
    fit_small_alone += constraints[0].fits(sample_fitting(constraints[1], sub_space, rng));
  }
  CHECK(fit_small >= 80);  // half of the draws are for the small board
  CHECK(fit_small > fit_small_alone);
}
