#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "graph/limits.h"
#include "tflite/file_view.h"
#include "tflite/metadata.h"
#include "tflite/tflite.h"

namespace tinynas {
namespace {

using Code = fb::BuiltinOperator;

// What a tensor of the file is in our graph.
struct Value {
  enum class Kind {
    kUnknown,       // no operator has made it yet
    kInt8,          // a tensor of ours
    kForeignInput,  // the input as uint8 or float, before its QUANTIZE
    kForeignOutput  // the output after its DEQUANTIZE or QUANTIZE to uint8
  };
  Kind kind = Kind::kUnknown;
  TensorId id = -1;
  Shape shape;                 // as the file sees it; RESHAPE may change it
  std::optional<Padding> pad;  // rows and columns of zeros that a PAD put around it
};

class Importer {
 public:
  Importer(std::string_view bytes, const std::string& where)
      : file_(bytes, where), values_(file_.tensor_count()) {
    graph_.name = graph_name();
  }

  TfliteImport import() {
    add_input();
    for (size_t i = 0; i < file_.operator_count(); ++i) {
      file_.at_operator(i);
      add_operator(file_.op(i));
    }
    file_.at_no_operator();
    const Value& output = value(file_.graph_output());
    if (output.kind == Value::Kind::kUnknown)
      file_.fail("no operator makes the output " + text(file_.graph_output()));
    if (output.kind == Value::Kind::kForeignInput || output.pad)
      file_.fail("the output " + text(file_.graph_output()) + " is not computed by an int8 operator");
    graph_.output = output.id;
    read_class_names();
    check();
    return std::move(result_);
  }

 private:
  // ---- the graph as a whole

  std::string graph_name() const {
    const flatbuffers::String* name = file_.graph().name();
    const bool printable =
        name != nullptr && name->size() > 0 && name->size() <= 64 &&
        std::all_of(name->begin(), name->end(), [](char c) { return c >= ' ' && c < 0x7F; });
    return printable ? name->str() : "tflite";
  }

  void add_input() {
    const int index = file_.graph_input();
    const fb::TensorType type = file_.type(index);
    if (file_.is_constant(index)) file_.fail("the input " + text(index) + " is a constant");
    Value& input = values_[static_cast<size_t>(index)];
    if (type == fb::TensorType::INT8) {
      make_graph_input(index, index);
    } else if (type == fb::TensorType::UINT8 || type == fb::TensorType::FLOAT32) {
      input.kind = Value::Kind::kForeignInput;
    } else {
      file_.fail("the input is " + text(index) + ", expected INT8, or UINT8 or FLOAT32 before a QUANTIZE");
    }
  }

  // The graph's input with the name of one tensor and the parameters of another.
  void make_graph_input(int name, int index) {
    if (graph_.input >= 0) file_.fail("quantises the input a second time");
    graph_.input = add_tensor(file_.name(name), file_.shape(index), file_.activation(index));
    values_[static_cast<size_t>(index)] = {Value::Kind::kInt8, graph_.input, file_.shape(index), {}};
  }

  void read_class_names() {
    const auto* entries = file_.model().metadata();
    for (flatbuffers::uoffset_t i = 0; entries != nullptr && i < entries->size(); ++i) {
      const fb::Metadata& entry = *entries->Get(i);
      if (entry.name() == nullptr || entry.name()->string_view() != kClassNamesMetadata) continue;
      const std::span<const uint8_t> bytes = file_.buffer(entry.buffer());
      const auto json =
          nlohmann::json::parse(bytes.begin(), bytes.end(), nullptr, /*allow_exceptions=*/false);
      const bool texts =
          json.is_array() &&
          std::all_of(json.begin(), json.end(), [](const nlohmann::json& name) { return name.is_string(); });
      if (!texts) file_.fail(std::string("metadata ") + kClassNamesMetadata + ": expected a list of names");
      result_.model.class_names = json.get<std::vector<std::string>>();
    }
  }

