// Operators with weights: CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED.
#include "tflite/importer.h"

#include <cmath>

namespace tinynas {

void Importer::expect_no_dilation(int h, int w) const {
  if (h == 1 && w == 1) return;
  file_.fail("got a dilation of " + std::to_string(h) + "x" + std::to_string(w) + ", expected 1x1");
}

void Importer::read_bias(const fb::Operator& op, int channels, Int8Op& data) {
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
  for (const int64_t zero_point : file_.zero_points(index)) {
    if (zero_point != 0) file_.fail(text(index) + ": expected zero points of 0");
  }
}

std::vector<int> Importer::read_weights(const fb::Operator& op, size_t rank, Int8Op& data) {
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

void Importer::read_scales(const fb::Operator& op, int channels, int channel_dimension, Int8Op& data) {
  data.weight_scales = file_.weight_scales(file_.input(op, 1), channels, channel_dimension);
  if (data.weight_scales.size() == 1)
    data.weight_scales.assign(static_cast<size_t>(channels), data.weight_scales[0]);
}

void Importer::expect_output_channels(const fb::Operator& from, int channels) {
  const int index = file_.only_output(from);
  if (file_.shape(index).c != channels) {
    file_.fail("its output is " + text(index) + ", expected " + std::to_string(channels) + " channels");
  }
}

void Importer::add_conv(const fb::Operator& from) {
  expect_inputs(from, 2, 3);
  const auto& given = options(from, from.builtin_options_as_Conv2DOptions());
  expect_no_dilation(given.dilation_h_factor(), given.dilation_w_factor());
  const int input = file_.input(from, 0);
  const int in_c = padded(activation(input)).c;
  Op op;
  Int8Op data;
  op.kind = OpKind::kConv2d;
  const std::vector<int> dims = read_weights(from, 4, data);
  if (dims[3] != in_c) {
    file_.fail("got weights for " + std::to_string(dims[3]) + " channels of an input with " +
               std::to_string(in_c) + " (grouped convolutions are not supported)");
  }
  read_scales(from, dims[0], 0, data);
  read_bias(from, dims[0], data);
  op.activation = activation_of(given.fused_activation_function());
  set_window(op, input, /*takes_pad=*/true, dims[1], dims[2], given.stride_h(), given.stride_w(),
             given.padding());
  expect_output_channels(from, dims[0]);
  emit(from, std::move(op), std::move(data));
}

void Importer::add_depthwise(const fb::Operator& from) {
  expect_inputs(from, 2, 3);
  const auto& given = options(from, from.builtin_options_as_DepthwiseConv2DOptions());
  expect_no_dilation(given.dilation_h_factor(), given.dilation_w_factor());
  const int input = file_.input(from, 0);
  const int in_c = padded(activation(input)).c;
  Op op;
  Int8Op data;
  op.kind = OpKind::kDepthwiseConv2d;
  const std::vector<int> dims = read_weights(from, 4, data);
  // TensorFlow Lite goes by the shapes; the option says the same or nothing.
  op.depth_multiplier = dims[3] / in_c;
  const bool agrees = given.depth_multiplier() == 0 || given.depth_multiplier() == op.depth_multiplier;
  if (dims[0] != 1 || dims[3] % in_c != 0 || !agrees) {
    file_.fail("got the weights " + text(file_.input(from, 1)) + " with a depth multiplier of " +
               std::to_string(given.depth_multiplier()) + " for an input of " + std::to_string(in_c) +
               " channels, expected 1 x rows x columns x (channels x multiplier)");
  }
  read_scales(from, dims[3], 3, data);
  read_bias(from, dims[3], data);
  op.activation = activation_of(given.fused_activation_function());
  set_window(op, input, /*takes_pad=*/true, dims[1], dims[2], given.stride_h(), given.stride_w(),
             given.padding());
  emit(from, std::move(op), std::move(data));
}

void Importer::add_fully_connected(const fb::Operator& from) {
  expect_inputs(from, 2, 3);
  const auto& given = options(from, from.builtin_options_as_FullyConnectedOptions());
  if (given.weights_format() != 0) file_.fail("its weights are shuffled, expected the format DEFAULT");
  const ImportedValue& input =
      unpadded_activation(file_.input(from, 0));  // flattened: the shape does not matter
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
    op.kernel_h = shape.h;
    op.kernel_w = shape.w;
  }
  expect_output_channels(from, dims[0]);
  emit(from, std::move(op), std::move(data));
}

}  // namespace tinynas
