// Which kernel of src/runtime runs an operator: what the package links, and what the costs are of.
#pragma once

#include "graph/graph.h"

namespace tinynas {

enum class Kernel {
  kConv2d,
  kConv2d1x1,
  kDepthwiseConv2d,
  kDepthwiseConv2dInPlace,
  kAdd,
  kGlobalAvgPool,
  kFullyConnected,
  kAvgPool,
  kSoftmax,
  kDepthwiseConv2dMultiplier
};
inline constexpr int kKernels = 10;

// `in_place`: as the memory plan decided (PlanStep::in_place).
Kernel kernel_of(const Op& op, bool in_place);

// The function in runtime/tn_kernels.h, for example "tn_conv2d_1x1".
const char* symbol_of(Kernel kernel);

}  // namespace tinynas