  void check() {
    result_.model.graph = graph_;
    try {
      graph_.check();
      derive_fixed_point(result_.model);
      result_.model.check();
    } catch (const Error& error) {
      file_.fail(error.what());
    }
  }

  // ---- tensors

  Value& value(int index) {
    file_.tensor(index);
    return values_[static_cast<size_t>(index)];
  }
  std::string text(int index) const { return file_.describe(index); }

  TensorId add_tensor(std::string name, const Shape& shape, const QuantParams& params) {
    const std::string stem = name;
    for (int copy = 2; !names_.insert(name).second; ++copy) name = stem + "#" + std::to_string(copy);
    graph_.tensors.push_back({name, shape});
    result_.model.tensors.push_back(params);
    return static_cast<TensorId>(graph_.tensors.size()) - 1;
  }

  // An input that operators compute: our tensor. `index` as in the file.
  Value& activation(int index) {
    if (index < 0) file_.fail("an input is left out, expected a tensor");
    Value& found = value(index);
    switch (found.kind) {
      case Value::Kind::kInt8:
        return found;
      case Value::Kind::kForeignInput:
        file_.fail("reads the input " + text(index) +
                   ", which is not int8 (convert with full integer quantisation; only QUANTIZE may read it)");
      case Value::Kind::kForeignOutput:
        file_.fail("reads " + text(index) + " behind the end of the int8 network");
      case Value::Kind::kUnknown:
        break;
    }
    if (file_.is_constant(index))
      file_.fail("got the constant " + text(index) + ", expected a computed tensor");
    file_.fail("reads " + text(index) + ", which no operator before it makes");
  }

  // The same for operators to which the shape matters: a RESHAPE may only have relabelled the network's
  // input.
  Value& shaped_activation(int index, bool may_be_padded = false) {
    Value& found = activation(index);
    Tensor& tensor = graph_.tensors[static_cast<size_t>(found.id)];
    const Shape& shape = found.shape;
    if (!(tensor.shape == shape)) {
      if (found.id != graph_.input || is_read_[static_cast<size_t>(found.id)]) {
        file_.fail("a RESHAPE before it moves values between rows, columns and channels (" + text(index) +
                   "), which is supported only at the input and before FULLY_CONNECTED");
      }
      tensor.shape = shape;
    }
    if (found.pad && !may_be_padded) {
      file_.fail(
          "reads " + text(index) +
          ", the output of a PAD: expected CONV_2D or DEPTHWISE_CONV_2D after a PAD (give the operator SAME "
          "padding instead)");
    }
    return found;
  }

  // ---- operators

  template <typename Options>
  const Options& options(const fb::Operator& op, const Options* found) const {
    if (found == nullptr) {
      file_.fail("its options are missing, or of another operator (" +
                 std::to_string(static_cast<int>(op.builtin_options_type())) + ")");
    }
    return *found;
  }

  void expect_inputs(const fb::Operator& op, size_t least, size_t most) const {
    const size_t got = file_.input_count(op);
    if (got < least || got > most) {
      file_.fail("got " + std::to_string(got) + " inputs, expected " + std::to_string(least) +
                 (least == most ? "" : " to " + std::to_string(most)));
    }
  }

  Activation activation_of(fb::ActivationFunctionType type) const {
    switch (type) {
      case fb::ActivationFunctionType::NONE:
        return Activation::kNone;
      case fb::ActivationFunctionType::RELU:
        return Activation::kRelu;
      case fb::ActivationFunctionType::RELU6:
        return Activation::kRelu6;
      default:
        file_.fail(std::string("the fused activation ") + fb::EnumNameActivationFunctionType(type) +
                   " is not supported, expected NONE, RELU or RELU6");
    }
  }

