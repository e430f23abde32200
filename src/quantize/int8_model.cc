#include "quantize/int8_model.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "base/error.h"
#include "quantize/accumulator.h"

namespace tinynas {
namespace {

constexpr int kAddLeftShift = 20;
// A softmax keeps differences with 5 integer bits of 31, and sums exponentials with 12.
constexpr int kSoftmaxInputBits = 26;
constexpr double kSoftmaxMaxInputScale = 16.0;
constexpr int kSoftmaxMaxChannels = (1 << 12) - 1;

double scale_of(const Int8Model& model, TensorId id) {
  return static_cast<double>(model.tensors[static_cast<size_t>(id)].scale);
}

// round(real / scale) + zero_point in float, as TFLite's CalculateActivationRangeQuantized does, clamped to
// int8.
int32_t activation_bound(float real, const QuantParams& params) {
  const float steps = std::round(real / params.scale);
  return static_cast<int32_t>(std::clamp(steps + static_cast<float>(params.zero_point), -128.0f, 127.0f));
}

// Largest |q - zero_point| of an int8 tensor.
int64_t largest_magnitude(const QuantParams& params) {
  return std::max<int64_t>(127 - params.zero_point, params.zero_point + 128);
}

// TFLite's PreprocessSoftmaxScaling and CalculateInputRadius.
void derive_softmax(double input_scale, Int8Op& out) {
  out.softmax_input = to_fixed(input_scale * (1 << kSoftmaxInputBits));
  const int64_t largest = int64_t{31} << kSoftmaxInputBits;
  out.softmax_difference_min = -static_cast<int32_t>(largest >> std::max(out.softmax_input.shift, 0));
}

void derive(const Int8Model& model, const Op& op, Int8Op& out) {
  const double output_scale = scale_of(model, op.output);
  const double input_scale = scale_of(model, op.inputs[0]);
  out.requant.clear();
  if (op.has_weights()) {
    for (const float scale : out.weight_scales) {
      out.requant.push_back(to_fixed(input_scale * static_cast<double>(scale) / output_scale));
    }
  } else if (op.kind == OpKind::kAdd) {
    const double twice_max_input_scale = 2.0 * std::max(input_scale, scale_of(model, op.inputs[1]));
    for (size_t i = 0; i < 2; ++i)
      out.add_input[i] = to_fixed(scale_of(model, op.inputs[i]) / twice_max_input_scale);
    out.add_output = to_fixed(twice_max_input_scale / ((1 << kAddLeftShift) * output_scale));
  } else if (op.kind == OpKind::kGlobalAvgPool) {
    out.mean = to_fixed(input_scale / output_scale);
  } else if (op.kind == OpKind::kSoftmax) {
    derive_softmax(input_scale, out);
  }
  const QuantParams& params = model.tensors[static_cast<size_t>(op.output)];
  out.activation_min = op.activation == Activation::kNone ? -128 : activation_bound(0.0f, params);
  out.activation_max = op.activation == Activation::kRelu6 ? activation_bound(6.0f, params) : 127;
}

[[noreturn]] void reject(const Op& op, const std::string& problem) {
  throw usage_error("operator '" + op.name + "': " + problem);
}

void check_size(const Op& op, const char* what, size_t got, int64_t expected) {
  if (static_cast<int64_t>(got) != expected) {
    reject(op, std::string(what) + ": expected " + std::to_string(expected) + ", got " + std::to_string(got));
  }
}

void check_no_overflow(const Op& op, const char* what, int64_t magnitude, int32_t shift) {
  if (magnitude > kAccumulatorLimit >> std::max(shift, 0)) {
    reject(op, std::string(what) + " may reach " + std::to_string(magnitude) + " with left shift " +
                   std::to_string(std::max(shift, 0)) + ", which does not fit 32 bits");
  }
}

// Value i of a weight tensor belongs to output channel i / per_channel (OHWI, [out][in]) or i % channels
// (HWC).
void check_accumulators(const Graph& graph, const Op& op, const Int8Op& data, const QuantParams& input) {
  const auto channels = static_cast<size_t>(bias_count(graph, op));
  const size_t per_channel = data.weights.size() / channels;
  std::vector<int64_t> weight_sum(channels, 0);
  for (size_t i = 0; i < data.weights.size(); ++i) {
    const size_t channel = op.kind == OpKind::kDepthwiseConv2d ? i % channels : i / per_channel;
    weight_sum[channel] += std::abs(static_cast<int64_t>(data.weights[i]));
  }
  for (size_t c = 0; c < channels; ++c) {
    const int64_t magnitude =
        weight_sum[c] * largest_magnitude(input) + std::abs(static_cast<int64_t>(data.bias[c]));
    check_no_overflow(op, "the accumulator", magnitude, data.requant[data.requant.size() == 1 ? 0 : c].shift);
  }
}

std::string text_of(const QuantParams& params) {
  return "scale " + std::to_string(params.scale) + ", zero point " + std::to_string(params.zero_point);
}

void check_output_params(const Op& op, const QuantParams& got, const QuantParams& expected) {
  if (got == expected) return;
  reject(op, "its output has " + text_of(got) + ", expected " + text_of(expected));
}

void check_softmax(const Op& op, const Shape& shape, const QuantParams& input, const QuantParams& output) {
  check_output_params(op, output, kSoftmaxOutput);
  const double scale = input.scale;
  if (scale * (1 << kSoftmaxInputBits) < 1 || scale >= kSoftmaxMaxInputScale) {
    reject(op, "its input has " + text_of(input) + ", expected a scale from 2^-26 to below 16");
  }
  if (shape.c > kSoftmaxMaxChannels) {
    reject(op, "got " + std::to_string(shape.c) + " channels, expected at most " +
                   std::to_string(kSoftmaxMaxChannels) + ", whose sum fits 12 integer bits");
  }
}

void check_op(const Int8Model& model, const Op& op, const Int8Op& data) {
  const Graph& graph = model.graph;
  const QuantParams& input = model.tensors[static_cast<size_t>(op.inputs[0])];
  const QuantParams& output = model.tensors[static_cast<size_t>(op.output)];
  const Shape& shape = graph.tensor(op.inputs[0]).shape;
  if (op.kind == OpKind::kSoftmax) check_softmax(op, shape, input, output);
  if (keeps_params(op.kind)) check_output_params(op, output, input);
  const bool per_tensor = op.kind == OpKind::kFullyConnected;
  const int64_t scales = !op.has_weights() ? 0 : per_tensor ? 1 : bias_count(graph, op);
  check_size(op, "weights", data.weights.size(), op.has_weights() ? weight_count(graph, op) : 0);
  check_size(op, "biases", data.bias.size(), op.has_weights() ? bias_count(graph, op) : 0);
  check_size(op, "weight scales", data.weight_scales.size(), scales);
  for (const float scale : data.weight_scales) {
    if (!(std::isnormal(scale) && scale > 0)) reject(op, "a weight scale is " + std::to_string(scale));
  }

  Int8Op derived;
  derived.weight_scales = data.weight_scales;
  derive(model, op, derived);
  const auto fixed = [](const Int8Op& d) {
    return std::tie(d.requant, d.add_input[0], d.add_input[1], d.add_output, d.mean, d.softmax_input,
                    d.softmax_difference_min, d.activation_min, d.activation_max);
  };
  if (fixed(derived) != fixed(data))
    reject(op, "multipliers or activation clamp do not follow from the scales");

  if (op.has_weights()) {
    check_accumulators(graph, op, data, input);
  } else if (op.kind == OpKind::kAdd) {
    // Each shifted input is below 2^28 and at least halved: only the output's rescaling can go wrong.
    check_no_overflow(op, "the sum", int64_t{256} << kAddLeftShift, data.add_output.shift);
  } else if (op.kind == OpKind::kGlobalAvgPool) {
    check_no_overflow(op, "the sum", int64_t{shape.h} * shape.w * largest_magnitude(input), data.mean.shift);
  }
}

}  // namespace

FixedMultiplier to_fixed(double real_multiplier) {
  if (!(real_multiplier >= 0 && real_multiplier < static_cast<double>(1 << 30))) {
    throw usage_error("cannot rescale by " + std::to_string(real_multiplier) + ": expected 0 to 2^30");
  }
  if (real_multiplier == 0) return {};
  FixedMultiplier fixed;
  const double fraction = std::frexp(real_multiplier, &fixed.shift);
  int64_t rounded = std::llround(fraction * static_cast<double>(int64_t{1} << 31));
  if (rounded == int64_t{1} << 31) {
    rounded /= 2;
    ++fixed.shift;
  }
  if (fixed.shift < -31) return {};  // every int32 would be rescaled to 0
  fixed.multiplier = static_cast<int32_t>(rounded);
  return fixed;
}

void derive_fixed_point(Int8Model& model) {
  for (size_t i = 0; i < model.ops.size(); ++i) derive(model, model.graph.ops[i], model.ops[i]);
}

void Int8Model::check() const {
  graph.check();
  if (tensors.size() != graph.tensors.size() || ops.size() != graph.ops.size()) {
    throw usage_error("graph '" + graph.name + "': " + std::to_string(graph.tensors.size()) +
                      " tensors and " + std::to_string(graph.ops.size()) + " operators, but parameters of " +
                      std::to_string(tensors.size()) + " and " + std::to_string(ops.size()));
  }
  for (size_t i = 0; i < tensors.size(); ++i) {
    const std::string& name = graph.tensors[i].name;
    if (!(std::isnormal(tensors[i].scale) && tensors[i].scale > 0)) {
      throw usage_error("tensor '" + name + "': scale " + std::to_string(tensors[i].scale) +
                        " is not positive");
    }
    if (tensors[i].zero_point < -128 || tensors[i].zero_point > 127) {
      throw usage_error("tensor '" + name + "': zero point " + std::to_string(tensors[i].zero_point) +
                        " is not in [-128, 127]");
    }
  }
  for (size_t i = 0; i < ops.size(); ++i) check_op(*this, graph.ops[i], ops[i]);
  const int64_t outputs = graph.tensor(graph.output).shape.elements();
  if (!class_names.empty() && static_cast<int64_t>(class_names.size()) != outputs) {
    throw usage_error("graph '" + graph.name + "': " + std::to_string(outputs) + " outputs, but " +
                      std::to_string(class_names.size()) + " class names");
  }
}

void QuantizeOptions::check() const {
  if (calibration != "minmax" && calibration != "percentile" && calibration != "mse") {
    throw usage_error("quantize.calibration: expected minmax, percentile or mse, got '" + calibration + "'");
  }
  if (!(percentile >= 50 && percentile <= 100)) {
    throw usage_error("quantize.percentile: expected 50 to 100, got " + std::to_string(percentile));
  }
  if (calibration_images < 1) {
    throw usage_error("quantize.calibration_images: expected at least 1, got " +
                      std::to_string(calibration_images));
  }
}

}  // namespace tinynas
