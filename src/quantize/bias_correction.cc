#include "quantize/bias_correction.h"

#include <algorithm>
#include <cmath>

#include "quantize/accumulator.h"

namespace tinynas {
namespace {

// Means of the output channels of one operator.
class ChannelMeans {
 public:
  ChannelMeans(const Graph& graph, const Op& op)
      : sums_(static_cast<size_t>(graph.tensor(op.output).shape.c), 0.0) {}
  void add(const std::vector<float>& values) {  // [h][w][c]
    for (size_t i = 0; i < values.size(); ++i) sums_[i % sums_.size()] += values[i];
    values_a_channel_ += static_cast<double>(values.size() / sums_.size());
  }
  double mean(size_t channel) const { return sums_[channel] / values_a_channel_; }

 private:
  std::vector<double> sums_;
  double values_a_channel_ = 0;
};

float scale_of(const Int8Op& data, size_t channel) {
  return data.weight_scales[data.weight_scales.size() == 1 ? 0 : channel];
}

// Before the activation, over all images.
std::vector<ChannelMeans> float_means(const FloatModel& model, const std::vector<const float*>& images) {
  const Graph& graph = model.graph;
  std::vector<ChannelMeans> means;
  for (const Op& op : graph.ops) means.emplace_back(graph, op);
  std::vector<std::vector<float>> values(graph.tensors.size());
  for (const float* image : images) {
    values[static_cast<size_t>(graph.input)].assign(image,
                                                    image + graph.tensor(graph.input).shape.elements());
    for (size_t i = 0; i < graph.ops.size(); ++i) {
      const Op& op = graph.ops[i];
      run_float_op(model, op, values);
      means[i].add(values[static_cast<size_t>(op.output)]);
      apply_activation(op.activation, values[static_cast<size_t>(op.output)]);
    }
  }
  return means;
}

std::vector<int8_t> to_levels(const std::vector<float>& values, const QuantParams& params) {
  std::vector<int8_t> levels(values.size());
  std::transform(values.begin(), values.end(), levels.begin(), [&](float value) {
    const float level = std::round(value / params.scale) + static_cast<float>(params.zero_point);
    return static_cast<int8_t>(std::clamp(level, -128.0f, 127.0f));
  });
  return levels;
}

std::vector<float> to_reals(const std::vector<int8_t>& levels, const QuantParams& params) {
  std::vector<float> values(levels.size());
  std::transform(levels.begin(), levels.end(), values.begin(),
                 [&](int8_t level) { return params.scale * static_cast<float>(level - params.zero_point); });
  return values;
}

// The quantised network as real numbers. Between operators each image's tensors are kept as int8, and only
// those that are still read.
class FakeQuantised {
 public:
  FakeQuantised(const Int8Model& int8, const std::vector<const float*>& images)
      : int8_(int8), kept_(images.size()), values_(int8.graph.tensors.size()) {
    model_.graph = int8.graph;
    const auto input = static_cast<size_t>(int8.graph.input);
    const int64_t size = int8.graph.tensors[input].shape.elements();
    for (size_t image = 0; image < images.size(); ++image) {
      kept_[image].resize(int8.graph.tensors.size());
      kept_[image][input] = to_levels({images[image], images[image] + size}, int8.tensors[input]);
    }
    last_reader_.resize(int8.graph.tensors.size(), 0);
    for (size_t i = 0; i < int8.graph.ops.size(); ++i) {
      for (const TensorId id : int8.graph.ops[i].inputs) last_reader_[static_cast<size_t>(id)] = i;
      load(i);
    }
  }

  // Takes over the weights and biases of operator `i`.
  void load(size_t i) {
    const Op& op = int8_.graph.ops[i];
    const Int8Op& data = int8_.ops[i];
    if (!op.has_weights()) return;
    FloatWeights& weights = model_.weights[op.name];
    const size_t channels = data.bias.size();
    const size_t per_channel = data.weights.size() / channels;
    weights.weights.resize(data.weights.size());
    for (size_t w = 0; w < data.weights.size(); ++w) {
      const size_t channel = op.kind == OpKind::kDepthwiseConv2d ? w % channels : w / per_channel;
      weights.weights[w] = scale_of(data, channel) * static_cast<float>(data.weights[w]);
    }
    weights.bias.resize(channels);
    for (size_t c = 0; c < channels; ++c) {
      weights.bias[c] = static_cast<float>(bias_step(i, c) * data.bias[c]);
    }
  }

  double bias_step(size_t i, size_t channel) const {
    const auto input = static_cast<size_t>(int8_.graph.ops[i].inputs[0]);
    return static_cast<double>(int8_.tensors[input].scale) * scale_of(int8_.ops[i], channel);
  }

  // Means of operator `i` before its activation.
  ChannelMeans means(size_t i) {
    const Op& op = int8_.graph.ops[i];
    ChannelMeans means(int8_.graph, op);
    for (size_t image = 0; image < kept_.size(); ++image) means.add(run(i, image));
    return means;
  }

  // Computes operator `i` for every image and forgets what nobody reads any more.
  void advance(size_t i) {
    const Op& op = int8_.graph.ops[i];
    const auto output = static_cast<size_t>(op.output);
    for (size_t image = 0; image < kept_.size(); ++image) {
      std::vector<float>& values = run(i, image);
      apply_activation(op.activation, values);
      kept_[image][output] = to_levels(values, int8_.tensors[output]);
      for (const TensorId id : op.inputs) {
        if (last_reader_[static_cast<size_t>(id)] == i) kept_[image][static_cast<size_t>(id)] = {};
      }
    }
  }

 private:
  std::vector<float>& run(size_t i, size_t image) {
    const Op& op = int8_.graph.ops[i];
    for (const TensorId id : op.inputs) {
      const auto input = static_cast<size_t>(id);
      values_[input] = to_reals(kept_[image][input], int8_.tensors[input]);
    }
    run_float_op(model_, op, values_);
    return values_[static_cast<size_t>(op.output)];
  }

  const Int8Model& int8_;
  FloatModel model_;
  std::vector<std::vector<std::vector<int8_t>>> kept_;  // by image and TensorId
  std::vector<size_t> last_reader_;                     // by TensorId
  std::vector<std::vector<float>> values_;              // of the operator that runs, by TensorId
};

}  // namespace

void correct_bias(const FloatModel& model, const std::vector<const float*>& images, Int8Model& int8) {
  const std::vector<ChannelMeans> wanted = float_means(model, images);
  FakeQuantised quantised(int8, images);
  for (size_t i = 0; i < int8.ops.size(); ++i) {
    Int8Op& data = int8.ops[i];
    if (!data.bias.empty()) {
      const ChannelMeans got = quantised.means(i);
      const int64_t limit = largest_bias(static_cast<int64_t>(data.weights.size() / data.bias.size()));
      for (size_t c = 0; c < data.bias.size(); ++c) {
        const double shift = (wanted[i].mean(c) - got.mean(c)) / quantised.bias_step(i, c);
        const double bias = std::round(data.bias[c] + shift);
        data.bias[c] =
            static_cast<int32_t>(std::clamp(bias, -static_cast<double>(limit), static_cast<double>(limit)));
      }
      quantised.load(i);
    }
    quantised.advance(i);
  }
}

}  // namespace tinynas
