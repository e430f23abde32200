#include <algorithm>
#include <catch2/catch.hpp>

#include "base/error.h"
#include "random_space.h"

using namespace tinynas;
using namespace tinynas::testing;
using Catch::Matchers::Contains;

TEST_CASE("scaled channels follow MobileNetV2's rule in exact arithmetic") {
  // Widths are hundredths, so the rule can be judged in integers: the nearest multiple of the divisor, ties
  // up, never below the divisor, one step more when that is below 90 %.
  for (int divisor : {1, 4, 8}) {
    for (int base = 1; base <= 400; ++base) {
      for (int hundredths = 5; hundredths <= 200; hundredths += 5) {
        const int wanted_x100 = base * hundredths;
        int expected = (wanted_x100 + 50 * divisor) / (100 * divisor) * divisor;
        expected = std::max(expected, divisor);
        if (1000 * expected < 9 * wanted_x100) expected += divisor;
        CAPTURE(divisor, base, hundredths);
        REQUIRE(scaled_channels(base, hundredths / 100.0, divisor) == expected);
      }
    }
  }
}

TEST_CASE("scaled channels of MobileNetV2 0.35 are the published ones") {
  const std::vector<std::pair<int, int>> published = {{32, 16}, {16, 8},   {24, 8},    {64, 24},
                                                      {96, 32}, {160, 56}, {320, 112}, {1280, 448}};
  for (const auto& [base, scaled] : published) CHECK(scaled_channels(base, 0.35, 8) == scaled);
}

TEST_CASE("check names the field that is out of range") {
  Rng rng(1);
  const SearchSpace good = random_space(rng);
  const auto message = [&](auto spoil) -> std::string {
    SearchSpace space = good;
    spoil(space);
    try {
      space.check();
    } catch (const Error& error) {
      CHECK(error.code() == ExitCode::kUsage);
      return error.what();
    }
    return "accepted";
  };
  CHECK_THAT(message([](SearchSpace& s) { s.stem.stride = 0; }),
             Contains("stem.stride") && Contains("got 0"));
  CHECK_THAT(message([](SearchSpace& s) { s.stages.clear(); }), Contains("stages"));
  CHECK_THAT(message([](SearchSpace& s) { s.stages[0].kernels = {3, 4}; }), Contains("stages[0].kernels"));
  CHECK_THAT(message([](SearchSpace& s) { s.stages[0].kernels = {5, 3}; }), Contains("stages[0].kernels"));
  CHECK_THAT(message([](SearchSpace& s) { s.stages[0].depths = {0, 1}; }), Contains("stages[0].depths"));
  CHECK_THAT(message([](SearchSpace& s) { s.stages[0].expansions = {}; }), Contains("stages[0].expansions"));
  CHECK_THAT(message([](SearchSpace& s) { s.widths = {0.0, 1.0}; }), Contains("widths"));
  CHECK_THAT(message([](SearchSpace& s) { s.widths = {0.5, 0.5}; }), Contains("widths"));
  CHECK_THAT(message([](SearchSpace& s) { s.resolutions = {}; }), Contains("resolutions"));
  CHECK_THAT(message([](SearchSpace& s) { s.divisor = 0; }), Contains("divisor"));
  CHECK_THAT(message([](SearchSpace& s) { s.head_channels = -1; }), Contains("head_channels"));
}
