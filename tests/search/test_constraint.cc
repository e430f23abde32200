#include <catch2/catch.hpp>

#include "base/units.h"
#include "graph/lower.h"
#include "search/baselines.h"
#include "synthetic.h"

using namespace tinynas;
using Catch::Matchers::Contains;

TEST_CASE("a constraint says of an architecture what the cost models say of its graph") {
  const SearchSpace space = small_space();
  const Constraint constraint(space, 10, limits_of(40000, 100000, 800000));
  Rng rng(1);
  int fitting = 0;
  for (int i = 0; i < 100; ++i) {
    const Architecture architecture = sample(space, {0.5, 24}, rng);
    const CostReport costs = constraint.costs(architecture);
    CHECK(costs.macs == macs(lower(space, architecture, 10)));
    CHECK(costs.operators.empty());
    const bool fits =
        costs.sram.total_bytes() <= 40000 && costs.flash.total_bytes() <= 100000 && costs.macs <= 800000;
    CHECK(constraint.fits(architecture) == fits);
    fitting += fits;
  }
  CHECK(fitting > 0);
  CHECK(fitting < 100);
}

TEST_CASE("the cost key changes with everything that costs depend on, and not with the limits") {
  const SearchSpace space = small_space();
  const std::string key = Constraint(space, 10, {}).key();
  CHECK(Constraint(space, 10, limits_of(1000, {}, {})).key() == key);
  CHECK(Constraint(space, 11, {}).key() != key);
  CHECK(Constraint(tiny_space(), 10, {}).key() != key);
  CostOptions options;
  options.plan.in_place = false;
  CHECK(Constraint(space, 10, {}, options).key() != key);
  Board board;
  board.name = "board";
  options = {};
  options.board = &board;
  const std::string board_key = Constraint(space, 10, {}, options).key();
  CHECK(board_key != key);
  board.latency_models.resize(1);
  board.latency_models[0].groups.resize(1);
  const std::string model_key = Constraint(space, 10, {}, options).key();
  CHECK(model_key != board_key);
  board.latency_models[0].groups[0].ms[0].counts[0] = 2.0;
  CHECK(Constraint(space, 10, {}, options).key() != model_key);
  CHECK(Constraint(space, 10, {}, options).key() != board_key);
}

TEST_CASE("sample_fitting finds a fitting network however tight the limits are") {
  const SearchSpace space = small_space();
  const SubSpace sub_space{1.0, 24};
  const CostReport least = Constraint(space, 10, {}).costs(smallest(space, sub_space));
  for (const double slack : {1.0, 1.02, 1.1, 1.5, 10.0}) {
    const auto allowed = static_cast<int64_t>(static_cast<double>(least.macs) * slack);
    const Constraint constraint(space, 10, limits_of({}, {}, allowed));
    Rng rng(7);
    for (int i = 0; i < 5; ++i) {
      const Architecture architecture = sample_fitting(constraint, sub_space, rng, 10);
      CHECK_NOTHROW(validate(space, architecture));
      CHECK(constraint.fits(architecture));
    }
  }
}

TEST_CASE(
    "where nothing fits the error says what the smallest network needs and what is exceeded by how much") {
  const Constraint constraint(small_space(), 10, limits_of(4096, 1 << 20, 100000));
  const CostReport needs = constraint.costs(smallest(constraint.space(), {1.0, 24}));
  Rng rng(1);
  try {
    sample_fitting(constraint, {1.0, 24}, rng);
    FAIL("something fits");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::kNothingFits);
    CHECK_THAT(error.what(), Contains("w1.00-r24") &&
                                 Contains(format_bytes(needs.sram.total_bytes()) + " SRAM") &&
                                 Contains(format_bytes(needs.flash.total_bytes()) + " Flash") &&
                                 Contains(format_count(needs.macs) + " MACs"));
    CHECK_THAT(error.what(), Contains("sram") && Contains("macs") && !Contains("flash:"));
  }
}

TEST_CASE(
    "baselines of about the same MACs fit, differ from each other and lie within the tolerance that is "
    "reported") {
  const Constraint constraint(small_space(), 10, limits_of(40000, {}, {}));
  const SubSpace sub_space{1.0, 24};
  Rng rng(3);
  const Architecture centre = median_architecture(constraint, sub_space, rng);
  CHECK(constraint.fits(centre));
  const int64_t target = constraint.costs(centre).macs;
  for (const double tolerance : {0.05, 0.0001}) {
    const NearMacsSample near = sample_near_macs(constraint, sub_space, target, tolerance, 5, rng, 500);
    REQUIRE(near.architectures.size() == 5);
    CHECK((tolerance > 0.01 ? near.tolerance == tolerance : near.tolerance > tolerance));
    for (size_t i = 0; i < 5; ++i) {
      const CostReport costs = constraint.costs(near.architectures[i]);
      CHECK(constraint.fits(near.architectures[i]));
      CHECK(std::abs(static_cast<double>(costs.macs) / static_cast<double>(target) - 1.0) <= near.tolerance);
      for (size_t j = 0; j < i; ++j) CHECK(!(near.architectures[i] == near.architectures[j]));
    }
  }
  CHECK(sample_near_macs(constraint, sub_space, target, 0.05, 1000000, rng, 50).architectures.size() <= 50);
}

TEST_CASE("the median architecture splits the fitting networks by MACs") {
  const Constraint constraint(small_space(), 10, limits_of(40000, {}, {}));
  const SubSpace sub_space{1.0, 24};
  Rng rng(5);
  const int64_t median = constraint.costs(median_architecture(constraint, sub_space, rng, 301)).macs;
  int below = 0;
  for (int i = 0; i < 400; ++i) {
    below += constraint.costs(sample_fitting(constraint, sub_space, rng)).macs < median;
  }
  CHECK(below > 140);
  CHECK(below < 260);
}
