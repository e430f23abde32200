// .tflite files as other tools write them: tensors and operators given one by one.
#pragma once

#include <flatbuffers/flatbuffers.h>
#include <schema_generated.h>

#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

namespace tinynas::testing {

using Code = fb::BuiltinOperator;
using Type = fb::TensorType;

struct FileTensor {
  std::string name;
  std::vector<int32_t> dims;
  Type type = Type::INT8;
  std::vector<float> scales{};
  std::vector<int64_t> zero_points{};
  std::vector<uint8_t> data{};
  int quantized_dimension = 0;
};

// The options' union type and how to make them.
struct FileOptions {
  fb::BuiltinOptions type = fb::BuiltinOptions::NONE;
  std::function<flatbuffers::Offset<void>(flatbuffers::FlatBufferBuilder&)> make = [](auto&) { return 0; };
};

struct FileOp {
  Code code;
  std::vector<int32_t> inputs;
  std::vector<int32_t> outputs;
  FileOptions options{};
};

struct File {
  std::vector<FileTensor> tensors;
  std::vector<FileOp> ops;
  std::vector<int32_t> inputs{0};
  std::vector<int32_t> outputs;
  uint32_t version = 3;

  int32_t add(FileTensor tensor) {
    tensors.push_back(std::move(tensor));
    return static_cast<int32_t>(tensors.size()) - 1;
  }

  std::string bytes() const {
    flatbuffers::FlatBufferBuilder b;
    std::vector<flatbuffers::Offset<fb::Buffer>> buffers{fb::CreateBuffer(b)};
    std::vector<flatbuffers::Offset<fb::Tensor>> made;
    for (const FileTensor& t : tensors) {
      uint32_t buffer = 0;
      if (!t.data.empty()) {
        buffers.push_back(fb::CreateBufferDirect(b, &t.data));
        buffer = static_cast<uint32_t>(buffers.size()) - 1;
      }
      flatbuffers::Offset<fb::QuantizationParameters> quantization = 0;
      if (!t.scales.empty()) {
        quantization = fb::CreateQuantizationParametersDirect(b, nullptr, nullptr, &t.scales, &t.zero_points,
                                                              t.quantized_dimension);
      }
      made.push_back(fb::CreateTensorDirect(b, &t.dims, t.type, buffer, t.name.c_str(), quantization));
    }
    std::vector<flatbuffers::Offset<fb::OperatorCode>> codes;
    std::vector<flatbuffers::Offset<fb::Operator>> operators;
    for (const FileOp& op : ops) {
      // Codes below 127 in the byte alone, as files from before 2020 have them.
      const int code = static_cast<int>(op.code);
      codes.push_back(fb::CreateOperatorCode(b, static_cast<int8_t>(code < 127 ? code : 127), 0, 1,
                                             code < 127 ? Code::ADD : op.code));
      const auto options = op.options.make(b);
      operators.push_back(fb::CreateOperatorDirect(b, static_cast<uint32_t>(codes.size()) - 1, &op.inputs,
                                                   &op.outputs, op.options.type, options));
    }
    const std::vector<flatbuffers::Offset<fb::SubGraph>> graphs{
        fb::CreateSubGraphDirect(b, &made, &inputs, &outputs, &operators, "main")};
    fb::FinishModelBuffer(b, fb::CreateModelDirect(b, version, &codes, &graphs, "test", &buffers));
    return {reinterpret_cast<const char*>(b.GetBufferPointer()), b.GetSize()};
  }
};

inline std::vector<uint8_t> int32_bytes(const std::vector<int32_t>& values) {
  std::vector<uint8_t> bytes(values.size() * 4);
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

inline FileOptions conv_options(fb::Padding padding, int stride, int dilation = 1,
                                fb::ActivationFunctionType activation = fb::ActivationFunctionType::NONE) {
  return {
      fb::BuiltinOptions::Conv2DOptions, [=](auto& b) {
        return fb::CreateConv2DOptions(b, padding, stride, stride, activation, dilation, dilation).Union();
      }};
}
inline FileOptions depthwise_options(fb::Padding padding, int stride, int multiplier) {
  return {fb::BuiltinOptions::DepthwiseConv2DOptions, [=](auto& b) {
            return fb::CreateDepthwiseConv2DOptions(b, padding, stride, stride, multiplier,
                                                    fb::ActivationFunctionType::RELU6)
                .Union();
          }};
}
inline FileOptions connected_options() {
  return {fb::BuiltinOptions::FullyConnectedOptions,
          [](auto& b) { return fb::CreateFullyConnectedOptions(b).Union(); }};
}
inline FileOptions mean_options(bool keep_dims) {
  return {fb::BuiltinOptions::ReducerOptions,
          [=](auto& b) { return fb::CreateReducerOptions(b, keep_dims).Union(); }};
}
inline FileOptions softmax_options(float beta) {
  return {fb::BuiltinOptions::SoftmaxOptions,
          [=](auto& b) { return fb::CreateSoftmaxOptions(b, beta).Union(); }};
}
inline FileOptions add_options() {
  return {fb::BuiltinOptions::AddOptions, [](auto& b) { return fb::CreateAddOptions(b).Union(); }};
}

}  // namespace tinynas::testing
