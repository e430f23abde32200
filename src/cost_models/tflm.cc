#include "cost_models/tflm.h"

namespace tinynas {

int64_t tflm_scratch_bytes(const Graph& graph, const Op& op) {
  const int64_t column = int64_t{op.kernel_h} * op.kernel_w * graph.tensor(op.inputs[0]).shape.c;
  switch (op.kind) {
    case OpKind::kConv2d: {
      const bool pointwise = op.kernel_h == 1 && op.kernel_w == 1 && op.stride_h == 1 && op.stride_w == 1;
      return pointwise ? 0 : 2 * column * int64_t{sizeof(int16_t)};
    }
    case OpKind::kDepthwiseConv2d: {
      const bool small = op.kernel_h == 3 && op.kernel_w == 3 && op.padding.top <= 1 && op.padding.left <= 1;
      return small ? 0 : column * int64_t{sizeof(int16_t)};
    }
    case OpKind::kAdd:
    case OpKind::kGlobalAvgPool:
    case OpKind::kFullyConnected:
      return 0;
  }
  return 0;
}

}  // namespace tinynas
