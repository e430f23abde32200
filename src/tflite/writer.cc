#include <flatbuffers/flatbuffers.h>
#include <schema_generated.h>

#include <map>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "tflite/metadata.h"
#include "tflite/tflite.h"

namespace tinynas {
namespace {

template <typename T>
using Offset = flatbuffers::Offset<T>;
using Code = fb::BuiltinOperator;

// The first version of each operator that takes int8 with per-channel weights.
int version_of(Code code) {
  switch (code) {
    case Code::RESHAPE:
      return 1;
    case Code::CONV_2D:
    case Code::DEPTHWISE_CONV_2D:
      return 3;
    case Code::FULLY_CONNECTED:
      return 4;
    default:
      return 2;
  }
}

fb::ActivationFunctionType activation_of(Activation activation) {
  switch (activation) {
    case Activation::kRelu:
      return fb::ActivationFunctionType::RELU;
    case Activation::kRelu6:
      return fb::ActivationFunctionType::RELU6;
    case Activation::kNone:
      break;
  }
  return fb::ActivationFunctionType::NONE;
}

[[noreturn]] void fail(const Op& op, const std::string& problem) {
  throw usage_error("operator '" + op.name + "' has no form in a .tflite file: " + problem);
}

std::vector<int32_t> dims_of(const Shape& shape) { return {1, shape.h, shape.w, shape.c}; }

class Writer {
 public:
  explicit Writer(const Int8Model& model) : model_(model), graph_(model.graph) {
    add_buffer({});
    for (size_t id = 0; id < graph_.tensors.size(); ++id) nhwc_.push_back(-1);
  }

  std::string write() {
    // TensorFlow Lite's fully connected operators make {1, n}; so do softmaxes of those.
    std::vector<bool> flat(graph_.tensors.size(), false);
    for (const Op& op : graph_.ops) {
      const bool flat_input = flat[static_cast<size_t>(op.inputs[0])];
      flat[static_cast<size_t>(op.output)] =
          op.kind == OpKind::kFullyConnected || (op.kind == OpKind::kSoftmax && flat_input);
    }
    for (size_t id = 0; id < graph_.tensors.size(); ++id) {
      const Tensor& tensor = graph_.tensors[id];
      const std::vector<int32_t> dims =
          flat[id] ? std::vector<int32_t>{1, tensor.shape.c} : dims_of(tensor.shape);
      // Tensors of the file have the graph's ids; constants and reshaped ones come after.
      add_tensor(tensor.name, dims, model_.tensors[id]);
      if (!flat[id]) nhwc_[id] = static_cast<int32_t>(id);
    }
    for (size_t i = 0; i < graph_.ops.size(); ++i) add_op(graph_.ops[i], model_.ops[i]);
    return finish();
  }

 private:
  // ---- tensors and buffers

  uint32_t add_buffer(const std::vector<uint8_t>& bytes) {
    const auto data =
        bytes.empty() ? 0
                      : (builder_.ForceVectorAlignment(bytes.size(), 1, 16), builder_.CreateVector(bytes));
    buffers_.push_back(fb::CreateBuffer(builder_, data));
    return static_cast<uint32_t>(buffers_.size()) - 1;
  }

  int32_t add_tensor(const std::string& name, const std::vector<int32_t>& dims, fb::TensorType type,
                     uint32_t buffer, const std::vector<float>& scales, int64_t zero_point,
                     int quantized_dimension) {
    Offset<fb::QuantizationParameters> quantization = 0;
    if (!scales.empty()) {
      const auto scale = builder_.CreateVector(scales);
      const auto zero_points = builder_.CreateVector(std::vector<int64_t>(scales.size(), zero_point));
      quantization =
          fb::CreateQuantizationParameters(builder_, 0, 0, scale, zero_points, quantized_dimension);
    }
    const auto shape = builder_.CreateVector(dims);
    const auto text = builder_.CreateString(name);
    tensors_.push_back(fb::CreateTensor(builder_, shape, type, buffer, text, quantization));
    return static_cast<int32_t>(tensors_.size()) - 1;
  }

