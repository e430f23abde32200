#include "cost_models/step_rules.h"

#include "cost_models/kernels.h"
#include "cost_models/tflm.h"
#include "runtime/tn_buffer_sizes.h"

namespace tinynas {

bool every_window_begins_inside(const Op& op, const Shape& in, const Shape& out) {
  return (out.h - 1) * op.stride_h < in.h && (out.w - 1) * op.stride_w < in.w;
}

int64_t scratch_bytes(const Graph& graph, const Op& op, bool in_place, Runtime runtime,
                      KernelVariant kernels) {
  if (runtime == Runtime::kTflm) return tflm_scratch_bytes(graph, op);
  return row_scratch_bytes(graph, op, in_place, graph.tensor(op.inputs[0]).shape.w, kernels);
}

// No kernel's scratch depends on the height: they all work row by row inside.
int64_t row_scratch_bytes(const Graph& graph, const Op& op, bool in_place, int input_columns,
                          KernelVariant kernels) {
  const Shape& in = graph.tensor(op.inputs[0]).shape;
  const Shape& out = graph.tensor(op.output).shape;
  const auto variant = static_cast<int32_t>(kernels);
  switch (op.kind) {
    case OpKind::kConv2d:
      return tn_conv2d_get_buffer_size(in.c, op.kernel_h, op.kernel_w, variant);
    case OpKind::kDepthwiseConv2d:
      if (runs_as_conv2d(graph, op))
        return tn_conv2d_get_buffer_size(in.c, op.kernel_h, op.kernel_w, variant);
      if (op.depth_multiplier > 1) return 0;
      return tn_depthwise_conv2d_get_buffer_size(input_columns, op.kernel_h, op.kernel_w, op.stride_h,
                                                 op.stride_w, in_place ? 1 : 0,
                                                 every_window_begins_inside(op, in, out) ? 1 : 0, variant);
    case OpKind::kFullyConnected:
      return tn_fully_connected_get_buffer_size(static_cast<int32_t>(in.elements()), variant);
    case OpKind::kAdd:
    case OpKind::kGlobalAvgPool:
    case OpKind::kAvgPool:
    case OpKind::kSoftmax:
    case OpKind::kPad:
    case OpKind::kReshape:
      return 0;
  }
  return 0;
}

InPlaceRules::InPlaceRules(const Graph& graph, bool allowed)
    : graph_(graph), allowed_(allowed), made_smaller_(graph.tensors.size(), false) {
  for (const Op& op : graph.ops) {
    const bool is_depthwise = op.kind == OpKind::kDepthwiseConv2d && op.depth_multiplier == 1;
    if (!is_depthwise && op.kind != OpKind::kAdd && op.kind != OpKind::kReshape) continue;
    bool smaller = is_depthwise && graph.tensor(op.output).bytes() < graph.tensor(op.inputs[0]).bytes();
    for (const TensorId id : op.inputs) smaller = smaller || made_smaller_[static_cast<size_t>(id)];
    made_smaller_[static_cast<size_t>(op.output)] = smaller;
  }
}

bool InPlaceRules::can(const Op& op, size_t i) const {
  if (!allowed_) return false;
  const Tensor& in = graph_.tensor(op.inputs[i]);
  const Tensor& out = graph_.tensor(op.output);
  if (in.element_bytes != out.element_bytes) return false;
  if (op.kind == OpKind::kAdd) return in.shape == out.shape;
  if (op.kind == OpKind::kReshape) return true;
  if (op.kind != OpKind::kDepthwiseConv2d || op.depth_multiplier > 1 ||
      !every_window_begins_inside(op, in.shape, out.shape))
    return false;
  return out.bytes() == in.bytes() || !made_smaller_[static_cast<size_t>(op.inputs[i])];
}

}  // namespace tinynas
