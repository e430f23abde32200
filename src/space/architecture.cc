#include "space/architecture.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace tinynas {
namespace {

bool contains(const std::vector<int>& options, int value) {
  return std::find(options.begin(), options.end(), value) != options.end();
}

std::string list_of(const std::vector<int>& options) {
  std::string text;
  for (const int option : options) text += (text.empty() ? "" : ", ") + std::to_string(option);
  return text;
}

// `where` is called only for the message: validate() runs in the inner loop of a search.
template <typename Where>
void require_option(const Where& where, const char* gene, const std::vector<int>& options, int got) {
  if (contains(options, got)) return;
  throw usage_error(where() + ": " + gene + " " + std::to_string(got) +
                    " is not in the space, expected one of " + list_of(options));
}

BlockChoice sample_block(const StageSpec& stage, Rng& rng) {
  // Two statements: the order of the draws is part of what a seed means.
  BlockChoice block;
  block.kernel = rng.pick(stage.kernels);
  block.expansion = rng.pick(stage.expansions);
  return block;
}

Architecture uniform_architecture(const SearchSpace& space, const SubSpace& sub_space,
                                  int (*choose)(const std::vector<int>&)) {
  Architecture architecture{sub_space, {}};
  for (const StageSpec& stage : space.stages) {
    const BlockChoice block{choose(stage.kernels), choose(stage.expansions)};
    architecture.stages.push_back(
        {std::vector<BlockChoice>(static_cast<size_t>(choose(stage.depths)), block)});
  }
  return architecture;
}

}  // namespace

Architecture sample(const SearchSpace& space, const SubSpace& sub_space, Rng& rng) {
  Architecture architecture{sub_space, {}};
  architecture.stages.reserve(space.stages.size());
  for (const StageSpec& stage : space.stages) {
    StageChoice choice;
    choice.blocks.resize(static_cast<size_t>(rng.pick(stage.depths)));
    for (BlockChoice& block : choice.blocks) block = sample_block(stage, rng);
    architecture.stages.push_back(std::move(choice));
  }
  return architecture;
}

Architecture largest(const SearchSpace& space, const SubSpace& sub_space) {
  return uniform_architecture(
      space, sub_space, [](const std::vector<int>& o) { return *std::max_element(o.begin(), o.end()); });
}

Architecture smallest(const SearchSpace& space, const SubSpace& sub_space) {
  return uniform_architecture(
      space, sub_space, [](const std::vector<int>& o) { return *std::min_element(o.begin(), o.end()); });
}

Architecture mutate(const SearchSpace& space, const Architecture& parent, double probability, Rng& rng) {
  Architecture child = parent;
  for (size_t i = 0; i < space.stages.size(); ++i) {
    const StageSpec& stage = space.stages[i];
    std::vector<BlockChoice>& blocks = child.stages[i].blocks;
    const size_t old_depth = blocks.size();
    if (rng.chance(probability)) blocks.resize(static_cast<size_t>(rng.pick(stage.depths)));
    for (size_t j = 0; j < blocks.size(); ++j) {
      if (j >= old_depth) {
        blocks[j] = sample_block(stage, rng);
        continue;
      }
      if (rng.chance(probability)) blocks[j].kernel = rng.pick(stage.kernels);
      if (rng.chance(probability)) blocks[j].expansion = rng.pick(stage.expansions);
    }
  }
  return child;
}

Architecture crossover(const SearchSpace& space, const Architecture& a, const Architecture& b, Rng& rng) {
  if (!(a.sub_space == b.sub_space)) {
    throw usage_error("crossover: the parents are of different sub-spaces, " + encode(a) + " and " +
                      encode(b));
  }
  Architecture child{a.sub_space, {}};
  child.stages.reserve(space.stages.size());
  for (size_t i = 0; i < space.stages.size(); ++i) {
    const std::vector<BlockChoice>& blocks_a = a.stages[i].blocks;
    const std::vector<BlockChoice>& blocks_b = b.stages[i].blocks;
    StageChoice choice;
    choice.blocks.resize(rng.chance(0.5) ? blocks_a.size() : blocks_b.size());
    for (size_t j = 0; j < choice.blocks.size(); ++j) {
      // A block that only one parent has comes from that parent.
      const BlockChoice& from_a = j < blocks_a.size() ? blocks_a[j] : blocks_b[j];
      const BlockChoice& from_b = j < blocks_b.size() ? blocks_b[j] : blocks_a[j];
      choice.blocks[j].kernel = rng.chance(0.5) ? from_a.kernel : from_b.kernel;
      choice.blocks[j].expansion = rng.chance(0.5) ? from_a.expansion : from_b.expansion;
    }
    child.stages.push_back(std::move(choice));
  }
  return child;
}

void validate(const SearchSpace& space, const Architecture& architecture) {
  const auto where = [&] { return "architecture in space " + space.name; };
  const SubSpace& sub_space = architecture.sub_space;
  const bool known_width = std::any_of(space.widths.begin(), space.widths.end(), [&](double width) {
    return std::abs(width - sub_space.width) < 1e-9;
  });
  if (!known_width) {
    throw usage_error(where() + ": width " + std::to_string(sub_space.width) + " is not in the space");
  }
  require_option(where, "resolution", space.resolutions, sub_space.resolution);
  if (architecture.stages.size() != space.stages.size()) {
    throw usage_error(where() + ": got " + std::to_string(architecture.stages.size()) + " stages, expected " +
                      std::to_string(space.stages.size()));
  }
  for (size_t i = 0; i < space.stages.size(); ++i) {
    const StageSpec& stage = space.stages[i];
    const std::vector<BlockChoice>& blocks = architecture.stages[i].blocks;
    const auto stage_name = [&] { return where() + ": stage " + std::to_string(i); };
    require_option(stage_name, "depth", stage.depths, static_cast<int>(blocks.size()));
    for (size_t j = 0; j < blocks.size(); ++j) {
      const auto block_name = [&] { return stage_name() + ", block " + std::to_string(j); };
      require_option(block_name, "kernel", stage.kernels, blocks[j].kernel);
      require_option(block_name, "expansion", stage.expansions, blocks[j].expansion);
    }
  }
}

}  // namespace tinynas
