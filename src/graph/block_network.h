// A network as a list of blocks with explicit channels: what a genotype and the published network files have
// in common, and what is lowered to operators.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "graph/graph_builder.h"

namespace tinynas {

// A full convolution, SAME padding.
struct ConvSpec {
  int channels = 0;  // c_out
  int kernel_h = 1;
  int kernel_w = 1;
  int stride_h = 1;
  int stride_w = 1;
  Activation activation = Activation::kRelu6;
};

// [1x1 expansion] -> depthwise k x k -> 1x1 projection [-> + block input]. MBConv (MobileNetV2, section 3)
// has an expansion and a linear projection; a depthwise-separable block (MobileNet, MicroNets) has no
// expansion and an activation after the projection.
struct BlockSpec {
  int stage = -1;  // operators are called "stage<s>.block<i>...", or "block<i>..." where there are no stages
  int index = 0;
  int expanded_channels = 0;  // 0 = no expansion
  int kernel = 3;
  int stride = 1;
  Activation activation = Activation::kRelu6;  // of expansion and depthwise
  int channels = 0;                            // c_out
  Activation project_activation = Activation::kNone;
  bool residual = false;  // needs an output of the block input's shape
};

struct BlockNetwork {
  std::string name;
  Shape input;
  ConvSpec stem;
  std::vector<BlockSpec> blocks;
  std::optional<ConvSpec> head;  // before the global average pooling
  int classes = 0;
};

// "stage0.block1", or "block1" where there are no stages.
std::string block_name(const BlockSpec& block);

// Operators: "stem"; "<block>.expand|depthwise|project|add"; "head"; "pool"; "classifier" (fully connected,
// no activation: the output is logits). A tensor has the name of the operator that makes it; the input is
// "input". Throws Error(kUsage) naming the tensor that is out of range, or the block whose residual has
// another shape.
Graph lower(const BlockNetwork& network, Names names = Names::kFull);

}  // namespace tinynas