  int32_t add_tensor(const std::string& name, const std::vector<int32_t>& dims, const QuantParams& params) {
    return add_tensor(name, dims, fb::TensorType::INT8, 0, {params.scale}, params.zero_point, 0);
  }

  // Little endian whatever the host.
  int32_t add_ints(const std::string& name, const std::vector<int32_t>& dims,
                   const std::vector<int32_t>& values, const std::vector<float>& scales) {
    std::vector<uint8_t> bytes;
    for (const int32_t value : values) {
      for (int shift = 0; shift < 32; shift += 8)
        bytes.push_back(static_cast<uint8_t>(static_cast<uint32_t>(value) >> shift));
    }
    return add_tensor(name, dims, fb::TensorType::INT32, add_buffer(bytes), scales, 0, 0);
  }

  int32_t add_weights(const Op& op, const Int8Op& data, const std::vector<int32_t>& dims,
                      int channel_dimension) {
    const std::vector<uint8_t> bytes(data.weights.begin(), data.weights.end());
    return add_tensor(op.name + "/weights", dims, fb::TensorType::INT8, add_buffer(bytes), data.weight_scales,
                      0, channel_dimension);
  }

  int32_t add_bias(const Op& op, const Int8Op& data) {
    const double input_scale = model_.tensors[static_cast<size_t>(op.inputs[0])].scale;
    std::vector<float> scales;
    for (const float scale : data.weight_scales)
      scales.push_back(static_cast<float>(input_scale * static_cast<double>(scale)));
    return add_ints(op.name + "/bias", {static_cast<int32_t>(data.bias.size())}, data.bias, scales);
  }

  // The tensor with four dimensions; a flat one is reshaped once.
  int32_t nhwc(TensorId id) {
    int32_t& found = nhwc_[static_cast<size_t>(id)];
    if (found >= 0) return found;
    const Tensor& tensor = graph_.tensor(id);
    const std::vector<int32_t> dims = dims_of(tensor.shape);
    const int32_t shape = add_ints(tensor.name + "/shape", {4}, dims, {});
    found = add_tensor(tensor.name + "/nhwc", dims, model_.tensors[static_cast<size_t>(id)]);
    const auto options = fb::CreateReshapeOptions(builder_, builder_.CreateVector(dims));
    append(Code::RESHAPE, {id, shape}, found, fb::BuiltinOptions::ReshapeOptions, options.Union());
    return found;
  }

  // ---- operators

  void append(Code code, const std::vector<int32_t>& inputs, int32_t output, fb::BuiltinOptions type,
              Offset<void> options) {
    const auto [found, is_new] = code_index_.insert({code, static_cast<uint32_t>(codes_.size())});
    if (is_new) {
      codes_.push_back(
          fb::CreateOperatorCode(builder_, static_cast<int8_t>(code), 0, version_of(code), code));
    }
    const auto in = builder_.CreateVector(inputs);
    const auto out = builder_.CreateVector(std::vector<int32_t>{output});
    operators_.push_back(fb::CreateOperator(builder_, found->second, in, out, type, options));
  }

  bool has_no_padding(const Op& op) const { return op.padding == Padding{}; }
  bool has_same_padding(const Op& op) const {
    const Shape& in = graph_.tensor(op.inputs[0]).shape;
    const auto [top, bottom] = same_padding(in.h, op.kernel_h, op.stride_h);
    const auto [left, right] = same_padding(in.w, op.kernel_w, op.stride_w);
    return op.padding == Padding{top, left, bottom, right};
  }

  // A PAD of the operator's input where TensorFlow Lite has no name for the padding; the tensor to read
  // instead.
  int32_t padded_input(const Op& op) {
    const int32_t input = nhwc(op.inputs[0]);
    if (has_no_padding(op) || has_same_padding(op)) return input;
    const Padding& pad = op.padding;
    const Shape& in = graph_.tensor(op.inputs[0]).shape;
    const int32_t paddings = add_paddings(op.name, pad);
    const int32_t padded =
        add_tensor(op.name + "/padded", {1, in.h + pad.top + pad.bottom, in.w + pad.left + pad.right, in.c},
                   model_.tensors[static_cast<size_t>(op.inputs[0])]);
    append_pad(input, paddings, padded);
    return padded;
  }

