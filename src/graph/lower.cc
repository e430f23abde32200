#include "graph/lower.h"

#include "base/error.h"

namespace tinynas {
namespace {

// Rows, columns and channels between two blocks, with SAME padding.
Shape strided(const Shape& in, int stride_h, int stride_w, int channels) {
  return {(in.h + stride_h - 1) / stride_h, (in.w + stride_w - 1) / stride_w, channels};
}

// What the block does with its input; `channels` is the stage's, for blocks that do not choose their own.
void fill_block(BlockSpec& block, BlockKind kind, const BlockChoice& choice, const Shape& in, int channels) {
  block.kernel = choice.kernel;
  if (kind == BlockKind::kDepthwiseSeparable) {
    block.channels = choice.channels;
    block.project_activation = Activation::kRelu6;
    return;
  }
  block.expanded_channels = choice.expansion == 1 ? 0 : in.c * choice.expansion;
  block.channels = choice.channels > 0 ? choice.channels : channels;
  block.residual = strided(in, block.stride, block.stride, block.channels) == in;
}

}  // namespace

BlockNetwork network_of(const SearchSpace& space, const Architecture& architecture, int num_classes) {
  validate(space, architecture);
  if (num_classes < 1)
    throw usage_error("num_classes: got " + std::to_string(num_classes) + ", expected 1 or more");
  const double width = architecture.sub_space.width;
  const int resolution = architecture.sub_space.resolution;
  const auto scaled = [&](int channels) { return scaled_channels(channels, width, space.divisor); };

  BlockNetwork network;
  network.name = space.name;
  network.input = {resolution, space.input_columns(resolution), space.input_channels};
  network.stem = {scaled(space.stem.channels), space.stem.kernel, space.stem.kernel_columns(),
                  space.stem.stride, space.stem.stride_columns()};
  size_t count = 0;
  for (const StageChoice& stage : architecture.stages) count += stage.blocks.size();
  network.blocks.reserve(count);
  Shape x = strided(network.input, network.stem.stride_h, network.stem.stride_w, network.stem.channels);
  for (size_t i = 0; i < architecture.stages.size(); ++i) {
    const StageSpec& stage = space.stages[i];
    const int channels = scaled(stage.channels);
    for (size_t j = 0; j < architecture.stages[i].blocks.size(); ++j) {
      BlockSpec& block = network.blocks.emplace_back();
      block.stage = static_cast<int>(i);
      block.index = static_cast<int>(j);
      block.stride = j == 0 ? stage.stride : 1;
      fill_block(block, space.block, architecture.stages[i].blocks[j], x, channels);
      x = strided(x, block.stride, block.stride, block.channels);
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
