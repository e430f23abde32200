#include "graph/lower.h"

#include "base/error.h"

namespace tinynas {

BlockNetwork network_of(const SearchSpace& space, const Architecture& architecture, int num_classes) {
  validate(space, architecture);
  if (num_classes < 1)
    throw usage_error("num_classes: got " + std::to_string(num_classes) + ", expected 1 or more");
  const double width = architecture.sub_space.width;
  const int resolution = architecture.sub_space.resolution;
  const auto scaled = [&](int channels) { return scaled_channels(channels, width, space.divisor); };

  BlockNetwork network;
  network.name = space.name;
  network.input = {resolution, resolution, space.input_channels};
  network.stem.channels = scaled(space.stem.channels);
  network.stem.kernel_h = network.stem.kernel_w = space.stem.kernel;
  network.stem.stride_h = network.stem.stride_w = space.stem.stride;
  size_t count = 0;
  for (const StageChoice& stage : architecture.stages) count += stage.blocks.size();
  network.blocks.reserve(count);
  int in_channels = network.stem.channels;
  int rows = (resolution + space.stem.stride - 1) / space.stem.stride;
  for (size_t i = 0; i < architecture.stages.size(); ++i) {
    const StageSpec& stage = space.stages[i];
    const int channels = scaled(stage.channels);
    for (size_t j = 0; j < architecture.stages[i].blocks.size(); ++j) {
      const BlockChoice& choice = architecture.stages[i].blocks[j];
      BlockSpec& block = network.blocks.emplace_back();
      block.stage = static_cast<int>(i);
      block.index = static_cast<int>(j);
      block.expanded_channels = choice.expansion == 1 ? 0 : in_channels * choice.expansion;
      block.kernel = choice.kernel;
      block.stride = j == 0 ? stage.stride : 1;
      block.channels = channels;
      const int out_rows = (rows + block.stride - 1) / block.stride;
      block.residual = in_channels == channels && rows == out_rows;
      in_channels = channels;
      rows = out_rows;
    }
  }
  if (space.head_channels > 0) network.head = ConvSpec{scaled(space.head_channels)};
  network.classes = num_classes;
  return network;
}

Graph lower(const SearchSpace& space, const Architecture& architecture, int num_classes, Names names) {
  return lower(network_of(space, architecture, num_classes), names);
}

}  // namespace tinynas
