#include "graph/graph_builder.h"

#include "base/error.h"
#include "graph/limits.h"

namespace tinynas {

GraphBuilder::GraphBuilder(Graph& graph, Names names, size_t expected_operators)
    : graph_(graph), named_(names == Names::kFull) {
  graph_.ops.reserve(expected_operators);
  graph_.tensors.reserve(expected_operators + 1);
}

std::string GraphBuilder::full_name(std::string_view name) const {
  std::string full = prefix_;
  full += name;
  return full;
}

TensorId GraphBuilder::add_tensor(std::string_view name, const Shape& shape) {
  const auto in_range = [](int size) { return size >= 1 && size <= kMaxDimension; };
  if (!in_range(shape.h) || !in_range(shape.w) || !in_range(shape.c) || shape.elements() > kMaxElements) {
    throw usage_error("graph \"" + graph_.name + "\": tensor \"" + full_name(name) + "\" of " +
                      std::to_string(shape.h) + "x" + std::to_string(shape.w) + "x" +
                      std::to_string(shape.c) + " is out of range, expected 1 to " +
                      std::to_string(kMaxDimension) + " each and up to " + std::to_string(kMaxElements) +
                      " values, which the kernels can address");
  }
  Tensor& tensor = graph_.tensors.emplace_back();
  if (named_) tensor.name = full_name(name);
  tensor.shape = shape;
  return static_cast<TensorId>(graph_.tensors.size()) - 1;
}

Op& GraphBuilder::append(OpKind kind, std::string_view name, TensorIds inputs, const Shape& output) {
  const TensorId made = add_tensor(name, output);
  // Not emplace_back() alone: that would zero the operator first, and every operator of every candidate comes
  // here.
  Op op;
  op.kind = kind;
  op.inputs = inputs;
  op.output = made;
  if (named_) op.name = full_name(name);
  return graph_.ops.emplace_back(std::move(op));
}

TensorId GraphBuilder::windowed(OpKind kind, std::string_view name, TensorId in, int channels, int kernel_h,
                                int kernel_w, int stride_h, int stride_w, Activation activation) {
  const Shape from = shape(in);
  const Shape to{(from.h + stride_h - 1) / stride_h, (from.w + stride_w - 1) / stride_w, channels};
  Op& op = append(kind, name, {in}, to);
  op.kernel_h = kernel_h;
  op.kernel_w = kernel_w;
  op.stride_h = stride_h;
  op.stride_w = stride_w;
  op.activation = activation;
  if (kernel_h > 1 || kernel_w > 1 || stride_h > 1 || stride_w > 1) {
    const auto [top, bottom] = same_padding(from.h, kernel_h, stride_h);
    const auto [left, right] = same_padding(from.w, kernel_w, stride_w);
    op.padding = {top, left, bottom, right};
  }
  return op.output;
}

TensorId GraphBuilder::input(const Shape& shape) { return graph_.input = add_tensor("input", shape); }

TensorId GraphBuilder::conv(std::string_view name, TensorId in, int channels, int kernel_h, int kernel_w,
                            int stride_h, int stride_w, Activation activation) {
  return windowed(OpKind::kConv2d, name, in, channels, kernel_h, kernel_w, stride_h, stride_w, activation);
}

TensorId GraphBuilder::depthwise(std::string_view name, TensorId in, int kernel, int stride,
                                 Activation activation, int depth_multiplier) {
  const TensorId out = windowed(OpKind::kDepthwiseConv2d, name, in, shape(in).c * depth_multiplier, kernel,
                                kernel, stride, stride, activation);
  graph_.ops.back().depth_multiplier = depth_multiplier;
  return out;
}

TensorId GraphBuilder::add(std::string_view name, TensorId a, TensorId b) {
  const Shape sum = shape(a);
  return append(OpKind::kAdd, name, {a, b}, sum).output;
}

TensorId GraphBuilder::global_avg_pool(std::string_view name, TensorId in) {
  return append(OpKind::kGlobalAvgPool, name, {in}, {1, 1, shape(in).c}).output;
}

TensorId GraphBuilder::softmax(std::string_view name, TensorId in) {
  const Shape same = shape(in);
  return append(OpKind::kSoftmax, name, {in}, same).output;
}

TensorId GraphBuilder::fully_connected(std::string_view name, TensorId in, int outputs) {
  return append(OpKind::kFullyConnected, name, {in}, {1, 1, outputs}).output;
}

}  // namespace tinynas
