#include "cost_models/relief.h"

#include <catch2/catch.hpp>
#include <map>

#include "../graph/reference_networks.h"
#include "../space/random_space.h"
#include "graph/lower.h"
#include "graph/network_file.h"

using namespace tinynas;
using namespace tinynas::testing;

namespace {

int number_in(const std::string& text, size_t& at) {
  size_t length = 0;
  const int number = std::stoi(text.substr(at), &length);
  at += length;
  return number;
}

// What a relief says in words, done by hand: "resolution 96 -> 80", "stem channels 32 -> 24",
// "block3 expanded channels 96 -> 80" or "block3 output channels 32 -> 24". Output channels go along the
// chain of residual blocks, and what reads a narrowed tensor keeps its ratio of expansion.
BlockNetwork changed_by(BlockNetwork network, const std::string& change) {
  const size_t arrow = change.find(" -> ");
  REQUIRE(arrow != std::string::npos);
  size_t at = change.rfind(' ', arrow - 1) + 1;
  const std::string what = change.substr(0, at - 1);
  const int from = number_in(change, at);
  at += 4;
  const int to = number_in(change, at);
  CHECK(at == change.size());
  CHECK(to < from);
  if (what == "resolution") {
    CHECK(network.input.h == from);
    network.input.h = network.input.w = to;
    return network;
  }
  if (what == "stem channels") {
    CHECK(network.stem.channels == from);
    network.stem.channels = to;
    return network;
  }
  const std::string name = what.substr(0, what.find(' '));
  const auto named = std::find_if(network.blocks.begin(), network.blocks.end(),
                                  [&](const BlockSpec& block) { return block_name(block) == name; });
  REQUIRE(named != network.blocks.end());
  if (what == name + " expanded channels") {
    CHECK(named->expanded_channels == from);
    named->expanded_channels = to;
    return network;
  }
  REQUIRE(what == name + " output channels");
  auto first = named;
  while (first->residual) --first;
  for (auto block = first; block == first || (block != network.blocks.end() && block->residual); ++block) {
    CHECK(block->channels == from);
    block->channels = to;
    if (block + 1 != network.blocks.end())
      (block + 1)->expanded_channels = (block + 1)->expanded_channels * to / from;
  }
  return network;
}

}  // namespace

TEST_CASE("every relief lowers the arena, and its figures are those of the changed network's plan") {
  Rng rng(701);
  std::map<std::string, int> found;  // by a word of the change
  for (int round = 0; round < 60; ++round) {
    const SearchSpace space = random_space(rng);
    const BlockNetwork network = network_of(space, sample(space, random_sub_space(space, rng), rng), 10);
    const int64_t arena = plan_memory(lower(network)).arena_bytes;
    int64_t previous = 0;
    for (const Relief& relief : relieve(network)) {
      CAPTURE(relief.change);
      CHECK(relief.arena_bytes < arena);
      CHECK(relief.arena_bytes >= previous);
      const Graph changed = lower(changed_by(network, relief.change));
      const MemoryPlan plan = plan_memory(changed);
      CHECK(relief.arena_bytes == plan.arena_bytes);
      CHECK(relief.macs == macs(changed));
      const PlanStep& bottleneck = plan.order[static_cast<size_t>(plan.bottleneck_step)];
      CHECK(relief.bottleneck == changed.ops[static_cast<size_t>(bottleneck.op)].name);
      previous = relief.arena_bytes;
      ++found[relief.change.substr(relief.change.find(' ') + 1, 8)];
    }
  }
  CHECK(found["output c"] > 10);
  CHECK(found["expanded"] > 10);
  CHECK(found["channels"] > 10);  // of the stem
  CHECK(found.size() > 4);        // and resolutions
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
