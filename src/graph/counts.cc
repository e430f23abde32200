// MACs and parameters.
#include "graph/graph.h"

namespace tinynas {
namespace {

int64_t input_channels(const Graph& graph, const Op& op) { return graph.tensor(op.inputs[0]).shape.c; }

}  // namespace

int64_t weight_count(const Graph& graph, const Op& op) {
  const int64_t taps = int64_t{op.kernel_h} * op.kernel_w;
  switch (op.kind) {
    case OpKind::kConv2d:
      return taps * input_channels(graph, op) * graph.tensor(op.output).shape.c;
    case OpKind::kDepthwiseConv2d:
      return taps * graph.tensor(op.output).shape.c;
    case OpKind::kFullyConnected:
      return graph.tensor(op.inputs[0]).shape.elements() * graph.tensor(op.output).shape.c;
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

int64_t bias_count(const Graph& graph, const Op& op) {
  return op.has_weights() ? graph.tensor(op.output).shape.c : 0;
}

int64_t macs(const Graph& graph, const Op& op) {
  // Every weight of a convolution is used once per output position, and padded taps count as well.
  const Shape& out = graph.tensor(op.output).shape;
  return weight_count(graph, op) * out.h * out.w;
}

int64_t macs(const Graph& graph) {
  int64_t total = 0;
  for (const Op& op : graph.ops) total += macs(graph, op);
  return total;
}

int64_t params(const Graph& graph) {
  int64_t total = 0;
  for (const Op& op : graph.ops) total += weight_count(graph, op) + bias_count(graph, op);
  return total;
}

int64_t published_params(const Graph& graph) {
  int64_t total = 0;
  for (const Op& op : graph.ops) {
    const int64_t per_channel = op.kind == OpKind::kFullyConnected ? 1 : 2;
    total += weight_count(graph, op) + per_channel * bias_count(graph, op);
  }
  return total;
}

}  // namespace tinynas