  // The output becomes a tensor of ours; its name is the operator's too.
  void emit(const fb::Operator& from, Op op, Int8Op data) {
    const int index = file_.only_output(from);
    Value& made = value(index);
    if (made.kind != Value::Kind::kUnknown) file_.fail("makes " + text(index) + ", which is there already");
    if (file_.is_constant(index)) file_.fail("writes to the constant " + text(index));
    const Shape shape = file_.shape(index);
    std::vector<Shape> inputs;
    for (const TensorId id : op.inputs) inputs.push_back(graph_.tensor(id).shape);
    op.output = add_tensor(file_.name(index), shape, file_.activation(index));
    op.name = graph_.tensor(op.output).name;
    Shape inferred;
    try {
      inferred = infer_shape(op, inputs, shape.c);
    } catch (const Error& error) {
      file_.fail(error.what());
    }
    if (!(inferred == shape)) {
      file_.fail("its output is " + text(index) + ", but it makes " +
                 text_of({inferred.h, inferred.w, inferred.c}) + " values");
    }
    is_read_.resize(graph_.tensors.size(), false);
    for (const TensorId id : op.inputs) is_read_[static_cast<size_t>(id)] = true;
    made = {Value::Kind::kInt8, op.output, shape, {}};
    graph_.ops.push_back(std::move(op));
    result_.model.ops.push_back(std::move(data));
  }

  void set_window(Op& op, const Value& input, int kernel_h, int kernel_w, int stride_h, int stride_w,
                  fb::Padding padding) const {
    const auto in_range = [](int size, int most) { return size >= 1 && size <= most; };
    if (!in_range(stride_h, kMaxStride) || !in_range(stride_w, kMaxStride)) {
      file_.fail("got the strides " + std::to_string(stride_h) + " and " + std::to_string(stride_w) +
                 ", expected 1 to " + std::to_string(kMaxStride));
    }
    if (!in_range(kernel_h, kMaxKernelSize) || !in_range(kernel_w, kMaxKernelSize)) {
      file_.fail("got a kernel of " + std::to_string(kernel_h) + "x" + std::to_string(kernel_w) +
                 ", expected 1 to " + std::to_string(kMaxKernelSize));
    }
    op.kernel_h = kernel_h;
    op.kernel_w = kernel_w;
    op.stride_h = stride_h;
    op.stride_w = stride_w;
    Padding& pad = op.padding;
    if (input.pad) pad = *input.pad;
    if (padding == fb::Padding::VALID) return;
    if (padding != fb::Padding::SAME)
      file_.fail("got padding " + std::to_string(static_cast<int>(padding)) + ", expected SAME or VALID");
    const auto [top, bottom] = same_padding(input.shape.h + pad.top + pad.bottom, kernel_h, stride_h);
    const auto [left, right] = same_padding(input.shape.w + pad.left + pad.right, kernel_w, stride_w);
    pad = {pad.top + top, pad.left + left, pad.bottom + bottom, pad.right + right};
  }

  void expect_no_dilation(int h, int w) const {
    if (h == 1 && w == 1) return;
    file_.fail("got a dilation of " + std::to_string(h) + "x" + std::to_string(w) + ", expected 1x1");
  }

  // Input 2, or zeros where it is left out. As TensorFlow Lite, refuses a scale that is not input x weights
  // by more than two hundredths of an output step.
  void read_bias(const fb::Operator& op, int channels, Int8Op& data) {
    data.bias.assign(static_cast<size_t>(channels), 0);
    const int index = file_.input_count(op) > 2 ? file_.input(op, 2) : -1;
    if (index == -1) return;
    const std::vector<int64_t> values = file_.integers(index, data.bias.size());
    if (file_.type(index) != fb::TensorType::INT32) file_.fail(text(index) + ": expected a bias of INT32");
    for (size_t i = 0; i < values.size(); ++i) data.bias[i] = static_cast<int32_t>(values[i]);
    const auto* quantization = file_.tensor(index).quantization();
    if (quantization == nullptr || quantization->scale() == nullptr) return;
    const auto& scales = *quantization->scale();
    if (scales.size() != 1 && scales.size() != data.weight_scales.size()) {
      file_.fail(text(index) + ": got " + std::to_string(scales.size()) +
                 " scales, expected as many as the weights, " + std::to_string(data.weight_scales.size()));
    }
    const double input_scale = file_.activation(file_.input(op, 0)).scale;
    const double output_scale = file_.activation(file_.only_output(op)).scale;
    for (flatbuffers::uoffset_t i = 0; i < scales.size(); ++i) {
      const double expected = input_scale * static_cast<double>(data.weight_scales[i]);
      constexpr double kTolerance = 0.02;
      if (!(std::abs(static_cast<double>(scales[i]) - expected) / output_scale <= kTolerance)) {
        file_.fail(text(index) + ": got the scale " + std::to_string(scales[i]) +
                   ", expected input scale x weight scale, " + std::to_string(expected));
      }
    }
    for (flatbuffers::uoffset_t i = 0;
         quantization->zero_point() != nullptr && i < quantization->zero_point()->size(); ++i) {
      if (quantization->zero_point()->Get(i) != 0) file_.fail(text(index) + ": expected zero points of 0");
    }
  }

