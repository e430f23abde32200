#include "supernet/progressive_shrinking.h"

#include <algorithm>

namespace tinynas {
namespace {

constexpr double kNarrowPart = 1.0 / 6.0;

using Elastic = ShrinkingPhase::Elastic;

// The smallest of the larger half of `options`, which are ascending: the middle one of three.
int smallest_of_larger_half(const std::vector<int>& options) { return options[options.size() / 2]; }

int least_depth(const StageSpec& stage, const ShrinkingPhase& phase) {
  if (phase.elastic == Elastic::kKernel) return stage.depths.back();
  if (phase.elastic == Elastic::kDepth && phase.narrow) return smallest_of_larger_half(stage.depths);
  return stage.depths.front();
}

// Sets expansion and output channels of `block` to those of `full`, or above the smaller half of the options.
void widen(const SearchSpace& space, const StageSpec& stage, double width, const BlockChoice& full,
           const ShrinkingPhase& phase, BlockChoice& block) {
  if (phase.elastic != Elastic::kExpansion) {
    block.expansion = full.expansion;
    block.channels = full.channels;
  } else if (phase.narrow) {
    block.expansion = std::max(block.expansion, smallest_of_larger_half(stage.expansions));
    if (block.channels > 0)
      block.channels =
          std::max(block.channels, smallest_of_larger_half(channel_choices(space, stage, width)));
  }
}

}  // namespace

ShrinkingPhase shrinking_phase(double progress, double kernel_end, double depth_end) {
  if (progress < kernel_end) return {Elastic::kKernel, false};
  if (progress < depth_end)
    return {Elastic::kDepth, progress - kernel_end < kNarrowPart * (depth_end - kernel_end)};
  return {Elastic::kExpansion, progress - depth_end < kNarrowPart * (1.0 - depth_end)};
}

Architecture grow_to_phase(const SearchSpace& space, const Architecture& largest, const Architecture& drawn,
                           const ShrinkingPhase& phase, Rng& rng) {
  Architecture grown = drawn;
  for (size_t i = 0; i < grown.stages.size(); ++i) {
    const StageSpec& stage = space.stages[i];
    const std::vector<BlockChoice>& full = largest.stages[i].blocks;
    std::vector<BlockChoice>& blocks = grown.stages[i].blocks;
    const size_t depth = static_cast<size_t>(least_depth(stage, phase));
    while (blocks.size() < depth) {
      BlockChoice added = full[blocks.size()];
      added.kernel = rng.pick(stage.kernels);
      blocks.push_back(added);
    }
    for (size_t j = 0; j < blocks.size(); ++j)
      widen(space, stage, drawn.sub_space.width, full[j], phase, blocks[j]);
  }
  return grown;
}

}  // namespace tinynas
