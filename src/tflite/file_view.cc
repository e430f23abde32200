#include "tflite/file_view.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "graph/limits.h"
#include "tflite/metadata.h"

namespace tinynas {
namespace {

constexpr size_t kMaxFileBytes = size_t{1} << 31;  // offsets of 32 bits, signed
constexpr size_t kMaxNameLength = 80;
constexpr size_t kMaxDimensions = 4;

template <typename T>
size_t size_of(const flatbuffers::Vector<T>* vector) {
  return vector == nullptr ? 0 : vector->size();
}

uint64_t little_endian(const uint8_t* bytes, size_t count) {
  uint64_t value = 0;
  for (size_t i = 0; i < count; ++i) value |= uint64_t{bytes[i]} << (8 * i);
  return value;
}

std::string name_of(fb::TensorType type) {
  const char* name = fb::EnumNameTensorType(type);
  return *name != '\0' ? name : "type " + std::to_string(static_cast<int>(type));
}

int bytes_of(fb::TensorType type) {
  switch (type) {
    case fb::TensorType::INT8:
    case fb::TensorType::UINT8:
      return 1;
    case fb::TensorType::INT32:
      return 4;
    case fb::TensorType::INT64:
      return 8;
    default:
      return 0;
  }
}

std::string text_of_code(fb::BuiltinOperator code) {
  const char* name = fb::EnumNameBuiltinOperator(code);
  return *name != '\0' ? name : "builtin operator " + std::to_string(static_cast<int>(code));
}

}  // namespace

std::string text_of(const std::vector<int>& dims) {
  std::string text;
  for (const int dim : dims) text += (text.empty() ? "" : "x") + std::to_string(dim);
  return text.empty() ? "scalar" : text;
}

FileView::FileView(std::string_view bytes, std::string where) : where_(std::move(where)) {
  if (bytes.size() >= kMaxFileBytes) {
    fail("got " + std::to_string(bytes.size()) +
         " bytes, expected below 2^31, which is all that a .tflite file can hold");
  }
  aligned_.resize(bytes.size() / sizeof(uint64_t) + 1);
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(aligned_.data()));
  const auto* data = reinterpret_cast<const uint8_t*>(aligned_.data());
  constexpr size_t kSmallest = sizeof(uint32_t) + flatbuffers::kFileIdentifierLength;
  if (bytes.size() < kSmallest || !fb::ModelBufferHasIdentifier(data))
    fail("is no .tflite file: expected the identifier TFL3 at byte 4");
  flatbuffers::Verifier verifier(data, bytes.size());
  if (!fb::VerifyModelBuffer(verifier))
    fail("is broken: an offset or a length inside it leads outside the file");
  model_ = fb::GetModel(data);
  if (model_->version() != kTfliteSchemaVersion) {
    fail("got schema version " + std::to_string(model_->version()) + ", expected " +
         std::to_string(kTfliteSchemaVersion));
  }
  if (size_of(model_->subgraphs()) != 1) {
    fail("got " + std::to_string(size_of(model_->subgraphs())) +
         " subgraphs, expected 1: a network without control flow");
  }
  graph_ = model_->subgraphs()->Get(0);
}

void FileView::at_operator(size_t index) {
  place_ = "operator " + std::to_string(index);
  place_ += " (" + text_of_code(code(op(index))) + "): ";
}

void FileView::fail(const std::string& message) const { throw data_error(where_ + ": " + place_ + message); }

size_t FileView::tensor_count() const { return size_of(graph_->tensors()); }
size_t FileView::operator_count() const { return size_of(graph_->operators()); }

const fb::Operator& FileView::op(size_t index) const {
  return *graph_->operators()->Get(static_cast<flatbuffers::uoffset_t>(index));
}

fb::BuiltinOperator FileView::code(const fb::Operator& op) const {
  const size_t count = size_of(model_->operator_codes());
  if (op.opcode_index() >= count) {
    fail("opcode_index: got " + std::to_string(op.opcode_index()) + ", expected below " +
         std::to_string(count));
  }
  const fb::OperatorCode& entry = *model_->operator_codes()->Get(op.opcode_index());
  // Files from before 2020 have the code in a byte alone.
  return static_cast<fb::BuiltinOperator>(
      std::max(static_cast<int>(entry.builtin_code()), static_cast<int>(entry.deprecated_builtin_code())));
}

