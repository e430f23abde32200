// The typed operator graph: the one description of a network that the planner, the search, the quantiser and
// the exporter share. Batch is 1; every tensor is NHWC. It holds shapes and operators, never weights.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "graph/tensor_ids.h"

namespace tinynas {

// Height, width, channels of an NHWC tensor with N = 1. A vector of n values is {1, 1, n}.
struct Shape {
  int h = 1;
  int w = 1;
  int c = 1;
  int64_t elements() const { return int64_t{h} * w * c; }
  bool operator==(const Shape&) const = default;
};

struct Tensor {
  std::string name;
  Shape shape;
  int element_bytes = 1;  // int8 activations
  int64_t bytes() const { return shape.elements() * element_bytes; }
};

enum class OpKind {
  kConv2d,           // full convolution; weights OHWI [c_out][kernel_h][kernel_w][c_in]
  kDepthwiseConv2d,  // weights HWC [kernel_h][kernel_w][c_out], c_out = c_in * depth_multiplier
  kAdd,              // two inputs of one shape
  kGlobalAvgPool,    // mean over h and w (TFLite MEAN): {h, w, c} -> {1, 1, c}
  kFullyConnected,   // weights [c_out][c_in] over the flattened input
  kAvgPool,          // mean over a window (TFLite AVERAGE_POOL_2D): positions outside the input do not count
  kSoftmax,          // over the channels of every position; no activation
  kPad,              // zeros around the input, of channels too (TFLite PAD); no activation
  kReshape           // the same values in the same order under another shape (TFLite RESHAPE); no activation
};

enum class Activation { kNone, kRelu, kRelu6 };

const char* name_of(OpKind kind);  // "conv2d", "depthwise_conv2d", "add", "global_avg_pool",
                                   // "fully_connected", "avg_pool", "softmax", "pad", "reshape"
const char* name_of(Activation activation);

// Explicit padding of zeros (real 0, that is the zero point) in rows and columns; kPad alone pads channels
// too.
struct Padding {
  int top = 0;
  int left = 0;
  int bottom = 0;
  int right = 0;
  int channels_before = 0;
  int channels_after = 0;
  bool operator==(const Padding&) const = default;
};

// Padding of TFLite's SAME rule for one axis: out = ceil(in / stride), total = max((out-1)*stride + kernel -
// in, 0), before = total / 2 (the smaller half comes first). Returns {before, after}.
std::pair<int, int> same_padding(int in, int kernel, int stride);

struct Op {
  OpKind kind = OpKind::kConv2d;
  std::string name;  // unique, for example "stage2.block1.depthwise"; the key of its weights
  TensorIds inputs;
  TensorId output = -1;
  int kernel_h = 1;
  int kernel_w = 1;
  int stride_h = 1;
  int stride_w = 1;
  Padding padding;
  // Depthwise convolution: output channel c reads input channel c / depth_multiplier. 1 for other kinds.
  int depth_multiplier = 1;
  Activation activation = Activation::kNone;  // fused, applied to the output

  bool has_weights() const {
    return kind == OpKind::kConv2d || kind == OpKind::kDepthwiseConv2d || kind == OpKind::kFullyConnected;
  }
};

struct Graph {
  std::string name;
  std::vector<Tensor> tensors;
  std::vector<Op> ops;  // in an order in which every input is produced before it is read
  TensorId input = -1;
  TensorId output = -1;

  const Tensor& tensor(TensorId id) const { return tensors[static_cast<size_t>(id)]; }

  // Throws Error(kUsage) naming the operator: ids in range, inputs produced before they are read, exactly one
  // producer, shapes as shape inference says, no unused tensor; sizes within what the kernels' structs hold
  // (65,535 rows, columns and channels; 2^28 values a tensor; kernels up to 63).
  void check() const;
};

// Output shape of `op` for its input shapes; throws Error(kUsage) naming the operator when they do not agree.
// `wanted` has what the inputs leave open: c of convolutions and fully connected, which their weights choose,
// and the whole shape of a reshape; not used for the other kinds.
Shape infer_shape(const Op& op, const std::vector<Shape>& inputs, const Shape& wanted);

// Nominal multiply-accumulates (1 MAC = 2 FLOPs), padded taps included; operators without weights count 0
// MACs.
int64_t macs(const Graph& graph, const Op& op);
int64_t macs(const Graph& graph);

// Weights and biases, in values. Batch norm is folded: every operator with weights has c_out biases.
int64_t weight_count(const Graph& graph, const Op& op);
int64_t bias_count(const Graph& graph, const Op& op);
int64_t params(const Graph& graph);
// Parameters as papers count them: weights, batch norm's scale and shift for every output channel of a
// convolution, and the bias of fully connected operators. Folding leaves params() of them on the device.
int64_t published_params(const Graph& graph);

// {"format": "tinynas-graph-1", ...}: the graph as JSON and back (model.int8.json holds one).
nlohmann::json to_json(const Graph& graph);
Graph graph_from_json(const nlohmann::json& json, const std::string& where);

}  // namespace tinynas