  // Weights of int8 with `rank` dimensions.
  std::vector<int> read_weights(const fb::Operator& op, size_t rank, Int8Op& data) {
    const int index = file_.input(op, 1);
    if (index == -1) file_.fail("its weights are left out");
    const std::vector<int> dims = file_.dims(index);
    if (dims.size() != rank) {
      file_.fail("got the weights " + text(index) + ", expected " + std::to_string(rank) + " dimensions");
    }
    const std::span<const uint8_t> bytes = file_.constant(index, fb::TensorType::INT8);
    data.weights.assign(bytes.begin(), bytes.end());
    return dims;
  }

  void read_scales(const fb::Operator& op, int channels, int channel_dimension, Int8Op& data) {
    data.weight_scales = file_.weight_scales(file_.input(op, 1), channels, channel_dimension);
    if (data.weight_scales.size() == 1)
      data.weight_scales.assign(static_cast<size_t>(channels), data.weight_scales[0]);
  }

  void add_conv(const fb::Operator& from) {
    expect_inputs(from, 2, 3);
    const auto& given = options(from, from.builtin_options_as_Conv2DOptions());
    expect_no_dilation(given.dilation_h_factor(), given.dilation_w_factor());
    const Value& input = shaped_activation(file_.input(from, 0), /*may_be_padded=*/true);
    Op op;
    Int8Op data;
    op.kind = OpKind::kConv2d;
    const std::vector<int> dims = read_weights(from, 4, data);
    if (dims[3] != input.shape.c) {
      file_.fail("got weights for " + std::to_string(dims[3]) + " channels of an input with " +
                 std::to_string(input.shape.c) + " (grouped convolutions are not supported)");
    }
    read_scales(from, dims[0], 0, data);
    read_bias(from, dims[0], data);
    op.inputs = {input.id};
    op.activation = activation_of(given.fused_activation_function());
    set_window(op, input, dims[1], dims[2], given.stride_h(), given.stride_w(), given.padding());
    expect_output_channels(from, dims[0]);
    emit(from, std::move(op), std::move(data));
  }

  void add_depthwise(const fb::Operator& from) {
    expect_inputs(from, 2, 3);
    const auto& given = options(from, from.builtin_options_as_DepthwiseConv2DOptions());
    expect_no_dilation(given.dilation_h_factor(), given.dilation_w_factor());
    const Value& input = shaped_activation(file_.input(from, 0), /*may_be_padded=*/true);
    Op op;
    Int8Op data;
    op.kind = OpKind::kDepthwiseConv2d;
    const std::vector<int> dims = read_weights(from, 4, data);
    // TensorFlow Lite goes by the shapes; the option says the same or nothing.
    op.depth_multiplier = dims[3] / input.shape.c;
    const bool agrees = given.depth_multiplier() == 0 || given.depth_multiplier() == op.depth_multiplier;
    if (dims[0] != 1 || dims[3] % input.shape.c != 0 || !agrees) {
      file_.fail("got the weights " + text(file_.input(from, 1)) + " with a depth multiplier of " +
                 std::to_string(given.depth_multiplier()) + " for an input of " +
                 std::to_string(input.shape.c) +
                 " channels, expected 1 x rows x columns x (channels x multiplier)");
    }
    read_scales(from, dims[3], 3, data);
    read_bias(from, dims[3], data);
    op.inputs = {input.id};
    op.activation = activation_of(given.fused_activation_function());
    set_window(op, input, dims[1], dims[2], given.stride_h(), given.stride_w(), given.padding());
    emit(from, std::move(op), std::move(data));
  }

