// Random networks for property tests: a graph that passes Graph::check(), and seeded weights for it, float or
// int8.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "base/rng.h"
#include "graph/graph.h"
#include "quantize/float_model.h"
#include "quantize/int8_model.h"

namespace tinynas::testing {

struct RandomGraphOptions {
  int max_side = 12;      // height and width of the input are drawn from [1, max_side]
  int max_channels = 20;  // odd numbers included
  int max_blocks = 5;     // at least one; a block is one to four operators
  std::vector<int> kernels{1, 3, 5, 7};
  int max_stride = 2;
  bool explicit_padding = true;    // any padding below the kernel, besides SAME and VALID
  bool pool_padding = true;        // explicit padding of average pools too, which a .tflite file cannot hold
  bool softmax = true;             // now and then as the last operator
  bool pads_and_reshapes = false;  // as operators of their own, also where their input is read again
};

// Builds a chain with residual additions, operator by operator; `current` is the tensor that the next one
// reads.
class RandomGraphBuilder {
 public:
  RandomGraphBuilder(Rng& rng, const RandomGraphOptions& options) : rng_(rng), options_(options) {
    graph_.name = "random";
    const Shape shape{side(), side(), channels()};
    graph_.input = current_ = add_tensor("input", shape);
  }

  Graph build() {
    const int64_t blocks = 1 + rng_.below(options_.max_blocks);
    for (int64_t i = 0; i < blocks; ++i) {
      switch (rng_.below(7)) {
        case 0:
          conv(kernel(), kernel(), stride(), channels());
          break;
        case 1:
          conv(1, 1, 1, channels());
          break;
        case 2:
          depthwise(kernel(), stride());
          break;
        case 3:
          depthwise(kernel(), stride(), /*same=*/false, 1 + static_cast<int>(rng_.below(4)));
          break;
        case 4:
          average_pool(kernel(), kernel(), stride());
          break;
        default:
          residual_block();
      }
      if (options_.pads_and_reshapes && rng_.chance(0.5)) pad();
      if (options_.pads_and_reshapes && rng_.chance(0.5)) reshape();
      if (rng_.chance(0.3)) long_skip();
    }
    if (rng_.chance(0.7)) pool();
    if (graph_.ops.empty() || rng_.chance(0.7)) fully_connected(1 + static_cast<int>(rng_.below(12)));
    if (options_.softmax && rng_.chance(0.3)) softmax();
    graph_.output = current_;
    graph_.check();
    return graph_;
  }

 private:
  enum class Pad { kSame, kValid, kExplicit };

  int side() { return 1 + static_cast<int>(rng_.below(options_.max_side)); }
  int channels() { return 1 + static_cast<int>(rng_.below(options_.max_channels)); }
  int kernel() { return rng_.pick(options_.kernels); }
  int stride() { return 1 + static_cast<int>(rng_.below(options_.max_stride)); }
  Activation activation() { return static_cast<Activation>(rng_.below(3)); }
  const Shape& shape() const { return graph_.tensor(current_).shape; }

  TensorId add_tensor(const std::string& name, const Shape& shape) {
    graph_.tensors.push_back({name, shape});
    return static_cast<TensorId>(graph_.tensors.size()) - 1;
  }

  // `out_channels` is asked for only where infer_shape() cannot know it (convolution, fully connected).
  void append(Op op, const Shape& out) {
    op.name = "op" + std::to_string(graph_.ops.size());
    op.output = add_tensor(op.name + ".out", out);
    current_ = op.output;
    graph_.ops.push_back(std::move(op));
  }

  Op new_op(OpKind kind) {
    Op op;
    op.kind = kind;
    op.inputs = {current_};
    const bool fused = kind != OpKind::kGlobalAvgPool && kind != OpKind::kSoftmax && kind != OpKind::kPad &&
                       kind != OpKind::kReshape;
    op.activation = fused ? activation() : Activation::kNone;
    return op;
  }

  Padding padding(const Op& op) {
    const Shape& in = shape();
    const bool fits = op.kernel_h <= in.h && op.kernel_w <= in.w;
    const bool any_padding =
        options_.explicit_padding && (options_.pool_padding || op.kind != OpKind::kAvgPool);
    const Pad pad = static_cast<Pad>(rng_.below(any_padding ? 3 : 2));
    if (pad == Pad::kValid && fits) return {};
    if (pad == Pad::kExplicit) {
      const auto any = [&](int kernel) { return static_cast<int>(rng_.below(kernel)); };
      Padding padding{any(op.kernel_h), any(op.kernel_w), any(op.kernel_h), any(op.kernel_w)};
      padding.bottom = std::max(padding.bottom, std::min(op.kernel_h - 1, op.kernel_h - in.h - padding.top));
      padding.right = std::max(padding.right, std::min(op.kernel_w - 1, op.kernel_w - in.w - padding.left));
      if (in.h + padding.top + padding.bottom >= op.kernel_h &&
          in.w + padding.left + padding.right >= op.kernel_w) {
        return padding;
      }
    }
    const auto [top, bottom] = same_padding(in.h, op.kernel_h, op.stride_h);
    const auto [left, right] = same_padding(in.w, op.kernel_w, op.stride_w);
    return {top, left, bottom, right};
  }

