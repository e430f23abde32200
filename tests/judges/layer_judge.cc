#include "layer_judge.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "../quantize/reference.h"

namespace tinynas::judges {
namespace {

// Rounding right shift with ties towards +infinity.
int32_t shift_ties_up(int32_t x, int exponent) {
  return exponent == 0 ? x : static_cast<int32_t>((int64_t{x} + (int64_t{1} << (exponent - 1))) >> exponent);
}

int32_t rescale_ties_up(int32_t x, FixedMultiplier by) {
  const int left = std::max(by.shift, 0);
  return shift_ties_up(testing::saturating_rounding_doubling_high_mul(x * (1 << left), by.multiplier),
                       std::max(-by.shift, 0));
}

// std::round: half away from zero.
int32_t rescale_once(int32_t x, FixedMultiplier by) {
  return static_cast<int32_t>(std::lround(std::ldexp(static_cast<double>(x) * by.multiplier, by.shift - 31)));
}

int32_t rescale_by(Rounding rounding, int32_t x, FixedMultiplier by) {
  if (rounding == Rounding::kTiesUp) return rescale_ties_up(x, by);
  if (rounding == Rounding::kSingle) return rescale_once(x, by);
  return testing::multiply_by_quantized_multiplier(x, by);
}

// A convolution of any kind, or fully connected (a kernel as large as its input), straight from its
// definition.
std::vector<int8_t> convolve(const Int8Model& model, size_t index, const std::vector<int8_t>& input,
                             Rounding rounding) {
  const Op& op = model.graph.ops[index];
  const Int8Op& data = model.ops[index];
  const Shape in = model.graph.tensor(op.inputs[0]).shape;
  const Shape out = model.graph.tensor(op.output).shape;
  const int32_t in_zero = model.tensors[static_cast<size_t>(op.inputs[0])].zero_point;
  const int32_t out_zero = model.tensors[static_cast<size_t>(op.output)].zero_point;
  const bool connected = op.kind == OpKind::kFullyConnected;
  const bool depthwise = op.kind == OpKind::kDepthwiseConv2d;
  const int kernel_h = connected ? in.h : op.kernel_h;
  const int kernel_w = connected ? in.w : op.kernel_w;
  const int multiplier = depthwise ? out.c / in.c : 1;
  std::vector<int8_t> output(static_cast<size_t>(out.elements()));
  for (size_t i = 0; i < output.size(); ++i) {
    const int oc = static_cast<int>(i) % out.c;
    const int x = static_cast<int>(i) / out.c % out.w;
    const int y = static_cast<int>(i) / out.c / out.w;
    int32_t sum = data.bias[static_cast<size_t>(oc)];
    for (int ky = 0; ky < kernel_h; ++ky) {
      const int in_y = y * op.stride_h - op.padding.top + ky;
      if (in_y < 0 || in_y >= in.h) continue;
      for (int kx = 0; kx < kernel_w; ++kx) {
        const int in_x = x * op.stride_w - op.padding.left + kx;
        if (in_x < 0 || in_x >= in.w) continue;
        const int8_t* from = input.data() + static_cast<size_t>((in_y * in.w + in_x) * in.c);
        if (depthwise) {
          sum += (from[oc / multiplier] - in_zero) *
                 data.weights[static_cast<size_t>((ky * kernel_w + kx) * out.c + oc)];
          continue;
        }
        const int8_t* weights =
            data.weights.data() + static_cast<size_t>(((oc * kernel_h + ky) * kernel_w + kx) * in.c);
        for (int ic = 0; ic < in.c; ++ic) sum += (from[ic] - in_zero) * weights[ic];
      }
    }
    const FixedMultiplier by = data.requant[data.requant.size() == 1 ? 0 : static_cast<size_t>(oc)];
    output[i] = static_cast<int8_t>(
        std::clamp(rescale_by(rounding, sum, by) + out_zero, data.activation_min, data.activation_max));
  }
  return output;
}

}  // namespace

void Distances::add(int got, int expected) {
  const int distance = std::abs(got - expected);
  ++(distance == 0 ? equal : distance == 1 ? by_one : further);
}

void judge_layers(const Int8Model& model, const std::vector<std::vector<int8_t>>& tensors,
                  const std::function<Rounding(OpKind)>& theirs, std::map<OpKind, Tally>& tallies) {
  for (size_t i = 0; i < model.graph.ops.size(); ++i) {
    const Op& op = model.graph.ops[i];
    std::vector<std::vector<int8_t>> inputs;
    for (const TensorId id : op.inputs) inputs.push_back(tensors[static_cast<size_t>(id)]);
    const std::vector<int8_t> ours = op.has_weights() ? convolve(model, i, inputs[0], Rounding::kDouble)
                                                      : testing::reference_op(model, i, inputs);
    const std::vector<int8_t> own = op.has_weights() ? convolve(model, i, inputs[0], theirs(op.kind)) : ours;
    const std::vector<int8_t>& got = tensors[static_cast<size_t>(op.output)];
    Tally& tally = tallies[op.kind];
    ++tally.operators;
    for (size_t v = 0; v < ours.size(); ++v) {
      tally.ours.add(got.at(v), ours[v]);
      tally.theirs.add(got.at(v), own[v]);
    }
  }
}

std::string to_text(const std::map<OpKind, Tally>& tallies) {
  std::string text;
  for (const auto& [kind, tally] : tallies) {
    char line[300];
    const auto number = [](int64_t value) { return static_cast<long long>(value); };
    std::snprintf(
        line, sizeof line,
        "  %-17s %4d operators; from ours: %lld equal, %lld off by one, %lld further; from their own "
        "variant: %lld equal, %lld off by one, %lld further\n",
        name_of(kind), tally.operators, number(tally.ours.equal), number(tally.ours.by_one),
        number(tally.ours.further), number(tally.theirs.equal), number(tally.theirs.by_one),
        number(tally.theirs.further));
    text += line;
  }
  return text;
}

}  // namespace tinynas::judges