size_t FileView::input_count(const fb::Operator& op) const { return size_of(op.inputs()); }

int FileView::input(const fb::Operator& op, size_t position) const {
  if (position >= input_count(op)) {
    fail("got " + std::to_string(input_count(op)) + " inputs, expected at least " +
         std::to_string(position + 1));
  }
  const int index = op.inputs()->Get(static_cast<flatbuffers::uoffset_t>(position));
  if (index != -1) tensor(index);
  return index;
}

int FileView::only_output(const fb::Operator& op) const {
  if (size_of(op.outputs()) != 1)
    fail("got " + std::to_string(size_of(op.outputs())) + " outputs, expected 1");
  const int index = op.outputs()->Get(0);
  tensor(index);
  return index;
}

int FileView::graph_input() const {
  if (size_of(graph_->inputs()) != 1)
    fail("got " + std::to_string(size_of(graph_->inputs())) + " inputs, expected 1");
  return graph_->inputs()->Get(0);
}

int FileView::graph_output() const {
  if (size_of(graph_->outputs()) != 1)
    fail("got " + std::to_string(size_of(graph_->outputs())) + " outputs, expected 1");
  return graph_->outputs()->Get(0);
}

const fb::Tensor& FileView::tensor(int index) const {
  if (index < 0 || static_cast<size_t>(index) >= tensor_count()) {
    fail("got tensor " + std::to_string(index) + ", expected 0 to " + std::to_string(tensor_count()) +
         " - 1");
  }
  return *graph_->tensors()->Get(static_cast<flatbuffers::uoffset_t>(index));
}

std::string FileView::name(int index) const {
  const flatbuffers::String* given = tensor(index).name();
  if (given == nullptr || given->size() == 0) return "tensor " + std::to_string(index);
  // Converters join the names of fused operators with semicolons: the first one is the network's.
  std::string text = given->str().substr(0, kMaxNameLength);
  text = text.substr(0, text.find(';'));
  for (char& c : text) c = c > ' ' && c < 0x7F && c != '"' && c != '\'' && c != '\\' ? c : '_';
  return text.empty() ? "tensor " + std::to_string(index) : text;
}

std::string FileView::describe(int index) const {
  std::vector<int> dims;
  if (const auto* shape = tensor(index).shape()) {
    for (flatbuffers::uoffset_t i = 0; i < std::min<flatbuffers::uoffset_t>(shape->size(), 8); ++i)
      dims.push_back(shape->Get(i));
  }
  return "'" + name(index) + "' (" + name_of(type(index)) + ", " + text_of(dims) + ")";
}

std::vector<int> FileView::dims(int index) const {
  std::vector<int> dims;
  const auto* shape = tensor(index).shape();
  if (size_of(shape) > kMaxDimensions) {
    fail(describe(index) + " has " + std::to_string(shape->size()) + " dimensions, expected at most 4");
  }
  int64_t elements = 1;
  for (flatbuffers::uoffset_t i = 0; i < size_of(shape); ++i) {
    const int dim = shape->Get(i);
    if (dim < 1 || dim > kMaxElements) {
      fail(describe(index) + ": got the dimension " + std::to_string(dim) +
           ", expected a fixed size (convert the network with a batch of 1 and static shapes)");
    }
    elements *= dim;
    if (elements > kMaxElements) {
      fail(describe(index) + ": expected up to " + std::to_string(kMaxElements) + " values");
    }
    dims.push_back(dim);
  }
  return dims;
}

Shape FileView::shape(int index) const {
  std::vector<int> all = dims(index);
  if (all.size() == 4 && all[0] != 1)
    fail(describe(index) + ": got a batch of " + std::to_string(all[0]) + ", expected 1");
  while (all.size() < 4) all.insert(all.begin(), 1);
  if (all[0] != 1) fail(describe(index) + ": expected a batch of 1");
  return {all[1], all[2], all[3]};
}

std::span<const uint8_t> FileView::buffer(uint32_t index) const {
  const size_t count = size_of(model_->buffers());
  if (index >= count) {
    fail("got buffer " + std::to_string(index) + ", expected below " + std::to_string(count));
  }
  const auto* data = model_->buffers()->Get(index)->data();
  if (data == nullptr) return {};
  return {data->data(), data->size()};
}

