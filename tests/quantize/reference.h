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

// gemmlowp's FixedPoint<int32_t, n> of fixedpoint.h, as its templates compute it; e is the number of integer
// bits.
struct Fixed {
  int32_t raw;
  int e;
};
inline Fixed operator*(Fixed a, Fixed b) {
  return {saturating_rounding_doubling_high_mul(a.raw, b.raw), a.e + b.e};
}
inline Fixed operator+(Fixed a, Fixed b) { return {a.raw + b.raw, a.e}; }
inline Fixed operator-(Fixed a, Fixed b) { return {a.raw - b.raw, a.e}; }
inline Fixed rescale_fixed(Fixed a, int e) {  // Rescale<e>: SaturatingRoundingMultiplyByPOT<a.e - e>
  if (a.e < e) return {rounding_divide_by_pot(a.raw, e - a.e), e};
  const int64_t wide = static_cast<int64_t>(a.raw) * (1LL << (a.e - e));
  return {static_cast<int32_t>(std::clamp<int64_t>(wide, INT32_MIN, INT32_MAX)), e};
}
inline Fixed half_of(Fixed a) { return {rounding_divide_by_pot(a.raw, 1), a.e}; }

inline Fixed reference_exp(Fixed a) {  // a.e = 5, a <= 0
  const int32_t one_quarter = 1 << (31 - 5 - 2);
  const Fixed a_mod_quarter_minus_one_quarter = {(a.raw & (one_quarter - 1)) - one_quarter, 5};
  const Fixed x = rescale_fixed(a_mod_quarter_minus_one_quarter, 0) + Fixed{1 << 28, 0};
  const Fixed x2 = x * x;
  const Fixed x4_over_4 = {rounding_divide_by_pot((x2 * x2).raw, 2), 0};
  const Fixed term = half_of((x4_over_4 + x2 * x) * Fixed{715827883, 0} + x2);
  const Fixed constant{1895147668, 0};
  Fixed result = constant + constant * (x + term);
  const int32_t remainder = a_mod_quarter_minus_one_quarter.raw - a.raw;
  const int32_t multipliers[] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
  for (int exponent = -2; exponent <= 4; ++exponent) {
    if (remainder & (1 << (26 + exponent))) result = result * Fixed{multipliers[exponent + 2], 0};
  }
  return a.raw == 0 ? Fixed{INT32_MAX, 0} : result;
}

// reference_ops::Softmax for int8 in and out; `row` is overwritten.
inline void reference_softmax(std::vector<int8_t>& row, FixedMultiplier m, int32_t diff_min) {
  const int32_t max_in_row = *std::max_element(row.begin(), row.end());
  const auto exp_of = [&](int8_t q) {
    return reference_exp(
        {saturating_rounding_doubling_high_mul((q - max_in_row) * (1 << m.shift), m.multiplier), 5});
  };
  Fixed sum_of_exps{0, 12};
  for (const int8_t q : row) {
    if (q - max_in_row >= diff_min) sum_of_exps = sum_of_exps + rescale_fixed(exp_of(q), 12);
  }
  int headroom_plus_one = 0;
  while (((static_cast<uint32_t>(sum_of_exps.raw) << headroom_plus_one) >> 31) == 0) ++headroom_plus_one;
  const int num_bits_over_unit = 12 - headroom_plus_one;
  const Fixed shifted_sum_minus_one{
      static_cast<int32_t>((static_cast<uint32_t>(sum_of_exps.raw) << headroom_plus_one) - 0x80000000u), 0};
  // one_over_one_plus_x_for_x_in_0_1
  const int64_t sum = static_cast<int64_t>(shifted_sum_minus_one.raw) + INT32_MAX;
  const Fixed half_denominator{static_cast<int32_t>((sum + (sum >= 0 ? 1 : -1)) / 2), 0};
  Fixed x = Fixed{1515870810, 2} + half_denominator * Fixed{-1010580540, 2};
  for (int i = 0; i < 3; ++i) x = x + rescale_fixed(x * (Fixed{1 << 29, 2} - half_denominator * x), 2);
  const Fixed shifted_scale = rescale_fixed({x.raw, 1}, 0);  // ExactMulByPot<-1>
  for (int8_t& q : row) {
    if (q - max_in_row < diff_min) {
      q = -128;
      continue;
    }
    const int32_t unsat =
        rounding_divide_by_pot((shifted_scale * exp_of(q)).raw, num_bits_over_unit + 31 - 8);
    q = static_cast<int8_t>(std::clamp(unsat - 128, -128, 127));
  }
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
  if (op.kind == OpKind::kAvgPool) {  // reference_integer_ops::AveragePool
    for (size_t i = 0; i < output.size(); ++i) {
      const int c = static_cast<int>(i) % out.c;
      const int x = static_cast<int>(i) / out.c % out.w;
      const int y = static_cast<int>(i) / out.c / out.w;
      int32_t sum = 0;
      int count = 0;
      for (int tap = 0; tap < op.kernel_h * op.kernel_w; ++tap) {
        const int in_y = y * op.stride_h - op.padding.top + tap / op.kernel_w;
        const int in_x = x * op.stride_w - op.padding.left + tap % op.kernel_w;
        if (in_y < 0 || in_y >= in.h || in_x < 0 || in_x >= in.w) continue;
        sum += inputs[0][static_cast<size_t>((in_y * in.w + in_x) * in.c + c)];
        ++count;
      }
      sum = sum > 0 ? (sum + count / 2) / count : (sum - count / 2) / count;
      output[i] = static_cast<int8_t>(std::clamp(sum, data.activation_min, data.activation_max));
    }
    return output;
  }
  if (op.kind == OpKind::kSoftmax) {
    for (size_t first = 0; first < output.size(); first += static_cast<size_t>(out.c)) {
      const auto begin = inputs[0].begin() + static_cast<std::ptrdiff_t>(first);
      std::vector<int8_t> row(begin, begin + out.c);
      reference_softmax(row, data.softmax_input, data.softmax_difference_min);
      std::copy(row.begin(), row.end(), output.begin() + static_cast<std::ptrdiff_t>(first));
    }
    return output;
  }
  if (op.kind == OpKind::kReshape) return inputs[0];
  if (op.kind == OpKind::kPad) {  // reference_ops::Pad
    for (size_t i = 0; i < output.size(); ++i) {
      const int c = static_cast<int>(i) % out.c - op.padding.channels_before;
      const int x = static_cast<int>(i) / out.c % out.w - op.padding.left;
      const int y = static_cast<int>(i) / out.c / out.w - op.padding.top;
      const bool inside = y >= 0 && y < in.h && x >= 0 && x < in.w && c >= 0 && c < in.c;
      output[i] =
          inside ? inputs[0][static_cast<size_t>((y * in.w + x) * in.c + c)] : static_cast<int8_t>(out_zero);
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
            const int only = oc / op.depth_multiplier;  // the input channel that a depthwise one reads
            for (int ic = depthwise ? only : 0; ic < (depthwise ? only + 1 : in.c); ++ic) {
              const int weight = depthwise ? (ky * kernel_w + kx) * out.c + oc
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