  void window(Op op, int out_channels) {
    const Shape& in = shape();
    const int h = (in.h + op.padding.top + op.padding.bottom - op.kernel_h) / op.stride_h + 1;
    const int w = (in.w + op.padding.left + op.padding.right - op.kernel_w) / op.stride_w + 1;
    append(std::move(op), {h, w, out_channels});
  }

  void conv(int kernel_h, int kernel_w, int stride, int out_channels) {
    Op op = new_op(OpKind::kConv2d);
    op.kernel_h = kernel_h;
    op.kernel_w = kernel_w;
    op.stride_h = op.stride_w = stride;
    op.padding = padding(op);
    window(std::move(op), out_channels);
  }

  void depthwise(int kernel, int stride, bool same = false, int depth_multiplier = 1) {
    Op op = new_op(OpKind::kDepthwiseConv2d);
    op.kernel_h = op.kernel_w = kernel;
    op.stride_h = op.stride_w = stride;
    if (same) {
      op.padding = {(kernel - 1) / 2, (kernel - 1) / 2, kernel / 2, kernel / 2};
    } else {
      op.padding = padding(op);
    }
    op.depth_multiplier = depth_multiplier;
    window(std::move(op), shape().c * depth_multiplier);
  }

  void average_pool(int kernel_h, int kernel_w, int stride) {
    Op op = new_op(OpKind::kAvgPool);
    op.kernel_h = kernel_h;
    op.kernel_w = kernel_w;
    op.stride_h = op.stride_w = stride;
    op.padding = padding(op);
    window(std::move(op), shape().c);
  }

  void softmax() {
    const Shape same = shape();
    append(new_op(OpKind::kSoftmax), same);
  }

  void add(TensorId other) {
    Op op = new_op(OpKind::kAdd);
    op.inputs = rng_.chance(0.5) ? TensorIds{other, op.inputs[0]} : TensorIds{op.inputs[0], other};
    const Shape out = shape();
    append(std::move(op), out);
  }

  // MobileNetV2's block: expand, depthwise, project, add.
  void residual_block() {
    const TensorId input = current_;
    const int channels = shape().c;
    conv(1, 1, 1, channels * (1 + static_cast<int>(rng_.below(3))));
    depthwise(kernel(), 1, /*same=*/true);
    conv(1, 1, 1, channels);
    if (shape() == graph_.tensor(input).shape) add(input);
  }

  void pad() {
    const auto some = [&] { return rng_.chance(0.5) ? 0 : static_cast<int>(rng_.below(4)); };
    Op op = new_op(OpKind::kPad);
    const bool channels = rng_.chance(0.4);
    op.padding = {some(), some(), some(), some(), channels ? some() : 0, channels ? some() : 0};
    const Shape in = shape();
    const Padding& by = op.padding;
    append(std::move(op), {in.h + by.top + by.bottom, in.w + by.left + by.right,
                           in.c + by.channels_before + by.channels_after});
  }

  // To any shape of as many values. Where its input is read once more, the bytes have to stay apart.
  void reshape() {
    const TensorId input = current_;
    const auto values = static_cast<int>(shape().elements());
    std::vector<int> sides;
    for (int side = 1; side <= values; ++side) {
      if (values % side == 0) sides.push_back(side);
    }
    Shape to;
    to.c = rng_.pick(sides);
    to.h = rng_.pick(sides);
    while (values / to.c % to.h != 0) to.h = rng_.pick(sides);
    to.w = values / to.c / to.h;
    const Shape from = shape();
    append(new_op(OpKind::kReshape), to);
    if (rng_.chance(0.5)) return;
    if (rng_.chance(0.5)) {
      append(new_op(OpKind::kReshape), from);
      add(input);
    } else {
      conv(1, 1, 1, channels());
    }
  }

  // Adds any earlier tensor of the same shape: keeps several tensors alive at once.
  void long_skip() {
    std::vector<TensorId> candidates;
    for (TensorId id = 0; id < static_cast<TensorId>(graph_.tensors.size()); ++id) {
      if (id != current_ && graph_.tensor(id).shape == shape()) candidates.push_back(id);
    }
    if (!candidates.empty()) add(rng_.pick(candidates));
  }

  void pool() {
    const int channels = shape().c;
    append(new_op(OpKind::kGlobalAvgPool), {1, 1, channels});
  }

