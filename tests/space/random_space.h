// Random valid search spaces for property tests.
#pragma once

#include <algorithm>

#include "base/rng.h"
#include "space/space.h"

namespace tinynas::testing {

// A non-empty subset of `options`, in order.
inline std::vector<int> random_subset(const std::vector<int>& options, Rng& rng) {
  std::vector<int> subset;
  for (const int option : options) {
    if (rng.chance(0.5)) subset.push_back(option);
  }
  return subset.empty() ? std::vector<int>{rng.pick(options)} : subset;
}

inline SearchSpace random_space(Rng& rng) {
  SearchSpace space;
  space.name = "random";
  space.input_channels = rng.chance(0.5) ? 1 : 3;
  space.stem = {static_cast<int>(8 + rng.below(40)), static_cast<int>(1 + rng.below(5)),
                static_cast<int>(1 + rng.below(3))};
  const int64_t stages = 1 + rng.below(6);
  for (int64_t i = 0; i < stages; ++i) {
    StageSpec stage;
    stage.channels = static_cast<int>(4 + rng.below(100));
    stage.stride = static_cast<int>(1 + rng.below(2));
    stage.kernels = random_subset({1, 3, 5, 7}, rng);
    stage.expansions = random_subset({1, 2, 3, 4, 6}, rng);
    stage.depths = random_subset({1, 2, 3, 4}, rng);
    if (rng.chance(0.3)) stage.block_widths = {0.5, 0.75, 1.0};
    space.stages.push_back(stage);
  }
  space.head_channels = rng.chance(0.5) ? static_cast<int>(rng.below(200)) : 0;
  space.divisor = rng.pick(std::vector<int>{1, 4, 8});
  space.widths = {0.25, 0.3, 0.5, 1.0 / 3.0 + 0.5, 1.0};
  space.resolutions = {8, 15, 32, 33};
  space.check();
  return space;
}

// Depthwise-separable blocks with elastic channels, skippable stages and, half the time, spectrograms.
inline SearchSpace random_ds_space(Rng& rng) {
  SearchSpace space;
  space.name = "random DS";
  space.block = BlockKind::kDepthwiseSeparable;
  space.input_channels = rng.chance(0.5) ? 1 : 3;
  space.columns = rng.chance(0.5) ? static_cast<int>(1 + rng.below(20)) : 0;
  space.stem = {static_cast<int>(8 + rng.below(40)), static_cast<int>(1 + rng.below(10)),
                static_cast<int>(1 + rng.below(3))};
  if (rng.chance(0.5)) space.stem.kernel_w = static_cast<int>(1 + rng.below(5));
  if (rng.chance(0.5)) space.stem.stride_w = static_cast<int>(1 + rng.below(3));
  space.divisor = rng.pick(std::vector<int>{1, 2, 4});
  const int64_t stages = 1 + rng.below(5);
  bool depth_varies = false;  // somewhere since the last stride
  for (int64_t i = 0; i < stages; ++i) {
    StageSpec stage;
    stage.stride = static_cast<int>(1 + rng.below(2));
    stage.kernels = random_subset({1, 3, 5, 7}, rng);
    stage.expansions = {1};
    if (stage.stride > 1) depth_varies = false;
    const bool skippable = i > 0 && stage.stride == 1 && !depth_varies && rng.chance(0.5);
    stage.depths = skippable      ? std::vector<int>{0, 1, 2}
                   : depth_varies ? std::vector<int>{2}
                                  : random_subset({1, 2, 3}, rng);
    depth_varies |= stage.depths.size() > 1;
    // The same step everywhere and ends that do not fall: then any stage may be skipped, with every width.
    const int before = i == 0 ? 4 : space.stages.back().min_channels;
    const int most_before = i == 0 ? 4 : space.stages.back().channels;
    stage.channel_step = 4;
    stage.min_channels = before + 4 * static_cast<int>(rng.below(4));
    stage.channels = std::max(stage.min_channels, most_before) + 4 * static_cast<int>(rng.below(10));
    space.stages.push_back(stage);
  }
  space.head_channels = rng.chance(0.5) ? static_cast<int>(rng.below(100)) : 0;
  space.widths = {0.25, 0.3, 0.5, 1.0 / 3.0 + 0.5, 1.0};
  space.resolutions = {8, 15, 32, 33};
  space.check();
  return space;
}

// Of either kind.
inline SearchSpace random_any_space(Rng& rng) {
  return rng.chance(0.5) ? random_space(rng) : random_ds_space(rng);
}

inline SubSpace random_sub_space(const SearchSpace& space, Rng& rng) {
  const double width = rng.pick(space.widths);
  return {width, rng.pick(space.resolutions)};
}

}  // namespace tinynas::testing
