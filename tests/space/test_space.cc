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
  CHECK_THAT(message([](SearchSpace& s) { s.stages[0].block_widths = {0.5}; }),
             Contains("stages[0].widths") && Contains("expected 1 as the last"));
  CHECK_THAT(message([](SearchSpace& s) {
               s.stages[0].block_widths = {0, 1};
             }),
             Contains("stages[0].widths"));
  CHECK_THAT(message([](SearchSpace& s) { s.stages[0].block_widths = {}; }), Contains("stages[0].widths"));
  CHECK_THAT(message([](SearchSpace& s) { s.widths = {0.0, 1.0}; }), Contains("widths"));
  CHECK_THAT(message([](SearchSpace& s) { s.widths = {0.5, 0.5}; }), Contains("widths"));
  CHECK_THAT(message([](SearchSpace& s) { s.resolutions = {}; }), Contains("resolutions"));
  CHECK_THAT(message([](SearchSpace& s) { s.divisor = 0; }), Contains("divisor"));
  CHECK_THAT(message([](SearchSpace& s) { s.head_channels = -1; }), Contains("head_channels"));
}

TEST_CASE("every option of elastic channels is a multiple of the step, between its neighbours' widths") {
  Rng rng(2);
  for (int round = 0; round < 200; ++round) {
    const SearchSpace space = random_ds_space(rng);
    for (const StageSpec& stage : space.stages) {
      ChannelOptions narrower;
      for (const double width : space.widths) {
        const ChannelOptions options = channel_options(space, stage, width);
        REQUIRE(options.first >= stage.channel_step);
        REQUIRE(options.first <= options.last);
        REQUIRE(options.first % options.step == 0);
        REQUIRE(options.at(options.count() - 1) == options.last);
        REQUIRE(options.first >= narrower.first);
        REQUIRE(options.last >= narrower.last);
        for (int i = 0; i < options.count(); ++i) REQUIRE(options.contains(options.at(i)));
        REQUIRE_FALSE(options.contains(options.last + options.step));
        REQUIRE_FALSE(options.contains(options.first + 1));
        narrower = options;
      }
    }
  }
}

TEST_CASE(
    "check names the field of a DS space that is out of range, or would give one network two genotypes") {
  SearchSpace good;
  good.name = "ds";
  good.block = BlockKind::kDepthwiseSeparable;
  good.divisor = 4;
  good.stages = {
      {32, 1, {3}, {1}, {1}, 16, 4}, {64, 1, {3}, {1}, {0, 1, 2}, 16, 4}, {64, 2, {3}, {1}, {1, 2}, 16, 4}};
  good.widths = {0.5, 1.0};
  good.resolutions = {32};
  REQUIRE_NOTHROW(good.check());
  const auto problem = [&](auto spoil) {
    SearchSpace space = good;
    spoil(space);
    return space.problem().value_or(SpaceProblem{"accepted", ""});
  };
  CHECK(problem([](SearchSpace& s) { s.stages[1].channel_step = 5; }).field == "stages[1].channels.min");
  CHECK(problem([](SearchSpace& s) { s.stages[1].channels = 66; }).field == "stages[1].channels.max");
  CHECK(problem([](SearchSpace& s) { s.stages[1].channel_step = -4; }).field == "stages[1].channels.step");
  CHECK(problem([](SearchSpace& s) { s.divisor = 8; }).field == "stages[0].channels.step");
  CHECK(problem([](SearchSpace& s) { s.stages[1].min_channels = 0; }).field == "stages[1].channels.min");
  CHECK(problem([](SearchSpace& s) { s.stages[1].min_channels = 128; }).field == "stages[1].channels.min");
  CHECK(problem([](SearchSpace& s) { s.stages[1].expansions = {3}; }).field == "stages[1].expansions");
  CHECK(problem([](SearchSpace& s) { s.stages[0].depths = {0, 1}; }).field == "stages[0].depths");
  CHECK(problem([](SearchSpace& s) { s.stages[2].depths = {0, 1}; }).field == "stages[2].depths");
  CHECK_THAT(problem([](SearchSpace& s) { s.stages[0].depths = {1, 2}; }).what, Contains("two genotypes"));
  // A skipped stage must not have been the widest, nor the narrowest.
  CHECK(problem([](SearchSpace& s) { s.stages[1].channels = 28; }).field == "stages[1].channels");
  CHECK(problem([](SearchSpace& s) { s.stages[1].min_channels = 12; }).field == "stages[1].channels");
  CHECK(problem([](SearchSpace& s) { s.columns = -1; }).field == "columns");
  CHECK(problem([](SearchSpace& s) { s.stem.kernel_w = 64; }).field == "stem.kernel");
  CHECK(problem([](SearchSpace& s) { s.block = BlockKind::kMbConv; }).field == "stages[0].channels");
  CHECK(problem([](SearchSpace& s) { s.stages[1].depths = {-1, 1}; }).field == "stages[1].depths");
}

TEST_CASE("a grid of too many sub-spaces is refused before anything is drawn") {
  Rng rng(3);
  SearchSpace space = random_space(rng);
  space.resolutions.clear();
  for (int r = 1; r <= 2048; ++r) space.resolutions.push_back(r);
  CHECK_THROWS_WITH(space.check(), Contains("resolutions") && Contains("10240 sub-spaces"));
}
