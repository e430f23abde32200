#include "tflite/importer.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"
#include "graph/limits.h"
#include "tflite/metadata.h"

namespace tinynas {

Shape padded(const ImportedValue& value) {
  const Padding pad = value.pad.value_or(Padding{});
  return {value.shape.h + pad.top + pad.bottom, value.shape.w + pad.left + pad.right,
          value.shape.c + pad.channels_before + pad.channels_after};
}

Importer::Importer(std::string_view bytes, const std::string& where)
    : file_(bytes, where), values_(file_.tensor_count()) {
  graph_.name = graph_name();
}

TfliteImport Importer::import() {
  add_input();
  for (size_t i = 0; i < file_.operator_count(); ++i) {
    file_.at_operator(i);
    add_operator(file_.op(i));
  }
  file_.at_no_operator();
  const int output = file_.graph_output();
  if (value(output).kind == ImportedValue::Kind::kUnknown)
    file_.fail("no operator makes the output " + text(output));
  if (value(output).kind == ImportedValue::Kind::kForeignInput)
    file_.fail("the output " + text(output) + " is not computed by an int8 operator");
  if (value(output).pad) plain_activation(output);
  graph_.output = value(output).id;
  read_class_names();
  check();
  return std::move(result_);
}

std::string Importer::graph_name() const {
  const flatbuffers::String* name = file_.graph().name();
  const bool printable = name != nullptr && name->size() > 0 && name->size() <= 64 &&
                         std::all_of(name->begin(), name->end(), [](char c) { return c >= ' ' && c < 0x7F; });
  return printable ? name->str() : "tflite";
}

void Importer::add_input() {
  const int index = file_.graph_input();
  const fb::TensorType type = file_.type(index);
  if (file_.is_constant(index)) file_.fail("the input " + text(index) + " is a constant");
  ImportedValue& input = values_[static_cast<size_t>(index)];
  if (type == fb::TensorType::INT8) {
    make_graph_input(index, index);
  } else if (type == fb::TensorType::UINT8 || type == fb::TensorType::FLOAT32) {
    input.kind = ImportedValue::Kind::kForeignInput;
  } else {
    file_.fail("the input is " + text(index) + ", expected INT8, or UINT8 or FLOAT32 before a QUANTIZE");
  }
}

void Importer::make_graph_input(int name, int index) {
  if (graph_.input >= 0) file_.fail("quantises the input a second time");
  graph_.input = add_tensor(file_.name(name), file_.shape(index), file_.activation(index));
  values_[static_cast<size_t>(index)] = {ImportedValue::Kind::kInt8, graph_.input, file_.shape(index), {}};
}

void Importer::read_class_names() {
  const auto* entries = file_.model().metadata();
  for (flatbuffers::uoffset_t i = 0; entries != nullptr && i < entries->size(); ++i) {
    const fb::Metadata& entry = *entries->Get(i);
    if (entry.name() == nullptr || entry.name()->string_view() != kClassNamesMetadata) continue;
    const std::span<const uint8_t> bytes = file_.buffer(entry.buffer());
    const auto json = nlohmann::json::parse(bytes.begin(), bytes.end(), nullptr, /*allow_exceptions=*/false);
    const bool texts =
        json.is_array() &&
        std::all_of(json.begin(), json.end(), [](const nlohmann::json& name) { return name.is_string(); });
    if (!texts) file_.fail(std::string("metadata ") + kClassNamesMetadata + ": expected a list of names");
    result_.model.class_names = json.get<std::vector<std::string>>();
  }
}

void Importer::check() {
  result_.model.graph = graph_;
  try {
    graph_.check();
    derive_fixed_point(result_.model);
    result_.model.check();
  } catch (const Error& error) {
    file_.fail(error.what());
  }
}

ImportedValue& Importer::value(int index) {
  file_.tensor(index);
  return values_[static_cast<size_t>(index)];
}

std::string Importer::text(int index) const { return file_.describe(index); }

TensorId Importer::add_tensor(std::string name, const Shape& shape, const QuantParams& params) {
  const std::string stem = name;
  for (int copy = 2; !names_.insert(name).second; ++copy) name = stem + "#" + std::to_string(copy);
  graph_.tensors.push_back({name, shape});
  result_.model.tensors.push_back(params);
  return static_cast<TensorId>(graph_.tensors.size()) - 1;
}

ImportedValue& Importer::activation(int index) {
  if (index < 0) file_.fail("an input is left out, expected a tensor");
  ImportedValue& found = value(index);
  switch (found.kind) {
    case ImportedValue::Kind::kInt8:
      return found;
    case ImportedValue::Kind::kForeignInput:
      file_.fail("reads the input " + text(index) +
                 ", which is not int8 (convert with full integer quantisation; only QUANTIZE may read it)");
    case ImportedValue::Kind::kForeignOutput:
      file_.fail("reads " + text(index) + " behind the end of the int8 network");
    case ImportedValue::Kind::kUnknown:
      break;
  }
  if (file_.is_constant(index))
    file_.fail("got the constant " + text(index) + ", expected a computed tensor");
  file_.fail("reads " + text(index) + ", which no operator before it makes");
}

ImportedValue& Importer::shaped_activation(int index) {
  ImportedValue& found = activation(index);
  Tensor& tensor = graph_.tensors[static_cast<size_t>(found.id)];
  if (tensor.shape == found.shape) return found;
  if (found.id == graph_.input && !is_read_[static_cast<size_t>(found.id)]) {
    tensor.shape = found.shape;
  } else {
    make(index, OpKind::kReshape, {}, found.shape);
  }
  return found;
}

ImportedValue& Importer::plain_activation(int index) {
  ImportedValue& found = shaped_activation(index);
  if (found.pad) make(index, OpKind::kPad, *found.pad, padded(found));
  return found;
}

ImportedValue& Importer::unpadded_activation(int index) {
  ImportedValue& found = activation(index);
  return found.pad ? plain_activation(index) : found;
}

void Importer::make(int index, OpKind kind, const Padding& pad, const Shape& shape) {
  ImportedValue& found = value(index);
  Op op;
  op.kind = kind;
  op.inputs = {found.id};
  op.padding = pad;
  const QuantParams params = result_.model.tensors[static_cast<size_t>(found.id)];
  found.id = append(std::move(op), {}, file_.name(index), shape, params);
  if (kind == OpKind::kPad) found.pad.reset();
  found.shape = shape;
}

void Importer::expect_inputs(const fb::Operator& op, size_t least, size_t most) const {
  const size_t got = file_.input_count(op);
  if (got < least || got > most) {
    file_.fail("got " + std::to_string(got) + " inputs, expected " + std::to_string(least) +
               (least == most ? "" : " to " + std::to_string(most)));
  }
}

Activation Importer::activation_of(fb::ActivationFunctionType type) const {
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

void Importer::emit(const fb::Operator& from, Op op, Int8Op data) {
  const int index = file_.only_output(from);
  ImportedValue& made = value(index);
  if (made.kind != ImportedValue::Kind::kUnknown)
    file_.fail("makes " + text(index) + ", which is there already");
  if (file_.is_constant(index)) file_.fail("writes to the constant " + text(index));
  const Shape shape = file_.shape(index);
  const TensorId id =
      append(std::move(op), std::move(data), file_.name(index), shape, file_.activation(index));
  made = {ImportedValue::Kind::kInt8, id, shape, {}};
}

TensorId Importer::append(Op op, Int8Op data, std::string name, const Shape& shape,
                          const QuantParams& params) {
  std::vector<Shape> inputs;
  for (const TensorId id : op.inputs) inputs.push_back(graph_.tensor(id).shape);
  op.output = add_tensor(std::move(name), shape, params);
  op.name = graph_.tensor(op.output).name;
  Shape inferred;
  try {
    inferred = infer_shape(op, inputs, shape);
  } catch (const Error& error) {
    file_.fail(error.what());
  }
  if (!(inferred == shape)) {
    file_.fail("its output '" + op.name + "' is " + text_of({shape.h, shape.w, shape.c}) +
               " values, but it makes " + text_of({inferred.h, inferred.w, inferred.c}) + " values");
  }
  is_read_.resize(graph_.tensors.size(), false);
  for (const TensorId id : op.inputs) is_read_[static_cast<size_t>(id)] = true;
  const TensorId made = op.output;
  graph_.ops.push_back(std::move(op));
  result_.model.ops.push_back(std::move(data));
  return made;
}

void Importer::alias(const fb::Operator& from, ImportedValue made) {
  const int output = file_.only_output(from);
  ImportedValue& to = value(output);
  if (to.kind != ImportedValue::Kind::kUnknown)
    file_.fail("makes " + text(output) + ", which is there already");
  to = std::move(made);
}

namespace {

// What is padded around the input, by a PAD and by the window's own padding.
Padding window_padding(const ImportedValue& input, const Op& op, fb::Padding padding) {
  Padding pad = input.pad.value_or(Padding{});
  if (padding == fb::Padding::VALID) return pad;
  const auto [top, bottom] = same_padding(input.shape.h + pad.top + pad.bottom, op.kernel_h, op.stride_h);
  const auto [left, right] = same_padding(input.shape.w + pad.left + pad.right, op.kernel_w, op.stride_w);
  pad.top += top;
  pad.left += left;
  pad.bottom += bottom;
  pad.right += right;
  return pad;
}

bool reaches_into_input(const Padding& pad, const Op& op) {
  return pad.top < op.kernel_h && pad.bottom < op.kernel_h && pad.left < op.kernel_w &&
         pad.right < op.kernel_w && pad.channels_before == 0 && pad.channels_after == 0;
}

}  // namespace

void Importer::set_window(Op& op, int input, bool takes_pad, int kernel_h, int kernel_w, int stride_h,
                          int stride_w, fb::Padding padding) {
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
  if (padding != fb::Padding::SAME && padding != fb::Padding::VALID)
    file_.fail("got padding " + std::to_string(static_cast<int>(padding)) + ", expected SAME or VALID");
  const ImportedValue& shaped = shaped_activation(input);
  op.padding = window_padding(shaped, op, padding);
  if (shaped.pad && !(takes_pad && reaches_into_input(op.padding, op))) {
    plain_activation(input);
    op.padding = window_padding(shaped, op, padding);
  }
  op.inputs = {shaped.id};
}

void Importer::add_operator(const fb::Operator& op) {
  switch (file_.code(op)) {
    case fb::BuiltinOperator::CONV_2D:
      return add_conv(op);
    case fb::BuiltinOperator::DEPTHWISE_CONV_2D:
      return add_depthwise(op);
    case fb::BuiltinOperator::FULLY_CONNECTED:
      return add_fully_connected(op);
    case fb::BuiltinOperator::ADD:
      return add_add(op);
    case fb::BuiltinOperator::AVERAGE_POOL_2D:
      return add_average_pool(op);
    case fb::BuiltinOperator::MEAN:
      return add_mean(op);
    case fb::BuiltinOperator::SOFTMAX:
      return add_softmax(op);
    case fb::BuiltinOperator::RESHAPE:
      return add_reshape(op);
    case fb::BuiltinOperator::PAD:
      return add_pad(op);
    case fb::BuiltinOperator::QUANTIZE:
      return add_quantize(op);
    case fb::BuiltinOperator::DEQUANTIZE:
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

}  // namespace tinynas
