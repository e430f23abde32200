#include <algorithm>
#include <catch2/catch.hpp>

#include "random_space.h"
#include "space/redistribution.h"

using namespace tinynas;
using namespace tinynas::testing;

TEST_CASE("redistribution: small kernels early, and no less receptive field than before") {
  Rng rng(31);
  int changed = 0;
  for (int round = 0; round < 400; ++round) {
    const SearchSpace space = random_any_space(rng);
    const SearchSpace result = redistributed(space);
    CHECK_NOTHROW(result.check());
    CHECK(largest_receptive_field(result) >= largest_receptive_field(space));
    if (result.stages.size() != space.stages.size()) FAIL("stages");
    bool differs = false;
    for (size_t i = 0; i < space.stages.size(); ++i) {
      CHECK(result.stages[i].channels == space.stages[i].channels);
      CHECK(result.stages[i].kernels.back() <= space.stages[i].kernels.back());
      CHECK(result.stages[i].depths.back() >= space.stages[i].depths.back());
      differs = differs || result.stages[i].kernels != space.stages[i].kernels;
    }
    if (!differs) CHECK(largest_receptive_field(result) == largest_receptive_field(space));
    changed += differs ? 1 : 0;
  }
  CHECK(changed > 20);
}

TEST_CASE("redistribution by hand: two early stages give two blocks to the last elastic one") {
  SearchSpace space;
  space.name = "by hand";
  space.stem = {16, 3, 2};
  space.stages = {{16, 2, {3, 7}, {4}, {2}}, {24, 2, {3, 7}, {4}, {1}}, {32, 2, {3, 7}, {4}, {1, 2}}};
  space.widths = {1};
  space.resolutions = {96};
  space.check();
  // 3, + 6 at 2, + 6 at 4; + 6 at 4; + 6 at 8, + 6 at 16.
  CHECK(largest_receptive_field(space) == 3 + 12 + 24 + 24 + 48 + 96);
  const SearchSpace result = redistributed(space);
  CHECK(result.stages[0].kernels == std::vector<int>{3});
  CHECK(result.stages[1].kernels == std::vector<int>{3});
  CHECK(result.stages[2].kernels == std::vector<int>{3, 7});
  // Lost: 4 at 2, 4 at 4 and 4 at 4, 40 rows; a block of the last stage sees 96 more.
  CHECK(result.stages[2].depths == std::vector<int>{2, 3});
}