  int32_t add_paddings(const std::string& name, const Padding& pad) {
    return add_ints(name + "/paddings", {4, 2},
                    {0, 0, pad.top, pad.bottom, pad.left, pad.right, pad.channels_before, pad.channels_after},
                    {});
  }

  void append_pad(int32_t input, int32_t paddings, int32_t output) {
    append(Code::PAD, {input, paddings}, output, fb::BuiltinOptions::PadOptions,
           fb::CreatePadOptions(builder_).Union());
  }

  fb::Padding padding_name(const Op& op) const {
    return !has_no_padding(op) && has_same_padding(op) ? fb::Padding::SAME : fb::Padding::VALID;
  }

  void add_convolution(const Op& op, const Int8Op& data) {
    const Shape& in = graph_.tensor(op.inputs[0]).shape;
    const Shape& out = graph_.tensor(op.output).shape;
    const int32_t input = padded_input(op);
    if (op.kind == OpKind::kConv2d) {
      const int32_t weights = add_weights(op, data, {out.c, op.kernel_h, op.kernel_w, in.c}, 0);
      const auto options = fb::CreateConv2DOptions(builder_, padding_name(op), op.stride_w, op.stride_h,
                                                   activation_of(op.activation));
      append(Code::CONV_2D, {input, weights, add_bias(op, data)}, op.output,
             fb::BuiltinOptions::Conv2DOptions, options.Union());
      return;
    }
    const int32_t weights = add_weights(op, data, {1, op.kernel_h, op.kernel_w, out.c}, 3);
    const auto options =
        fb::CreateDepthwiseConv2DOptions(builder_, padding_name(op), op.stride_w, op.stride_h,
                                         op.depth_multiplier, activation_of(op.activation));
    append(Code::DEPTHWISE_CONV_2D, {input, weights, add_bias(op, data)}, op.output,
           fb::BuiltinOptions::DepthwiseConv2DOptions, options.Union());
  }

  void add_fully_connected(const Op& op, const Int8Op& data) {
    const auto values = static_cast<int32_t>(graph_.tensor(op.inputs[0]).shape.elements());
    const int32_t weights = add_weights(op, data, {graph_.tensor(op.output).shape.c, values}, 0);
    const auto options = fb::CreateFullyConnectedOptions(builder_, activation_of(op.activation));
    append(Code::FULLY_CONNECTED, {op.inputs[0], weights, add_bias(op, data)}, op.output,
           fb::BuiltinOptions::FullyConnectedOptions, options.Union());
  }

  void add_pool(const Op& op) {
    if (!has_no_padding(op) && !has_same_padding(op))
      fail(op, "average pooling has padding that is neither SAME nor none");
    const int32_t input = nhwc(op.inputs[0]);
    const auto options = fb::CreatePool2DOptions(builder_, padding_name(op), op.stride_w, op.stride_h,
                                                 op.kernel_w, op.kernel_h, activation_of(op.activation));
    append(Code::AVERAGE_POOL_2D, {input}, op.output, fb::BuiltinOptions::Pool2DOptions, options.Union());
  }

  void add_mean(const Op& op) {
    if (op.activation != Activation::kNone) fail(op, "MEAN has no activation");
    const int32_t input = nhwc(op.inputs[0]);
    const int32_t axes = add_ints(op.name + "/axes", {2}, {1, 2}, {});
    const auto options = fb::CreateReducerOptions(builder_, /*keep_dims=*/true);
    append(Code::MEAN, {input, axes}, op.output, fb::BuiltinOptions::ReducerOptions, options.Union());
  }

