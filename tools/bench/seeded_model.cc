#include "seeded_model.h"

#include <cmath>

#include "base/rng.h"

namespace tinynas {
namespace {

constexpr QuantParams kInput{1.0f / 64, 0};

FloatWeights seeded_weights(const Graph& graph, const Op& op, Rng rng) {
  FloatWeights weights;
  const auto outputs = static_cast<size_t>(bias_count(graph, op));
  const auto count = static_cast<size_t>(weight_count(graph, op));
  const double deviation = std::sqrt(2.0 / (static_cast<double>(count) / static_cast<double>(outputs)));
  weights.weights.resize(count);
  for (float& weight : weights.weights) weight = static_cast<float>(rng.normal() * deviation);
  weights.bias.resize(outputs);
  for (float& bias : weights.bias) bias = static_cast<float>(rng.normal() * 0.1);
  return weights;
}

}  // namespace

Int8Model seeded_model(const Graph& graph, uint64_t seed) {
  const Rng root(seed);
  FloatModel model;
  model.graph = graph;
  for (const Op& op : graph.ops) {
    if (op.has_weights()) model.weights[op.name] = seeded_weights(graph, op, root.fork(op.name));
  }
  std::vector<std::vector<float>> images(2);
  std::vector<const float*> pointers;
  for (size_t i = 0; i < images.size(); ++i) {
    for (const int8_t value : seeded_input(graph, seed + 1 + i))
      images[i].push_back(kInput.scale * static_cast<float>(value));
    pointers.push_back(images[i].data());
  }
  QuantizeOptions options;
  options.calibration = "minmax";
  return quantize(model, pointers, kInput, options);
}

std::vector<int8_t> seeded_input(const Graph& graph, uint64_t seed) {
  Rng rng = Rng(seed).fork("input");
  std::vector<int8_t> input(static_cast<size_t>(graph.tensor(graph.input).shape.elements()));
  for (int8_t& value : input) value = static_cast<int8_t>(rng.below(256) - 128);
  return input;
}

}  // namespace tinynas
