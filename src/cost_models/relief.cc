#include "cost_models/relief.h"

#include <algorithm>

#include "base/error.h"

namespace tinynas {
namespace {

constexpr int kStep = 8;

// Seven eighths, to a multiple of 8 below.
int an_eighth_less(int size) { return (size * 7 / 8) / kStep * kStep; }

std::string from_to(const std::string& what, int from, int to) {
  return what + " " + std::to_string(from) + " -> " + std::to_string(to);
}

const Op& bottleneck_of(const Graph& graph, const MemoryPlan& plan) {
  return graph.ops[static_cast<size_t>(plan.order[static_cast<size_t>(plan.bottleneck_step)].op)];
}

int input_channels(const BlockNetwork& network, size_t block) {
  return block == 0 ? network.stem.channels : network.blocks[block - 1].channels;
}

struct Change {
  std::string text;
  BlockNetwork network;
};

// Every block keeps its expansion as a ratio of its input channels.
void set_channels(BlockNetwork& network, size_t block, int channels) {
  const int before = network.blocks[block].channels;
  network.blocks[block].channels = channels;
  if (block + 1 == network.blocks.size()) return;
  BlockSpec& next = network.blocks[block + 1];
  next.expanded_channels = static_cast<int>(int64_t{next.expanded_channels} * channels / before);
}

// Where the chain of residuals begins that block is part of: all of its blocks are as wide.
size_t chain_start(const BlockNetwork& network, size_t block) {
  while (block > 0 && network.blocks[block].residual) --block;
  return block;
}

void narrow_chain(BlockNetwork& network, size_t block, int channels) {
  block = chain_start(network, block);
  set_channels(network, block, channels);
  for (size_t i = block + 1; i < network.blocks.size() && network.blocks[i].residual; ++i)
    set_channels(network, i, channels);
}

void add_resolution(const BlockNetwork& network, std::vector<Change>& changes) {
  Change change{"", network};
  Shape& input = change.network.input;
  const int rows = an_eighth_less(input.h);
  if (rows < kStep || input.h != input.w) return;
  change.text = from_to("resolution", input.h, rows);
  input.h = input.w = rows;
  changes.push_back(std::move(change));
}

void add_block_changes(const BlockNetwork& network, size_t index, std::vector<Change>& changes) {
  const BlockSpec& block = network.blocks[index];
  const std::string name = block_name(block);
  const int in = input_channels(network, index);
  if (block.expanded_channels > 2 * in) {
    Change change{"", network};
    change.network.blocks[index].expanded_channels = block.expanded_channels - in;
    change.text = from_to(name + " expanded channels", block.expanded_channels, block.expanded_channels - in);
    changes.push_back(std::move(change));
  }
  // A chain that begins at the stem would have to narrow that too.
  const bool has_start = !network.blocks[chain_start(network, index)].residual;
  if (const int channels = an_eighth_less(block.channels); has_start && channels >= kStep) {
    Change change{from_to(name + " output channels", block.channels, channels), network};
    narrow_chain(change.network, index, channels);
    changes.push_back(std::move(change));
  }
}

void add_stem(const BlockNetwork& network, std::vector<Change>& changes) {
  const int channels = an_eighth_less(network.stem.channels);
  if (channels < kStep || (!network.blocks.empty() && network.blocks.front().residual)) return;
  Change change{from_to("stem channels", network.stem.channels, channels), network};
  change.network.stem.channels = channels;
  changes.push_back(std::move(change));
}

}  // namespace

std::vector<Relief> relieve(const BlockNetwork& network, const PlanOptions& options) {
  const Graph graph = lower(network);
  const MemoryPlan plan = plan_memory(graph, options);
  const std::string& bottleneck = bottleneck_of(graph, plan).name;
  std::vector<Change> changes;
  add_resolution(network, changes);
  if (bottleneck == "stem") add_stem(network, changes);
  for (size_t i = 0; i < network.blocks.size(); ++i) {
    if (bottleneck.rfind(block_name(network.blocks[i]) + ".", 0) != 0) continue;
    add_block_changes(network, i, changes);
    // What a block expands is what the one before it made.
    if (i == 0)
      add_stem(network, changes);
    else
      add_block_changes(network, i - 1, changes);
  }

  std::vector<Relief> reliefs;
  for (const Change& change : changes) {
    const Graph changed = lower(change.network);
    const MemoryPlan changed_plan = plan_memory(changed, options);
    if (changed_plan.arena_bytes >= plan.arena_bytes) continue;
    reliefs.push_back(
        {change.text, changed_plan.arena_bytes, macs(changed), bottleneck_of(changed, changed_plan).name});
  }
  std::stable_sort(reliefs.begin(), reliefs.end(),
                   [](const Relief& a, const Relief& b) { return a.arena_bytes < b.arena_bytes; });
  return reliefs;
}

int largest_resolution(const BlockNetwork& network, int64_t arena_bytes, const PlanOptions& options) {
  if (network.input.h != network.input.w) return 0;
  BlockNetwork smaller = network;
  for (int rows = network.input.h; rows >= kStep; rows = (rows - 1) / kStep * kStep) {
    smaller.input.h = smaller.input.w = rows;
    if (plan_memory(lower(smaller, Names::kNone), options).arena_bytes <= arena_bytes) return rows;
  }
  return 0;
}

}  // namespace tinynas
