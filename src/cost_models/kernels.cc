#include "cost_models/kernels.h"

#include "base/error.h"

namespace tinynas {

Kernel kernel_of(const Op& op, bool in_place) {
  switch (op.kind) {
    case OpKind::kConv2d: {
      const bool pointwise = op.kernel_h == 1 && op.kernel_w == 1 && op.stride_h == 1 && op.stride_w == 1 &&
                             op.padding == Padding{};
      return pointwise ? Kernel::kConv2d1x1 : Kernel::kConv2d;
    }
    case OpKind::kDepthwiseConv2d:
      if (op.depth_multiplier > 1) return Kernel::kDepthwiseConv2dMultiplier;
      return in_place ? Kernel::kDepthwiseConv2dInPlace : Kernel::kDepthwiseConv2d;
    case OpKind::kAdd:
      return Kernel::kAdd;
    case OpKind::kGlobalAvgPool:
      return Kernel::kGlobalAvgPool;
    case OpKind::kFullyConnected:
      return Kernel::kFullyConnected;
    case OpKind::kAvgPool:
      return Kernel::kAvgPool;
    case OpKind::kSoftmax:
      return Kernel::kSoftmax;
  }
  throw Error(ExitCode::kFailure, "operator \"" + op.name + "\" is of a kind that no kernel runs");
}

const char* symbol_of(Kernel kernel) {
  switch (kernel) {
    case Kernel::kConv2d:
      return "tn_conv2d";
    case Kernel::kConv2d1x1:
      return "tn_conv2d_1x1";
    case Kernel::kDepthwiseConv2d:
      return "tn_depthwise_conv2d";
    case Kernel::kDepthwiseConv2dInPlace:
      return "tn_depthwise_conv2d_in_place";
    case Kernel::kAdd:
      return "tn_add";
    case Kernel::kGlobalAvgPool:
      return "tn_global_avg_pool";
    case Kernel::kFullyConnected:
      return "tn_fully_connected";
    case Kernel::kAvgPool:
      return "tn_avg_pool";
    case Kernel::kSoftmax:
      return "tn_softmax";
    case Kernel::kDepthwiseConv2dMultiplier:
      return "tn_depthwise_conv2d_multiplier";
  }
  throw Error(ExitCode::kFailure, "unknown kernel");
}

}  // namespace tinynas