  void expect_output_channels(const fb::Operator& from, int channels) {
    const int index = file_.only_output(from);
    if (file_.shape(index).c != channels) {
      file_.fail("its output is " + text(index) + ", expected " + std::to_string(channels) + " channels");
    }
  }

  void add_fully_connected(const fb::Operator& from) {
    expect_inputs(from, 2, 3);
    const auto& given = options(from, from.builtin_options_as_FullyConnectedOptions());
    if (given.weights_format() != 0) file_.fail("its weights are shuffled, expected the format DEFAULT");
    const Value& input = activation(file_.input(from, 0));  // flattened: the shape does not matter
    if (input.pad) file_.fail("reads the output of a PAD, expected CONV_2D or DEPTHWISE_CONV_2D after a PAD");
    const Shape& shape = graph_.tensor(input.id).shape;
    Op op;
    Int8Op data;
    op.kind = OpKind::kFullyConnected;
    const std::vector<int> dims = read_weights(from, 2, data);
    if (dims[1] != shape.elements()) {
      file_.fail("got weights for " + std::to_string(dims[1]) + " values of an input with " +
                 std::to_string(shape.elements()));
    }
    data.weight_scales = file_.weight_scales(file_.input(from, 1), dims[0], 0);
    read_bias(from, dims[0], data);
    op.inputs = {input.id};
    op.activation = activation_of(given.fused_activation_function());
    if (data.weight_scales.size() > 1) {
      // Scales for each output are what a convolution over the whole map has; its arithmetic is the same.
      op.kind = OpKind::kConv2d;
      set_window(op, {Value::Kind::kInt8, input.id, shape, {}}, shape.h, shape.w, 1, 1, fb::Padding::VALID);
    }
    expect_output_channels(from, dims[0]);
    emit(from, std::move(op), std::move(data));
  }

  void add_add(const fb::Operator& from) {
    expect_inputs(from, 2, 2);
    const auto& given = options(from, from.builtin_options_as_AddOptions());
    Op op;
    op.kind = OpKind::kAdd;
    const TensorId a = shaped_activation(file_.input(from, 0)).id;
    const TensorId b = shaped_activation(file_.input(from, 1)).id;
    op.inputs = {a, b};
    op.activation = activation_of(given.fused_activation_function());
    emit(from, std::move(op), {});
  }

  void add_average_pool(const fb::Operator& from) {
    expect_inputs(from, 1, 1);
    const auto& given = options(from, from.builtin_options_as_Pool2DOptions());
    const Value& input = shaped_activation(file_.input(from, 0));
    Op op;
    op.kind = OpKind::kAvgPool;
    op.inputs = {input.id};
    op.activation = activation_of(given.fused_activation_function());
    set_window(op, input, given.filter_height(), given.filter_width(), given.stride_h(), given.stride_w(),
               given.padding());
    emit(from, std::move(op), {});
  }

  void add_mean(const fb::Operator& from) {
    expect_inputs(from, 2, 2);
    const int index = file_.input(from, 0);
    const Value& input = shaped_activation(index);
    const auto rank = static_cast<int64_t>(file_.dims(index).size());
    const int axes = file_.input(from, 1);
    if (axes == -1) file_.fail("its axes are left out");
    std::set<int64_t> found;
    for (const int64_t axis : file_.integers(axes, 2)) found.insert(axis < 0 ? axis + rank : axis);
    if (rank != 4 || found != std::set<int64_t>{1, 2})
      file_.fail("its axes " + text(axes) + " are not rows and columns (1, 2) of " + text(index));
    Op op;
    op.kind = OpKind::kGlobalAvgPool;
    op.inputs = {input.id};
    emit(from, std::move(op), {});
  }

