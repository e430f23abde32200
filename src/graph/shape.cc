// Shape inference and padding.
#include <algorithm>

#include "base/error.h"
#include "graph/graph.h"
#include "graph/limits.h"

namespace tinynas {
namespace {

std::string text_of(const Shape& shape) {
  return "{" + std::to_string(shape.h) + ", " + std::to_string(shape.w) + ", " + std::to_string(shape.c) +
         "}";
}

[[noreturn]] void fail(const Op& op, const std::string& message) {
  throw usage_error("operator \"" + op.name + "\" (" + name_of(op.kind) + "): " + message);
}

void require_inputs(const Op& op, const std::vector<Shape>& inputs, size_t expected) {
  if (inputs.size() != expected) {
    fail(op, "got " + std::to_string(inputs.size()) + " inputs, expected " + std::to_string(expected));
  }
}

void require_no_window(const Op& op) {
  if (op.kernel_h != 1 || op.kernel_w != 1 || op.stride_h != 1 || op.stride_w != 1 ||
      !(op.padding == Padding{})) {
    fail(op, "has a kernel, stride or padding, expected none");
  }
}

void require_depth_multiplier(const Op& op, const Shape& in) {
  const bool depthwise = op.kind == OpKind::kDepthwiseConv2d;
  const int most = depthwise ? kMaxDimension / std::max(in.c, 1) : 1;
  if (op.depth_multiplier < 1 || op.depth_multiplier > most) {
    fail(op, "got depth multiplier " + std::to_string(op.depth_multiplier) + ", expected " +
                 (depthwise ? "1 to " + std::to_string(most) : "1"));
  }
}

void require_no_activation(const Op& op) {
  if (op.activation != Activation::kNone)
    fail(op, std::string("has the activation ") + name_of(op.activation) + ", expected none");
}

// A pad has padding and nothing else.
Shape padded_shape(const Op& op, const Shape& in) {
  const Padding& pad = op.padding;
  Op rest = op;
  rest.padding = {};
  require_no_window(rest);
  require_no_activation(op);
  const auto padded = [&](const char* axis, int size, int before, int after) {
    const auto in_range = [](int by) { return by >= 0 && by <= kMaxDimension; };
    if (!in_range(before) || !in_range(after)) {
      fail(op, std::string(axis) + ": got padding " + std::to_string(before) + " and " +
                   std::to_string(after) + ", expected 0 to " + std::to_string(kMaxDimension));
    }
    return size + before + after;
  };
  return {padded("rows", in.h, pad.top, pad.bottom), padded("columns", in.w, pad.left, pad.right),
          padded("channels", in.c, pad.channels_before, pad.channels_after)};
}

// Output size of a sliding window along one axis.
int window_output(const Op& op, const char* axis, int in, int kernel, int stride, int before, int after) {
  if (kernel < 1 || kernel > kMaxKernelSize || stride < 1 || stride > kMaxStride) {
    fail(op, std::string(axis) + ": got kernel " + std::to_string(kernel) + ", stride " +
                 std::to_string(stride) + ", expected kernel 1 to " + std::to_string(kMaxKernelSize) +
                 ", stride 1 to " + std::to_string(kMaxStride));
  }
  // A window that lies in the padding alone would compute nothing but the bias.
  if (before < 0 || before >= kernel || after < 0 || after >= kernel) {
    fail(op, std::string(axis) + ": got padding " + std::to_string(before) + " and " + std::to_string(after) +
                 ", expected 0 to " + std::to_string(kernel - 1));
  }
  if (in + before + after < kernel) {
    fail(op, std::string(axis) + ": the kernel of " + std::to_string(kernel) +
                 " is larger than the padded input of " + std::to_string(in + before + after));
  }
  return (in + before + after - kernel) / stride + 1;
}

}  // namespace

std::pair<int, int> same_padding(int in, int kernel, int stride) {
  const int out = (in + stride - 1) / stride;
  const int total = std::max((out - 1) * stride + kernel - in, 0);
  return {total / 2, total - total / 2};
}

Shape infer_shape(const Op& op, const std::vector<Shape>& inputs, const Shape& wanted) {
  require_inputs(op, inputs, op.kind == OpKind::kAdd ? 2 : 1);
  require_depth_multiplier(op, inputs[0]);
  const Shape& in = inputs[0];
  switch (op.kind) {
    case OpKind::kConv2d:
    case OpKind::kDepthwiseConv2d:
    case OpKind::kAvgPool: {
      const Padding& pad = op.padding;
      if (pad.channels_before != 0 || pad.channels_after != 0) fail(op, "pads channels, expected none");
      return {window_output(op, "rows", in.h, op.kernel_h, op.stride_h, pad.top, pad.bottom),
              window_output(op, "columns", in.w, op.kernel_w, op.stride_w, pad.left, pad.right),
              op.kind == OpKind::kConv2d ? wanted.c : in.c * op.depth_multiplier};
    }
    case OpKind::kAdd:
      require_no_window(op);
      if (!(inputs[0] == inputs[1])) {
        fail(op, "the inputs have shapes " + text_of(inputs[0]) + " and " + text_of(inputs[1]) +
                     ", expected one shape");
      }
      return in;
    case OpKind::kGlobalAvgPool:
      require_no_window(op);
      return {1, 1, in.c};
    case OpKind::kFullyConnected:
      require_no_window(op);
      return {1, 1, wanted.c};
    case OpKind::kSoftmax:
      require_no_window(op);
      require_no_activation(op);
      return in;
    case OpKind::kPad:
      return padded_shape(op, in);
    case OpKind::kReshape:
      require_no_window(op);
      require_no_activation(op);
      if (wanted.elements() != in.elements())
        fail(op, "got the shape " + text_of(wanted) + " for the values of " + text_of(in));
      return wanted;
  }
  fail(op, "is of an unknown kind");
}

}  // namespace tinynas