bool FileView::is_constant(int index) const { return !buffer(tensor(index).buffer()).empty(); }

std::span<const uint8_t> FileView::constant(int index, fb::TensorType expected) const {
  if (type(index) != expected) fail(describe(index) + ": expected " + name_of(expected));
  int64_t bytes = bytes_of(expected);
  for (const int dim : dims(index)) bytes *= dim;
  const std::span<const uint8_t> data = buffer(tensor(index).buffer());
  if (data.empty()) {
    fail(describe(index) +
         " is computed at run time or kept outside the file, expected a constant inside it");
  }
  if (static_cast<int64_t>(data.size()) != bytes) {
    fail(describe(index) + ": got " + std::to_string(data.size()) + " bytes of data, expected " +
         std::to_string(bytes));
  }
  return data;
}

std::vector<int64_t> FileView::integers(int index, size_t expected_count) const {
  const bool is_long = type(index) == fb::TensorType::INT64;
  const std::span<const uint8_t> data =
      constant(index, is_long ? fb::TensorType::INT64 : fb::TensorType::INT32);
  const size_t width = is_long ? 8 : 4;
  if (data.size() != expected_count * width) {
    fail(describe(index) + ": expected " + std::to_string(expected_count) + " numbers");
  }
  std::vector<int64_t> values;
  for (size_t at = 0; at < data.size(); at += width) {
    const uint64_t value = little_endian(data.data() + at, width);
    values.push_back(is_long ? static_cast<int64_t>(value)
                             : int64_t{static_cast<int32_t>(static_cast<uint32_t>(value))});
  }
  return values;
}

std::vector<int64_t> FileView::zero_points(int index) const {
  const auto* params = tensor(index).quantization();
  const size_t count = params == nullptr ? 0 : size_of(params->zero_point());
  std::vector<int64_t> values;
  for (size_t i = 0; i < count; ++i) {
    values.push_back(static_cast<int64_t>(little_endian(params->zero_point()->Data() + 8 * i, 8)));
  }
  return values;
}

QuantParams FileView::activation(int index, fb::TensorType expected) const {
  if (type(index) != expected) {
    fail(describe(index) + ": expected " + name_of(expected) +
         " (convert with full integer quantisation: int8 activations and weights)");
  }
  const auto* params = tensor(index).quantization();
  const std::vector<int64_t> found = zero_points(index);
  if (params == nullptr || size_of(params->scale()) != 1 || found.size() != 1)
    fail(describe(index) + ": expected one scale and one zero point");
  const float scale = params->scale()->Get(0);
  const int64_t zero_point = found[0];
  const int64_t low = expected == fb::TensorType::UINT8 ? 0 : -128;
  if (!std::isnormal(scale) || scale < 0) fail(describe(index) + ": got the scale " + std::to_string(scale));
  if (zero_point < low || zero_point > low + 255) {
    fail(describe(index) + ": got the zero point " + std::to_string(zero_point) + ", expected " +
         std::to_string(low) + " to " + std::to_string(low + 255));
  }
  return {scale, static_cast<int32_t>(zero_point)};
}

std::vector<float> FileView::weight_scales(int index, int channels, int channel_dimension) const {
  const auto* params = tensor(index).quantization();
  const size_t count = params == nullptr ? 0 : size_of(params->scale());
  if (count != 1 && count != static_cast<size_t>(channels)) {
    fail(describe(index) + ": got " + std::to_string(count) + " scales, expected 1 or " +
         std::to_string(channels));
  }
  if (count > 1 && params->quantized_dimension() != channel_dimension) {
    fail(describe(index) + ": got scales along dimension " + std::to_string(params->quantized_dimension()) +
         ", expected " + std::to_string(channel_dimension));
  }
  for (const int64_t zero_point : zero_points(index)) {
    if (zero_point == 0) continue;
    fail(describe(index) + ": got the zero point " + std::to_string(zero_point) +
         ", expected 0 (symmetric weights)");
  }
  std::vector<float> scales;
  for (const float scale : *params->scale()) {
    if (!std::isnormal(scale) || scale < 0)
      fail(describe(index) + ": got the scale " + std::to_string(scale));
    scales.push_back(scale);
  }
  return scales;
}

}  // namespace tinynas
