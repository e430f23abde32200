// Published networks, written as search spaces: their figures judge lowering, counting and planning.
#pragma once

#include "space/architecture.h"

namespace tinynas::testing {

struct ReferenceNetwork {
  SearchSpace space;
  Architecture architecture;
};

// MobileNetV2 (Sandler et al. 2018, table 2): every dimension fixed.
inline ReferenceNetwork mobilenet_v2(double width, int resolution, int head_channels) {
  ReferenceNetwork net;
  net.space.name = "mobilenetv2";
  net.space.stages = {{16, 1, {3}, {1}, {1}}, {24, 2, {3}, {6}, {2}}, {32, 2, {3}, {6}, {3}},
                      {64, 2, {3}, {6}, {4}}, {96, 1, {3}, {6}, {3}}, {160, 2, {3}, {6}, {3}},
                      {320, 1, {3}, {6}, {1}}};
  net.space.head_channels = head_channels;
  net.space.widths = {width};
  net.space.resolutions = {resolution};
  net.space.check();
  net.architecture = largest(net.space, {width, resolution});
  return net;
}

// MCUNet for 320 KB of SRAM and 1 MB of Flash (Lin et al. 2020), the released genotype.
inline ReferenceNetwork mcunet_320k() {
  const std::vector<int> kernels{3, 5, 7}, expansions{3, 4, 5, 6}, depths{1, 2, 3, 4};
  ReferenceNetwork net;
  net.space.name = "mcunet-320k";
  net.space.stem.channels = 16;
  net.space.stages = {{8, 1, {3}, {1}, {1}},
                      {16, 2, kernels, expansions, depths},
                      {24, 2, kernels, expansions, depths},
                      {40, 2, kernels, expansions, depths},
                      {48, 1, kernels, expansions, depths},
                      {96, 2, kernels, expansions, depths},
                      {160, 1, kernels, expansions, depths}};
  net.space.widths = {1.0};
  net.space.resolutions = {176};
  net.space.check();
  net.architecture = {{1.0, 176},
                      {{{{3, 1}}},
                       {{{7, 3}, {3, 5}, {7, 5}, {5, 4}}},
                       {{{5, 5}, {5, 5}, {5, 5}}},
                       {{{3, 5}, {7, 6}, {5, 4}}},
                       {{{5, 5}, {7, 5}, {3, 5}}},
                       {{{3, 6}, {7, 5}, {3, 4}}},
                       {{{7, 5}}}}};
  return net;
}

}  // namespace tinynas::testing