  void fully_connected(int outputs) { append(new_op(OpKind::kFullyConnected), {1, 1, outputs}); }

  Rng& rng_;
  RandomGraphOptions options_;
  Graph graph_;
  TensorId current_ = -1;
};

inline Graph random_graph(Rng& rng, const RandomGraphOptions& options = {}) {
  return RandomGraphBuilder(rng, options).build();
}

// Values an output: the reduction of convolutions and fully connected layers.
inline int64_t taps(const Graph& graph, const Op& op) {
  return weight_count(graph, op) / bias_count(graph, op);
}

// He-scaled normal weights whose channels differ in magnitude by up to 10; now and then a channel is all
// zero.
inline FloatModel random_float_model(const Graph& graph, Rng& rng) {
  FloatModel model;
  model.graph = graph;
  for (const Op& op : graph.ops) {
    if (!op.has_weights()) continue;
    FloatWeights& weights = model.weights[op.name];
    const auto channels = static_cast<size_t>(bias_count(graph, op));
    weights.weights.resize(static_cast<size_t>(weight_count(graph, op)));
    std::vector<double> magnitude;
    for (size_t c = 0; c < channels; ++c) {
      const double spread = rng.chance(0.05) ? 0.0 : std::pow(10.0, rng.uniform() - 0.5);
      magnitude.push_back(spread * std::sqrt(2.0 / static_cast<double>(taps(graph, op))));
      weights.bias.push_back(static_cast<float>(0.3 * rng.normal()));
    }
    const size_t per_channel = weights.weights.size() / channels;
    for (size_t i = 0; i < weights.weights.size(); ++i) {
      const size_t c = op.kind == OpKind::kDepthwiseConv2d ? i % channels : i / per_channel;
      weights.weights[i] = static_cast<float>(magnitude[c] * rng.normal());
    }
  }
  return model;
}

// Integers drawn directly: all of [-127, 127], any zero point, and scales that spread accumulators over the
// int8 range with some saturation. Meaningless as a network, and for that reason a good test of arithmetic.
inline Int8Model random_int8_model(const Graph& graph, Rng& rng) {
  Int8Model model;
  model.graph = graph;
  const auto spread = [&] { return std::pow(4.0, rng.uniform() - 0.5); };  // half to double
  for (size_t i = 0; i < graph.tensors.size(); ++i) {
    model.tensors.push_back(
        {static_cast<float>(0.02 * spread()), static_cast<int32_t>(rng.below(256)) - 128});
  }
  for (const Op& op : graph.ops) {
    QuantParams& in = model.tensors[static_cast<size_t>(op.inputs[0])];
    QuantParams& out = model.tensors[static_cast<size_t>(op.output)];
    if (keeps_params(op.kind)) out = in;
    if (op.kind == OpKind::kSoftmax) out = kSoftmaxOutput;
  }
  for (const Op& op : graph.ops) {
    Int8Op& out = model.ops.emplace_back();
    if (!op.has_weights()) continue;
    for (int64_t i = weight_count(graph, op); i > 0; --i) {
      out.weights.push_back(static_cast<int8_t>(rng.below(255) - 127));
    }
    // Standard deviation of a sum of products of uniform int8 numbers: about 74 * 74 * sqrt(taps).
    const double accumulator = 74.0 * 74.0 * std::sqrt(static_cast<double>(taps(graph, op)));
    for (int64_t i = bias_count(graph, op); i > 0; --i) {
      out.bias.push_back(static_cast<int32_t>(accumulator * rng.normal()));
    }
    const double ratio = static_cast<double>(model.tensors[static_cast<size_t>(op.output)].scale) /
                         static_cast<double>(model.tensors[static_cast<size_t>(op.inputs[0])].scale);
    const int64_t scales = op.kind == OpKind::kFullyConnected ? 1 : bias_count(graph, op);
    for (int64_t i = 0; i < scales; ++i) {
      out.weight_scales.push_back(static_cast<float>(ratio * 74.0 / accumulator * spread()));
    }
  }
  derive_fixed_point(model);
  return model;
}

inline std::vector<int8_t> random_int8_input(const Graph& graph, Rng& rng) {
  std::vector<int8_t> values(static_cast<size_t>(graph.tensor(graph.input).shape.elements()));
  for (int8_t& value : values) value = static_cast<int8_t>(rng.below(256) - 128);
  return values;
}

// What a camera gives after data/batch.h's normalisation: multiples of 1/64 in [-2, 127/64].
inline std::vector<float> random_float_input(const Graph& graph, Rng& rng) {
  std::vector<float> values(static_cast<size_t>(graph.tensor(graph.input).shape.elements()));
  for (float& value : values) value = static_cast<float>(rng.below(256) - 128) / 64.0f;
  return values;
}

}  // namespace tinynas::testing
