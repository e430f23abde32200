// Graphs as JSON, and the names of kinds and activations.
#include <array>

#include "base/error.h"
#include "base/json_reader.h"
#include "graph/graph.h"

namespace tinynas {
namespace {

constexpr const char* kGraphFormat = "tinynas-graph-1";
constexpr std::array kKinds{
    OpKind::kConv2d,  OpKind::kDepthwiseConv2d, OpKind::kAdd, OpKind::kGlobalAvgPool, OpKind::kFullyConnected,
    OpKind::kAvgPool, OpKind::kSoftmax,         OpKind::kPad, OpKind::kReshape};
constexpr std::array kActivations{Activation::kNone, Activation::kRelu, Activation::kRelu6};

// The value of an enumeration that has the name in the JSON.
template <typename Values>
auto named(const JsonReader& reader, const Values& values) {
  const std::string text = reader.text();
  std::string expected;
  for (const auto value : values) {
    if (text == name_of(value)) return value;
    expected += (expected.empty() ? "" : ", ") + std::string(name_of(value));
  }
  reader.fail("one of " + expected);
}

int int_of(const JsonReader& reader) { return static_cast<int>(reader.integer(INT32_MIN, INT32_MAX)); }

std::vector<int> ints_of(const JsonReader& reader) {
  std::vector<int> values;
  for (const JsonReader& element : reader.elements()) values.push_back(int_of(element));
  return values;
}

template <size_t n>
std::array<int, n> int_array_of(const JsonReader& reader) {
  // Up to 2^16 each, so that sums of a few stay in an int; Graph::check() knows the real ranges.
  const std::vector<JsonReader> elements = reader.elements();
  if (elements.size() != n) reader.fail(std::to_string(n) + " integers");
  std::array<int, n> values;
  for (size_t i = 0; i < n; ++i) values[i] = static_cast<int>(elements[i].integer(0, 1 << 16));
  return values;
}

Tensor read_tensor(const JsonReader& reader) {
  reader.only({"name", "shape", "element_bytes"});
  const auto shape = int_array_of<3>(reader["shape"]);
  return {reader["name"].text(), {shape[0], shape[1], shape[2]}, int_of(reader["element_bytes"])};
}

Op read_op(const JsonReader& reader) {
  reader.only({"kind", "name", "inputs", "output", "kernel", "stride", "padding", "channel_padding",
               "depth_multiplier", "activation"});
  Op op;
  op.kind = named(reader["kind"], kKinds);
  op.name = reader["name"].text();
  const std::vector<int> inputs = ints_of(reader["inputs"]);
  if (inputs.size() > TensorIds::kCapacity) reader["inputs"].fail("at most two tensors");
  op.inputs = inputs;
  op.output = int_of(reader["output"]);
  const auto kernel = int_array_of<2>(reader["kernel"]);
  op.kernel_h = kernel[0];
  op.kernel_w = kernel[1];
  const auto stride = int_array_of<2>(reader["stride"]);
  op.stride_h = stride[0];
  op.stride_w = stride[1];
  const auto padding = int_array_of<4>(reader["padding"]);
  op.padding = {padding[0], padding[1], padding[2], padding[3]};
  if (reader.has("channel_padding")) {
    const auto channels = int_array_of<2>(reader["channel_padding"]);
    op.padding.channels_before = channels[0];
    op.padding.channels_after = channels[1];
  }
  if (reader.has("depth_multiplier")) op.depth_multiplier = int_of(reader["depth_multiplier"]);
  op.activation = named(reader["activation"], kActivations);
  return op;
}

}  // namespace

const char* name_of(OpKind kind) {
  switch (kind) {
    case OpKind::kConv2d:
      return "conv2d";
    case OpKind::kDepthwiseConv2d:
      return "depthwise_conv2d";
    case OpKind::kAdd:
      return "add";
    case OpKind::kGlobalAvgPool:
      return "global_avg_pool";
    case OpKind::kFullyConnected:
      return "fully_connected";
    case OpKind::kAvgPool:
      return "avg_pool";
    case OpKind::kSoftmax:
      return "softmax";
    case OpKind::kPad:
      return "pad";
    case OpKind::kReshape:
      return "reshape";
  }
  return "unknown";
}

const char* name_of(Activation activation) {
  switch (activation) {
    case Activation::kNone:
      return "none";
    case Activation::kRelu:
      return "relu";
    case Activation::kRelu6:
      return "relu6";
  }
  return "unknown";
}

nlohmann::json to_json(const Graph& graph) {
  nlohmann::json tensors = nlohmann::json::array();
  for (const Tensor& tensor : graph.tensors) {
    tensors.push_back({{"name", tensor.name},
                       {"shape", {tensor.shape.h, tensor.shape.w, tensor.shape.c}},
                       {"element_bytes", tensor.element_bytes}});
  }
  nlohmann::json ops = nlohmann::json::array();
  for (const Op& op : graph.ops) {
    const Padding& pad = op.padding;
    ops.push_back({{"kind", name_of(op.kind)},
                   {"name", op.name},
                   {"inputs", std::vector<TensorId>(op.inputs.begin(), op.inputs.end())},
                   {"output", op.output},
                   {"kernel", {op.kernel_h, op.kernel_w}},
                   {"stride", {op.stride_h, op.stride_w}},
                   {"padding", {pad.top, pad.left, pad.bottom, pad.right}},
                   {"activation", name_of(op.activation)}});
    if (pad.channels_before != 0 || pad.channels_after != 0)
      ops.back()["channel_padding"] = {pad.channels_before, pad.channels_after};
    if (op.depth_multiplier != 1) ops.back()["depth_multiplier"] = op.depth_multiplier;
  }
  return {{"format", kGraphFormat}, {"name", graph.name},    {"tensors", tensors}, {"ops", ops},
          {"input", graph.input},   {"output", graph.output}};
}

Graph graph_from_json(const nlohmann::json& json, const std::string& where) {
  const JsonReader reader(json, where);
  reader["format"].require_text(kGraphFormat);
  reader.only({"format", "name", "tensors", "ops", "input", "output"});
  Graph graph;
  graph.name = reader["name"].text();
  for (const JsonReader& element : reader["tensors"].elements())
    graph.tensors.push_back(read_tensor(element));
  for (const JsonReader& element : reader["ops"].elements()) graph.ops.push_back(read_op(element));
  graph.input = int_of(reader["input"]);
  graph.output = int_of(reader["output"]);
  try {
    graph.check();
  } catch (const Error& error) {
    throw Error(error.code(), where + ": " + error.what());
  }
  return graph;
}

}  // namespace tinynas
