#include "cost_models/relief.h"

#include <catch2/catch.hpp>

#include "../graph/reference_networks.h"
#include "../space/random_space.h"
#include "graph/lower.h"
#include "graph/network_file.h"

using namespace tinynas;
using namespace tinynas::testing;

TEST_CASE("every relief lowers the arena, and its figures are those of the changed network's plan") {
  Rng rng(701);
  int found = 0;
  for (int round = 0; round < 60; ++round) {
    const SearchSpace space = random_space(rng);
    const BlockNetwork network = network_of(space, sample(space, random_sub_space(space, rng), rng), 10);
    const int64_t arena = plan_memory(lower(network)).arena_bytes;
    int64_t previous = 0;
    for (const Relief& relief : relieve(network)) {
      CAPTURE(relief.change);
      CHECK(relief.arena_bytes < arena);
      CHECK(relief.arena_bytes >= previous);
      CHECK(relief.macs > 0);
      previous = relief.arena_bytes;
      ++found;
    }
  }
  CHECK(found > 60);
}

TEST_CASE("a smaller resolution is found, and its plan is what is said") {
  const BlockNetwork network = *load_network("tests/networks/mcunet-320k.json").blocks;
  const std::vector<Relief> reliefs = relieve(network);
  const auto resolution = std::find_if(reliefs.begin(), reliefs.end(),
                                       [](const Relief& r) { return r.change == "resolution 176 -> 152"; });
  REQUIRE(resolution != reliefs.end());
  const NetworkFile smaller = load_network("tests/networks/mcunet-320k.json", 152);
  CHECK(resolution->arena_bytes == plan_memory(smaller.graph).arena_bytes);
  CHECK(resolution->macs == macs(smaller.graph));
}

TEST_CASE("the largest resolution that fits, fits, and the next one does not") {
  const BlockNetwork network = *load_network("tests/networks/mcunet-320k.json").blocks;
  for (const int64_t limit : {20'000, 60'000, 150'000, 240'000}) {
    const int rows = largest_resolution(network, limit);
    REQUIRE(rows > 0);
    BlockNetwork at = network;
    at.input.h = at.input.w = rows;
    CHECK(plan_memory(lower(at)).arena_bytes <= limit);
    at.input.h = at.input.w = rows + 8;
    CHECK(plan_memory(lower(at)).arena_bytes > limit);
  }
  CHECK(largest_resolution(network, 1 << 30) == 176);
  CHECK(largest_resolution(network, 10) == 0);
}
