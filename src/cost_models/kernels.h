// Which kernel of src/runtime runs an operator: what the package links, and what the costs are of.
#pragma once

#include "cost_models/variant.h"
#include "graph/graph.h"

namespace tinynas {

// Those up to kFullyConnected are instances of a template (runtime/tn_instances.h); the others are files.
enum class Kernel {
  kConv2d,
  kConv2d1x1,  // stride 1, no padding, in_c a multiple of 4
  kDepthwise3x3s1,
  kDepthwise3x3s2,
  kDepthwise5x5s1,
  kDepthwise5x5s2,
  kDepthwise7x7s1,
  kDepthwise7x7s2,
  kDepthwise,         // any other, and depth multipliers; portable code in every variant
  kDepthwiseInPlace,  // the same, over its input
  kFullyConnected,
  kAdd,
  kGlobalAvgPool,
  kAvgPool,
  kSoftmax,
  kPad,     // and a reshape whose input is still needed: a copy
  kReshape  // no code: the input's bytes are the output's
};
inline constexpr int kKernels = 17;

// A depthwise convolution of one input channel into several is a convolution: the exporter lays its weights
// out as one.
bool runs_as_conv2d(const Graph& graph, const Op& op);

// `in_place`: as the memory plan decided (PlanStep::in_place).
Kernel kernel_of(const Graph& graph, const Op& op, bool in_place, KernelVariant variant);

// A depthwise convolution that the variants dsp and mve have a template of.
inline bool has_template(Kernel kernel) {
  return kernel >= Kernel::kDepthwise3x3s1 && kernel <= Kernel::kDepthwise7x7s2;
}
inline bool is_instance(Kernel kernel) { return kernel <= Kernel::kFullyConnected; }

// For example "conv2d_1x1", "depthwise_3x3_s1", "add".
const char* name_of(Kernel kernel);

}  // namespace tinynas
