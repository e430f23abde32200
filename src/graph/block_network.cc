#include "graph/block_network.h"

#include "base/error.h"

namespace tinynas {
namespace {

TensorId lower_block(GraphBuilder& builder, TensorId in, const BlockSpec& block) {
  if (builder.named()) builder.set_prefix(block_name(block) + ".");
  TensorId x = in;
  if (block.expanded_channels > 0) {
    x = builder.pointwise("expand", x, block.expanded_channels, block.activation);
  }
  x = builder.depthwise("depthwise", x, block.kernel, block.stride, block.activation);
  x = builder.pointwise("project", x, block.channels, block.project_activation);
  if (!block.residual) return x;
  if (!(builder.shape(x) == builder.shape(in))) {
    throw usage_error(block_name(block) +
                      ".add: the block's output has another shape than its input, expected the same");
  }
  return builder.add("add", in, x);
}

}  // namespace

std::string block_name(const BlockSpec& block) {
  const std::string stage = block.stage < 0 ? "" : "stage" + std::to_string(block.stage) + ".";
  return stage + "block" + std::to_string(block.index);
}

Graph lower(const BlockNetwork& network, Names names) {
  Graph graph;
  graph.name = network.name;
  GraphBuilder builder(graph, names, 4 * network.blocks.size() + 4);
  TensorId x = builder.input(network.input);
  const ConvSpec& stem = network.stem;
  x = builder.conv("stem", x, stem.channels, stem.kernel_h, stem.kernel_w, stem.stride_h, stem.stride_w,
                   stem.activation);
  for (const BlockSpec& block : network.blocks) x = lower_block(builder, x, block);
  builder.set_prefix("");
  if (network.head) {
    const ConvSpec& head = *network.head;
    x = builder.conv("head", x, head.channels, head.kernel_h, head.kernel_w, head.stride_h, head.stride_w,
                     head.activation);
  }
  x = builder.global_avg_pool("pool", x);
  graph.output = builder.fully_connected("classifier", x, network.classes);
  return graph;
}

}  // namespace tinynas
