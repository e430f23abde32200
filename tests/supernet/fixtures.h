// A small space and images that a small network can learn, shared by the tests of this folder.
#pragma once

#include <catch2/catch.hpp>

#include "base/error.h"
#include "base/rng.h"
#include "supernet/supernet.h"

namespace tinynas {

inline SearchSpace small_space() {
  SearchSpace space;
  space.name = "small";
  space.input_channels = 3;
  space.stem = {16, 3, 1};
  StageSpec first;
  first.channels = 8;
  first.kernels = {3};
  first.expansions = {1};
  first.depths = {1};
  StageSpec second;
  second.channels = 16;
  second.stride = 2;
  second.kernels = {3, 5, 7};
  second.expansions = {2, 3, 4};
  second.depths = {1, 2, 3};
  StageSpec third = second;
  third.channels = 24;
  space.stages = {first, second, third};
  space.head_channels = 32;
  space.widths = {0.5, 1.0};
  space.resolutions = {12, 13, 16};
  return space;
}

// Blocks that choose their own width and may have no expansion.
inline SearchSpace small_wide_space() {
  SearchSpace space = small_space();
  space.name = "small wide";
  for (size_t i = 1; i < space.stages.size(); ++i) {
    space.stages[i].expansions = {1, 2, 4};
    space.stages[i].block_widths = {0.5, 0.75, 1};
  }
  space.check();
  return space;
}

// Depthwise-separable blocks with elastic output channels; the second stage may be skipped.
inline SearchSpace small_ds_space() {
  SearchSpace space;
  space.name = "small DS";
  space.block = BlockKind::kDepthwiseSeparable;
  space.stem = {12, 3, 1};
  space.divisor = 4;
  space.stages = {{16, 1, {3}, {1}, {1}, 8, 4},
                  {24, 1, {3, 5}, {1}, {0, 1}, 8, 4},
                  {32, 2, {3, 5}, {1}, {1, 2, 3}, 12, 4}};
  space.widths = {0.5, 1.0};
  space.resolutions = {12, 13, 16};
  space.check();
  return space;
}

// `count` images of two classes that differ in where the bright half is; noise from `seed`.
inline ImageSet two_classes(int64_t count, int size, uint64_t seed) {
  ImageSet set;
  set.height = set.width = size;
  set.channels = 3;
  Rng rng(seed);
  for (int64_t i = 0; i < count; ++i) {
    const int label = static_cast<int>(rng.below(2));
    set.labels.push_back(label);
    for (int y = 0; y < size; ++y) {
      for (int x = 0; x < size; ++x) {
        const bool bright = label == 0 ? y < size / 2 : y >= size / 2;
        for (int c = 0; c < 3; ++c)
          set.pixels.push_back(static_cast<uint8_t>((bright ? 130 : 80) + rng.below(60)));
      }
    }
  }
  return set;
}

}  // namespace tinynas
