#include <algorithm>
#include <cfloat>
#include <cmath>

#include "base/error.h"
#include "quantize/accumulator.h"
#include "quantize/bias_correction.h"
#include "quantize/calibration.h"
#include "quantize/equalisation.h"
#include "quantize/int8_model.h"

namespace tinynas {
namespace {

constexpr double kLevels = 255.0;
constexpr float kLargestWeight = 127.0f;

// Index of the weight scale of value i: one scale an output channel, one in all for fully connected.
struct ScaleIndex {
  OpKind kind;
  size_t channels;
  size_t values;
  size_t operator()(size_t i) const {
    if (kind == OpKind::kFullyConnected) return 0;
    return kind == OpKind::kDepthwiseConv2d ? i % channels : i / (values / channels);
  }
};

// Symmetric scales from the largest magnitudes. A channel without weights takes the largest scale of its
// operator, so that its bias is kept as finely as the others'; a scale too fine to hold its bias in 32 bits
// is widened.
std::vector<float> weight_scales(const Op& op, const FloatWeights& weights, const ScaleIndex& index,
                                 float input_scale) {
  const size_t count = op.kind == OpKind::kFullyConnected ? 1 : index.channels;
  std::vector<float> scales(count, 0.0f);
  for (size_t i = 0; i < weights.weights.size(); ++i) {
    float& scale = scales[index(i)];
    scale = std::max(scale, std::abs(weights.weights[i]) / kLargestWeight);
  }
  const float largest = *std::max_element(scales.begin(), scales.end());
  const float fallback = std::isnormal(largest) ? largest : 1.0f / kLargestWeight;
  for (float& scale : scales) {
    if (!std::isnormal(scale)) scale = fallback;
  }

  const auto taps = static_cast<int64_t>(weights.weights.size() / index.channels);
  const int64_t bias_limit = largest_bias(taps);
  if (bias_limit < kAccumulatorLimit / 2) {
    throw usage_error("operator '" + op.name + "': " + std::to_string(taps) +
                      " products an output may not fit a 32-bit accumulator");
  }
  for (size_t c = 0; c < index.channels; ++c) {
    float& scale = scales[count == 1 ? 0 : c];
    const double needed =
        std::abs(static_cast<double>(weights.bias[c])) / (static_cast<double>(bias_limit) * input_scale);
    if (needed >= scale) scale = std::nextafter(static_cast<float>(needed * (1 + FLT_EPSILON)), FLT_MAX);
  }
  return scales;
}

void quantize_weights(const Op& op, const FloatWeights& weights, float input_scale, Int8Op& out) {
  const ScaleIndex index{op.kind, weights.bias.size(), weights.weights.size()};
  out.weight_scales = weight_scales(op, weights, index, input_scale);
  out.weights.resize(weights.weights.size());
  for (size_t i = 0; i < out.weights.size(); ++i) {
    const float steps = std::round(weights.weights[i] / out.weight_scales[index(i)]);
    out.weights[i] = static_cast<int8_t>(std::clamp(steps, -kLargestWeight, kLargestWeight));
  }
  out.bias.resize(weights.bias.size());
  for (size_t c = 0; c < out.bias.size(); ++c) {
    const double scale =
        static_cast<double>(input_scale) * out.weight_scales[out.weight_scales.size() == 1 ? 0 : c];
    out.bias[c] = static_cast<int32_t>(std::llround(weights.bias[c] / scale));  // half away from zero
  }
}

// The finest output scale that fixed-point arithmetic allows. It binds only in degenerate cases (an output
// range far smaller than one accumulator step): convolutions never multiply by 1 or more, ADD likewise, and
// the sum of MEAN must stay below 2^30 after its left shift (which at most doubles the multiplier).
float smallest_output_scale(const Int8Model& model, const Op& op, const Int8Op& data) {
  const auto scale_of = [&](TensorId id) {
    return static_cast<double>(model.tensors[static_cast<size_t>(id)].scale);
  };
  const double input_scale = scale_of(op.inputs[0]);
  double smallest = 0;
  if (op.has_weights()) {
    smallest = input_scale * *std::max_element(data.weight_scales.begin(), data.weight_scales.end());
  } else if (op.kind == OpKind::kAdd) {
    smallest = 2.0 * std::max(input_scale, scale_of(op.inputs[1])) / (1 << 20);
  } else {
    const Shape& in = model.graph.tensor(op.inputs[0]).shape;
    smallest = input_scale * kLevels * in.h * in.w * 4.0 / static_cast<double>(kAccumulatorLimit);
  }
  return std::max(static_cast<float>(smallest * (1 + 4.0 * FLT_EPSILON)), FLT_MIN);
}

// Scale and zero point that cover `range`, with real 0 exactly at the zero point.
QuantParams params_of(Range range, Activation activation, float smallest_scale) {
  if (range.low == range.high) {
    // Always 0 on the calibration images: nothing is known of its range, so one unit stands for it.
    range = {activation == Activation::kNone ? -1.0f : 0.0f, 1.0f};
  }
  QuantParams params;
  params.scale = static_cast<float>((static_cast<double>(range.high) - range.low) / kLevels);
  params.scale = std::max(params.scale, smallest_scale);
  const double zero_point = std::round(-128.0 - static_cast<double>(range.low) / params.scale);
  params.zero_point = static_cast<int32_t>(std::clamp(zero_point, -128.0, 127.0));
  return params;
}

// Weights, biases and scales for these ranges.
Int8Model quantize_to(const FloatModel& model, const std::vector<Range>& ranges, const QuantParams& input) {
  const Graph& graph = model.graph;
  Int8Model result;
  result.graph = graph;
  result.class_names = model.class_names;
  result.tensors.resize(graph.tensors.size());
  result.ops.resize(graph.ops.size());
  result.tensors[static_cast<size_t>(graph.input)] = input;
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    const Op& op = graph.ops[i];
    if (op.has_weights()) {
      quantize_weights(op, model.weights.at(op.name), result.tensors[static_cast<size_t>(op.inputs[0])].scale,
                       result.ops[i]);
    }
    const auto output = static_cast<size_t>(op.output);
    if (op.kind == OpKind::kSoftmax) {
      result.tensors[output] = kSoftmaxOutput;
      continue;
    }
    if (keeps_params(op.kind)) {
      result.tensors[output] = result.tensors[static_cast<size_t>(op.inputs[0])];
      continue;
    }
    result.tensors[output] =
        params_of(ranges[output], op.activation, smallest_output_scale(result, op, result.ops[i]));
  }
  derive_fixed_point(result);
  return result;
}

}  // namespace

Int8Model quantize(const FloatModel& model, const std::vector<const float*>& images, const QuantParams& input,
                   const QuantizeOptions& options) {
  options.check();
  model.check();
  if (images.empty()) throw usage_error("quantize: there are no calibration images");
  const size_t count = std::min(images.size(), static_cast<size_t>(options.calibration_images));
  const std::vector<const float*> used(images.begin(), images.begin() + static_cast<std::ptrdiff_t>(count));

  FloatModel equalised;
  if (options.equalisation) {
    equalised = model;
    equalise(equalised);
  }
  const FloatModel& source = options.equalisation ? equalised : model;
  Int8Model result = quantize_to(source, activation_ranges(source, used, options), input);
  if (options.bias_correction) correct_bias(source, used, result);
  result.check();
  return result;
}

}  // namespace tinynas