  // From any number of dimensions to four.
  void add_reshape(const Op& op) {
    const std::vector<int32_t> dims = dims_of(graph_.tensor(op.output).shape);
    const int32_t shape = add_ints(op.name + "/shape", {4}, dims, {});
    const auto options = fb::CreateReshapeOptions(builder_, builder_.CreateVector(dims));
    append(Code::RESHAPE, {op.inputs[0], shape}, op.output, fb::BuiltinOptions::ReshapeOptions,
           options.Union());
  }

  void add_op(const Op& op, const Int8Op& data) {
    switch (op.kind) {
      case OpKind::kConv2d:
      case OpKind::kDepthwiseConv2d:
        return add_convolution(op, data);
      case OpKind::kFullyConnected:
        return add_fully_connected(op, data);
      case OpKind::kAvgPool:
        return add_pool(op);
      case OpKind::kGlobalAvgPool:
        return add_mean(op);
      case OpKind::kAdd: {
        const std::vector<int32_t> inputs{nhwc(op.inputs[0]), nhwc(op.inputs[1])};
        const auto options = fb::CreateAddOptions(builder_, activation_of(op.activation));
        return append(Code::ADD, inputs, op.output, fb::BuiltinOptions::AddOptions, options.Union());
      }
      case OpKind::kSoftmax: {
        const auto options = fb::CreateSoftmaxOptions(builder_, /*beta=*/1.0f);
        return append(Code::SOFTMAX, {op.inputs[0]}, op.output, fb::BuiltinOptions::SoftmaxOptions,
                      options.Union());
      }
      case OpKind::kPad:
        return append_pad(nhwc(op.inputs[0]), add_paddings(op.name, op.padding), op.output);
      case OpKind::kReshape:
        return add_reshape(op);
    }
    fail(op, "its kind is not known");
  }

  std::string finish() {
    std::vector<Offset<fb::Metadata>> metadata;
    if (!model_.class_names.empty()) {
      const std::string names =
          nlohmann::json(model_.class_names).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
      const uint32_t buffer = add_buffer({names.begin(), names.end()});
      metadata.push_back(fb::CreateMetadata(builder_, builder_.CreateString(kClassNamesMetadata), buffer));
    }
    const auto inputs = builder_.CreateVector(std::vector<int32_t>{graph_.input});
    const auto outputs = builder_.CreateVector(std::vector<int32_t>{graph_.output});
    const auto tensors = builder_.CreateVector(tensors_);
    const auto operators = builder_.CreateVector(operators_);
    const auto name = builder_.CreateString(graph_.name);
    const std::vector<Offset<fb::SubGraph>> subgraphs{
        fb::CreateSubGraph(builder_, tensors, inputs, outputs, operators, name)};
    const auto codes = builder_.CreateVector(codes_);
    const auto graphs = builder_.CreateVector(subgraphs);
    const auto description = builder_.CreateString("int8 network written by tinynas");
    const auto buffers = builder_.CreateVector(buffers_);
    const auto entries = builder_.CreateVector(metadata);
    fb::FinishModelBuffer(builder_, fb::CreateModel(builder_, kTfliteSchemaVersion, codes, graphs,
                                                    description, buffers, 0, entries));
    return {reinterpret_cast<const char*>(builder_.GetBufferPointer()), builder_.GetSize()};
  }

  const Int8Model& model_;
  const Graph& graph_;
  flatbuffers::FlatBufferBuilder builder_;
  std::vector<Offset<fb::Buffer>> buffers_;
  std::vector<Offset<fb::Tensor>> tensors_;
  std::vector<Offset<fb::OperatorCode>> codes_;
  std::vector<Offset<fb::Operator>> operators_;
  std::map<Code, uint32_t> code_index_;
  std::vector<int32_t> nhwc_;  // by TensorId: the tensor of the file with four dimensions; -1: none yet
};

}  // namespace

std::string tflite_bytes(const Int8Model& model) {
  model.check();
  return Writer(model).write();
}

void save_tflite(const Int8Model& model, const std::filesystem::path& path) {
  write_file_atomic(path, tflite_bytes(model));
}

}  // namespace tinynas