  void add_softmax(const fb::Operator& from) {
    expect_inputs(from, 1, 1);
    const auto& given = options(from, from.builtin_options_as_SoftmaxOptions());
    if (given.beta() != 1.0f) file_.fail("got beta " + std::to_string(given.beta()) + ", expected 1");
    Op op;
    op.kind = OpKind::kSoftmax;
    op.inputs = {shaped_activation(file_.input(from, 0)).id};
    emit(from, std::move(op), {});
  }

  void expect_same_params(int input, int output) {
    if (file_.activation(input) == file_.activation(output)) return;
    file_.fail("its input " + text(input) + " and its output " + text(output) +
               " have different scales or zero points, expected the same");
  }

  // Another name for a value that is there.
  void alias(const fb::Operator& from, Value made) {
    const int output = file_.only_output(from);
    Value& to = value(output);
    if (to.kind != Value::Kind::kUnknown) file_.fail("makes " + text(output) + ", which is there already");
    to = std::move(made);
  }

  void add_reshape(const fb::Operator& from) {
    expect_inputs(from, 1, 2);
    const int index = file_.input(from, 0);
    const int output = file_.only_output(from);
    Value input = activation(index);
    if (input.pad) file_.fail("reads the output of a PAD, expected CONV_2D or DEPTHWISE_CONV_2D after a PAD");
    expect_same_params(index, output);
    const Shape shape = file_.shape(output);
    if (shape.elements() != input.shape.elements())
      file_.fail("its input " + text(index) + " and its output " + text(output) +
                 " hold different numbers of values");
    input.shape = shape;
    alias(from, std::move(input));
  }

  void add_pad(const fb::Operator& from) {
    expect_inputs(from, 2, 2);
    const int index = file_.input(from, 0);
    const int output = file_.only_output(from);
    Value input = shaped_activation(index);
    expect_same_params(index, output);
    const int paddings = file_.input(from, 1);
    if (paddings == -1) file_.fail("its paddings are left out");
    if (file_.dims(index).size() != 4)
      file_.fail("got the input " + text(index) + ", expected four dimensions");
    const std::vector<int64_t> sizes = file_.integers(paddings, 8);
    for (const int64_t size : sizes) {
      if (size < 0 || size > kMaxKernelSize) {
        file_.fail("got a padding of " + std::to_string(size) + ", expected 0 to " +
                   std::to_string(kMaxKernelSize));
      }
    }
    if (sizes[0] != 0 || sizes[1] != 0 || sizes[6] != 0 || sizes[7] != 0)
      file_.fail("pads the batch or the channels, expected rows and columns alone");
    const auto at = [&](size_t i) { return static_cast<int>(sizes[i]); };
    const Shape padded{input.shape.h + at(2) + at(3), input.shape.w + at(4) + at(5), input.shape.c};
    if (!(file_.shape(output) == padded)) {
      file_.fail("its output is " + text(output) + ", but it makes " +
                 text_of({padded.h, padded.w, padded.c}) + " values");
    }
    input.pad = Padding{at(2), at(4), at(3), at(5)};
    alias(from, std::move(input));
  }

  // At the input: to int8. At the output: from int8 to uint8. In between only where it changes nothing.
  void add_quantize(const fb::Operator& from) {
    expect_inputs(from, 1, 1);
    const int index = file_.input(from, 0);
    const int output = file_.only_output(from);
    if (index >= 0 && value(index).kind == Value::Kind::kForeignInput) return quantize_input(index, output);
    Value input = shaped_activation(index);
    if (file_.type(output) == fb::TensorType::UINT8) {
      expect_shifted(file_.activation(index), file_.activation(output, fb::TensorType::UINT8), index, output);
      result_.notes.push_back("output: the QUANTIZE to uint8 is left out; uint8 = int8 + 128");
      input.kind = Value::Kind::kForeignOutput;
      return alias(from, std::move(input));
    }
    if (!(file_.activation(index) == file_.activation(output))) {
      file_.fail("changes the scale of " + text(index) +
                 " inside the network, which is not supported (quantise the whole network in one go)");
    }
    alias(from, std::move(input));
  }

