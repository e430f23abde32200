// The int8 operators once more, straight from the formulas of TensorFlow Lite's reference kernels, one scalar
// at a time: what the interpreter must equal bit for bit. And single operators in float, to compare with.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "quantize/int8_model.h"

namespace tinynas::testing {

inline int32_t saturating_rounding_doubling_high_mul(int32_t a, int32_t b) {
  if (a == b && a == std::numeric_limits<int32_t>::min()) return std::numeric_limits<int32_t>::max();
  const int64_t product = static_cast<int64_t>(a) * b;
  const int32_t nudge = product >= 0 ? (1 << 30) : (1 - (1 << 30));
  return static_cast<int32_t>((product + nudge) / (1LL << 31));
}

inline int32_t rounding_divide_by_pot(int32_t x, int exponent) {
  const auto mask = static_cast<int32_t>((1LL << exponent) - 1);
  const int32_t remainder = x & mask;
  const int32_t threshold = (mask >> 1) + (x < 0 ? 1 : 0);
  return (x >> exponent) + (remainder > threshold ? 1 : 0);
}

inline int32_t multiply_by_quantized_multiplier(int32_t x, FixedMultiplier m) {
  const int left_shift = m.shift > 0 ? m.shift : 0;
  const int right_shift = m.shift > 0 ? 0 : -m.shift;
  return rounding_divide_by_pot(saturating_rounding_doubling_high_mul(x * (1 << left_shift), m.multiplier),
                                right_shift);
}

// One operator: int8 inputs -> int8 output.
inline std::vector<int8_t> reference_op(const Int8Model& model, size_t index,
                                        const std::vector<std::vector<int8_t>>& inputs) {
  const Graph& graph = model.graph;
  const Op& op = graph.ops[index];
  const Int8Op& data = model.ops[index];
  const Shape in = graph.tensor(op.inputs[0]).shape;
  const Shape out = graph.tensor(op.output).shape;
  const int32_t in_zero = model.tensors[static_cast<size_t>(op.inputs[0])].zero_point;
  const int32_t out_zero = model.tensors[static_cast<size_t>(op.output)].zero_point;
  std::vector<int8_t> output(static_cast<size_t>(out.elements()));
  const auto finish = [&](int32_t value) {
    return static_cast<int8_t>(std::clamp(value + out_zero, data.activation_min, data.activation_max));
  };

  if (op.kind == OpKind::kAdd) {
    const int32_t other_zero = model.tensors[static_cast<size_t>(op.inputs[1])].zero_point;
    for (size_t i = 0; i < output.size(); ++i) {
      const int32_t a = (inputs[0][i] - in_zero) * (1 << 20);
      const int32_t b = (inputs[1][i] - other_zero) * (1 << 20);
      const int32_t sum = multiply_by_quantized_multiplier(a, data.add_input[0]) +
                          multiply_by_quantized_multiplier(b, data.add_input[1]);
      output[i] = finish(multiply_by_quantized_multiplier(sum, data.add_output));
    }
    return output;
  }
  if (op.kind == OpKind::kGlobalAvgPool) {
    const int n = in.h * in.w;
    for (int c = 0; c < in.c; ++c) {
      int32_t sum = 0;
      for (int i = 0; i < n; ++i) sum += inputs[0][static_cast<size_t>(i * in.c + c)] - in_zero;
      sum = multiply_by_quantized_multiplier(sum, data.mean);
      output[static_cast<size_t>(c)] = finish(sum > 0 ? (sum + n / 2) / n : (sum - n / 2) / n);
    }
    return output;
  }
  // Fully connected is a convolution whose kernel is the whole input.
  const bool connected = op.kind == OpKind::kFullyConnected;
  const bool depthwise = op.kind == OpKind::kDepthwiseConv2d;
  const int kernel_h = connected ? in.h : op.kernel_h;
  const int kernel_w = connected ? in.w : op.kernel_w;
  for (int y = 0; y < out.h; ++y) {
    for (int x = 0; x < out.w; ++x) {
      for (int oc = 0; oc < out.c; ++oc) {
        int32_t sum = 0;
        for (int ky = 0; ky < kernel_h; ++ky) {
          for (int kx = 0; kx < kernel_w; ++kx) {
            const int in_y = y * op.stride_h - op.padding.top + ky;
            const int in_x = x * op.stride_w - op.padding.left + kx;
            if (in_y < 0 || in_y >= in.h || in_x < 0 || in_x >= in.w) continue;
            for (int ic = depthwise ? oc : 0; ic < (depthwise ? oc + 1 : in.c); ++ic) {
              const int weight = depthwise ? (ky * kernel_w + kx) * in.c + oc
                                           : ((oc * kernel_h + ky) * kernel_w + kx) * in.c + ic;
              sum += (inputs[0][static_cast<size_t>((in_y * in.w + in_x) * in.c + ic)] - in_zero) *
                     data.weights[static_cast<size_t>(weight)];
            }
          }
        }
        sum += data.bias[static_cast<size_t>(oc)];
        const size_t channel = connected ? 0 : static_cast<size_t>(oc);
        output[static_cast<size_t>((y * out.w + x) * out.c + oc)] =
            finish(multiply_by_quantized_multiplier(sum, data.requant[channel]));
      }
    }
  }
  return output;
}

// Every tensor of the graph, by TensorId.
inline std::vector<std::vector<int8_t>> reference_run(const Int8Model& model,
                                                      const std::vector<int8_t>& input) {
  std::vector<std::vector<int8_t>> tensors(model.graph.tensors.size());
  tensors[static_cast<size_t>(model.graph.input)] = input;
  for (size_t i = 0; i < model.graph.ops.size(); ++i) {
    const Op& op = model.graph.ops[i];
    std::vector<std::vector<int8_t>> inputs;
    for (const TensorId id : op.inputs) inputs.push_back(tensors[static_cast<size_t>(id)]);
    tensors[static_cast<size_t>(op.output)] = reference_op(model, i, inputs);
  }
  return tensors;
}

// One operator in float as a network of its own, with other weights and no activation; not ADD, which has two
// inputs.
inline std::vector<float> run_alone(const Graph& graph, const Op& op, FloatWeights weights,
                                    const std::vector<float>& input) {
  FloatModel model;
  Op alone = op;
  alone.inputs = {0};
  alone.output = 1;
  alone.activation = Activation::kNone;
  model.graph = {"alone", {graph.tensor(op.inputs[0]), graph.tensor(op.output)}, {alone}, 0, 1};
  model.weights[op.name] = std::move(weights);
  return run_float(model, input.data())[1];
}

}  // namespace tinynas::testing
