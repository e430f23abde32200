#include "cost_models/kernels.h"

#include "base/error.h"
#include "cost_models/step_rules.h"

namespace tinynas {
namespace {

Kernel conv2d_of(const Op& op, int in_c) {
  const bool pointwise = op.kernel_h == 1 && op.kernel_w == 1 && op.stride_h == 1 && op.stride_w == 1 &&
                         op.padding == Padding{} && in_c % 4 == 0;
  return pointwise ? Kernel::kConv2d1x1 : Kernel::kConv2d;
}

Kernel depthwise_of(const Graph& graph, const Op& op, bool in_place, KernelVariant variant) {
  const bool has_template =
      variant != KernelVariant::kPortable && op.depth_multiplier == 1 &&
      tn_depthwise_has_template(op.kernel_h, op.kernel_w, op.stride_h, op.stride_w) != 0 &&
      every_window_begins_inside(op, graph.tensor(op.inputs[0]).shape, graph.tensor(op.output).shape);
  if (!has_template) return in_place ? Kernel::kDepthwiseInPlace : Kernel::kDepthwise;
  const bool strided = op.stride_h == 2;
  if (op.kernel_h == 3) return strided ? Kernel::kDepthwise3x3s2 : Kernel::kDepthwise3x3s1;
  if (op.kernel_h == 5) return strided ? Kernel::kDepthwise5x5s2 : Kernel::kDepthwise5x5s1;
  return strided ? Kernel::kDepthwise7x7s2 : Kernel::kDepthwise7x7s1;
}

}  // namespace

bool runs_as_conv2d(const Graph& graph, const Op& op) {
  return op.kind == OpKind::kConv2d || (op.kind == OpKind::kDepthwiseConv2d && op.depth_multiplier > 1 &&
                                        graph.tensor(op.inputs[0]).shape.c == 1);
}

Kernel kernel_of(const Graph& graph, const Op& op, bool in_place, KernelVariant variant) {
  if (runs_as_conv2d(graph, op)) return conv2d_of(op, graph.tensor(op.inputs[0]).shape.c);
  switch (op.kind) {
    case OpKind::kConv2d:
      break;
    case OpKind::kDepthwiseConv2d:
      return depthwise_of(graph, op, in_place, variant);
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
    case OpKind::kPad:
      return Kernel::kPad;
    case OpKind::kReshape:
      return in_place ? Kernel::kReshape : Kernel::kPad;
  }
  throw Error(ExitCode::kFailure, "operator \"" + op.name + "\" is of a kind that no kernel runs");
}

const char* name_of(Kernel kernel) {
  switch (kernel) {
    case Kernel::kConv2d:
      return "conv2d";
    case Kernel::kConv2d1x1:
      return "conv2d_1x1";
    case Kernel::kDepthwise3x3s1:
      return "depthwise_3x3_s1";
    case Kernel::kDepthwise3x3s2:
      return "depthwise_3x3_s2";
    case Kernel::kDepthwise5x5s1:
      return "depthwise_5x5_s1";
    case Kernel::kDepthwise5x5s2:
      return "depthwise_5x5_s2";
    case Kernel::kDepthwise7x7s1:
      return "depthwise_7x7_s1";
    case Kernel::kDepthwise7x7s2:
      return "depthwise_7x7_s2";
    case Kernel::kDepthwise:
      return "depthwise";
    case Kernel::kDepthwiseInPlace:
      return "depthwise_in_place";
    case Kernel::kFullyConnected:
      return "fully_connected";
    case Kernel::kAdd:
      return "add";
    case Kernel::kGlobalAvgPool:
      return "global_avg_pool";
    case Kernel::kAvgPool:
      return "avg_pool";
    case Kernel::kSoftmax:
      return "softmax";
    case Kernel::kPad:
      return "pad";
    case Kernel::kReshape:
      return "reshape";
  }
  throw Error(ExitCode::kFailure, "unknown kernel");
}

}  // namespace tinynas
