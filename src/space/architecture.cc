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

// The options of a stage's blocks in one sub-space, and their draws. The order of the draws is part of what a
// seed means: the kernel, then the expansion and, where the space has elastic widths, the channels (MBConv),
// or the channels (DS).
class BlockOptions {
 public:
  BlockOptions(const SearchSpace& space, const StageSpec& stage, const SubSpace& sub_space)
      : stage_(stage), separable_(space.block == BlockKind::kDepthwiseSeparable) {
    if (separable_) channels_ = channel_options(space, stage, sub_space.width);
    if (stage.elastic_widths()) widths_ = block_channels(space, stage, sub_space.width);
  }

  void redraw_kernel(BlockChoice& block, Rng& rng) const { block.kernel = rng.pick(stage_.kernels); }

  void redraw_size(BlockChoice& block, Rng& rng) const {
    if (separable_) {
      block.channels = channels_.at(rng.below(channels_.count()));
    } else {
      block.expansion = rng.pick(stage_.expansions);
      if (!widths_.empty()) block.channels = rng.pick(widths_);
    }
  }

  // All genes of a block.
  void draw(BlockChoice& block, Rng& rng) const {
    block = {};
    redraw_kernel(block, rng);
    redraw_size(block, rng);
  }

  BlockChoice largest() const { return {stage_.kernels.back(), stage_.expansions.back(), most_channels()}; }
  BlockChoice smallest() const {
    return {stage_.kernels.front(), stage_.expansions.front(), fewest_channels()};
  }

  // The options of the channel gene; 0 alone for MBConv of fixed width.
  bool has_channels(int channels) const {
    if (separable_) return channels_.contains(channels);
    return widths_.empty() ? channels == 0 : contains(widths_, channels);
  }
  std::string channels_text() const {
    if (!separable_)
      return widths_.empty() ? "0 (the stage's channels are fixed)" : "one of " + list_of(widths_);
    if (channels_.count() == 1) return std::to_string(channels_.first);
    return std::to_string(channels_.first) + " to " + std::to_string(channels_.last) + " in steps of " +
           std::to_string(channels_.step);
  }

 private:
  int most_channels() const { return separable_ ? channels_.last : widths_.empty() ? 0 : widths_.back(); }
  int fewest_channels() const { return separable_ ? channels_.first : widths_.empty() ? 0 : widths_.front(); }

  const StageSpec& stage_;
  bool separable_;
  ChannelOptions channels_;
  std::vector<int> widths_;  // MBConv of elastic width
};

}  // namespace

void sample_into(const SearchSpace& space, const SubSpace& sub_space, Rng& rng, Architecture& architecture) {
  architecture.sub_space = sub_space;
  architecture.stages.resize(space.stages.size());
  for (size_t i = 0; i < space.stages.size(); ++i) {
    const StageSpec& stage = space.stages[i];
    const BlockOptions options(space, stage, sub_space);
    std::vector<BlockChoice>& blocks = architecture.stages[i].blocks;
    blocks.resize(static_cast<size_t>(rng.pick(stage.depths)));
    for (BlockChoice& block : blocks) options.draw(block, rng);
  }
}

Architecture sample(const SearchSpace& space, const SubSpace& sub_space, Rng& rng) {
  Architecture architecture;
  sample_into(space, sub_space, rng, architecture);
  return architecture;
}

Architecture largest(const SearchSpace& space, const SubSpace& sub_space) {
  Architecture architecture{sub_space, {}};
  for (const StageSpec& stage : space.stages) {
    const BlockChoice block = BlockOptions(space, stage, sub_space).largest();
    architecture.stages.push_back(
        {std::vector<BlockChoice>(static_cast<size_t>(stage.depths.back()), block)});
  }
  return architecture;
}

Architecture smallest(const SearchSpace& space, const SubSpace& sub_space) {
  Architecture architecture{sub_space, {}};
  for (const StageSpec& stage : space.stages) {
    const BlockChoice block = BlockOptions(space, stage, sub_space).smallest();
    architecture.stages.push_back(
        {std::vector<BlockChoice>(static_cast<size_t>(stage.depths.front()), block)});
  }
  return architecture;
}

Architecture mutate(const SearchSpace& space, const Architecture& parent, double probability, Rng& rng) {
  Architecture child = parent;
  for (size_t i = 0; i < space.stages.size(); ++i) {
    const StageSpec& stage = space.stages[i];
    std::vector<BlockChoice>& blocks = child.stages[i].blocks;
    const BlockOptions options(space, stage, parent.sub_space);
    const size_t old_depth = blocks.size();
    if (rng.chance(probability)) blocks.resize(static_cast<size_t>(rng.pick(stage.depths)));
    for (size_t j = 0; j < blocks.size(); ++j) {
      if (j >= old_depth) {
        options.draw(blocks[j], rng);
        continue;
      }
      if (rng.chance(probability)) options.redraw_kernel(blocks[j], rng);
      if (rng.chance(probability)) options.redraw_size(blocks[j], rng);
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
      const BlockChoice& size_from = rng.chance(0.5) ? from_a : from_b;
      choice.blocks[j].expansion = size_from.expansion;
      choice.blocks[j].channels = size_from.channels;
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
    const BlockOptions options(space, stage, sub_space);
    const auto stage_name = [&] { return where() + ": stage " + std::to_string(i); };
    require_option(stage_name, "depth", stage.depths, static_cast<int>(blocks.size()));
    for (size_t j = 0; j < blocks.size(); ++j) {
      const auto block_name = [&] { return stage_name() + ", block " + std::to_string(j); };
      require_option(block_name, "kernel", stage.kernels, blocks[j].kernel);
      require_option(block_name, "expansion", stage.expansions, blocks[j].expansion);
      if (options.has_channels(blocks[j].channels)) continue;
      throw usage_error(block_name() + ": channels " + std::to_string(blocks[j].channels) +
                        " are not in the space, expected " + options.channels_text());
    }
  }
}

}  // namespace tinynas