  void expect_shifted(const QuantParams& int8, const QuantParams& uint8, int input, int output) {
    if (int8.scale == uint8.scale && int8.zero_point + 128 == uint8.zero_point) return;
    file_.fail("between " + text(input) + " and " + text(output) +
               " more changes than the zero point by 128, expected the same scale");
  }

  void quantize_input(int index, int output) {
    const QuantParams params = file_.activation(output);
    if (value(output).kind != Value::Kind::kUnknown)
      file_.fail("makes " + text(output) + ", which is there already");
    if (file_.type(index) == fb::TensorType::UINT8) {
      expect_shifted(params, file_.activation(index, fb::TensorType::UINT8), index, output);
      result_.notes.push_back("input: uint8 in the file; the network here takes int8 = uint8 - 128");
    } else {
      char scale[32];
      std::snprintf(scale, sizeof scale, "%.9g", static_cast<double>(params.scale));
      result_.notes.push_back("input: float in the file; the network here takes int8 = round(x / " +
                              std::string(scale) + ") + (" + std::to_string(params.zero_point) + ")");
    }
    if (!(file_.shape(index) == file_.shape(output)))
      file_.fail("its input " + text(index) + " and its output " + text(output) + " have different shapes");
    make_graph_input(index, output);
  }

  void add_dequantize(const fb::Operator& from) {
    expect_inputs(from, 1, 1);
    Value input = activation(file_.input(from, 0));
    const int output = file_.only_output(from);
    if (output != file_.graph_output()) {
      file_.fail("turns " + text(file_.input(from, 0)) +
                 " into float inside the network; expected int8 throughout (convert with full integer "
                 "quantisation)");
    }
    const QuantParams& params = result_.model.tensors[static_cast<size_t>(input.id)];
    char scale[32];
    std::snprintf(scale, sizeof scale, "%.9g", static_cast<double>(params.scale));
    result_.notes.push_back("output: the DEQUANTIZE to float is left out; float = " + std::string(scale) +
                            " * (int8 - (" + std::to_string(params.zero_point) + "))");
    input.kind = Value::Kind::kForeignOutput;
    alias(from, std::move(input));
  }

  void add_operator(const fb::Operator& op) {
    switch (file_.code(op)) {
      case Code::CONV_2D:
        return add_conv(op);
      case Code::DEPTHWISE_CONV_2D:
        return add_depthwise(op);
      case Code::FULLY_CONNECTED:
        return add_fully_connected(op);
      case Code::ADD:
        return add_add(op);
      case Code::AVERAGE_POOL_2D:
        return add_average_pool(op);
      case Code::MEAN:
        return add_mean(op);
      case Code::SOFTMAX:
        return add_softmax(op);
      case Code::RESHAPE:
        return add_reshape(op);
      case Code::PAD:
        return add_pad(op);
      case Code::QUANTIZE:
        return add_quantize(op);
      case Code::DEQUANTIZE:
        return add_dequantize(op);
      default:
        file_.fail(
            "is not supported; build the network of CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED, ADD, "
            "AVERAGE_POOL_2D, "
            "MEAN over rows and columns, SOFTMAX, PAD, RESHAPE, with RELU and RELU6 fused, or end it before "
            "this "
            "operator");
    }
  }

  FileView file_;
  std::vector<Value> values_;  // by the file's tensor index
  Graph graph_;
  std::vector<bool> is_read_ = std::vector<bool>(1, false);  // by TensorId
  std::set<std::string> names_;
  TfliteImport result_;
};

}  // namespace

TfliteImport read_tflite(std::string_view bytes, const std::string& where) {
  return Importer(bytes, where).import();
}

TfliteImport load_tflite(const std::filesystem::path& path) {
  if (!std::filesystem::is_regular_file(path)) throw data_error(path.string() + ": there is no such file");
  return read_tflite(read_file(path), path.string());
}

}  // namespace tinynas
