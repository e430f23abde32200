#include "quantize/equalisation.h"

#include <algorithm>
#include <cmath>

namespace tinynas {
namespace {

constexpr int kMaxRounds = 50;
constexpr double kSettled = 1e-3;  // largest change of a factor that ends the rounds

struct Pair {
  const Op* first;
  const Op* second;
};

// The operator that alone reads `id`, or nullptr.
const Op* only_reader(const Graph& graph, TensorId id) {
  const Op* reader = nullptr;
  for (const Op& op : graph.ops) {
    for (const TensorId input : op.inputs) {
      if (input != id) continue;
      if (reader != nullptr) return nullptr;
      reader = &op;
    }
  }
  return reader;
}

std::vector<Pair> find_pairs(const Graph& graph, Equalisation& found) {
  std::vector<Pair> pairs;
  for (const Op& op : graph.ops) {
    if (!op.has_weights() || op.output == graph.output) continue;
    const Op* reader = only_reader(graph, op.output);
    if (reader == nullptr || !reader->has_weights()) continue;
    if (op.activation == Activation::kRelu6) {
      ++found.relu6_pairs;
    } else {
      pairs.push_back({&op, reader});
    }
  }
  found.pairs = static_cast<int>(pairs.size());
  return pairs;
}

// Output channel that weight i makes: OHWI and [out][in] by the first axis, HWC by the last.
struct OutputChannel {
  bool depthwise;
  size_t channels;
  size_t values;
  size_t operator()(size_t i) const { return depthwise ? i % channels : i / (values / channels); }
};

// Input channel that weight i reads: the last axis of OHWI and of a fully connected operator's flattened
// input; every `multiplier` output channels of a depthwise convolution read one.
struct InputChannel {
  size_t channels;
  size_t multiplier;
  size_t operator()(size_t i) const { return i % (channels * multiplier) / multiplier; }
};

InputChannel read_by(const Graph& graph, const Op& op) {
  const auto channels = static_cast<size_t>(graph.tensor(op.inputs[0]).shape.c);
  const bool depthwise = op.kind == OpKind::kDepthwiseConv2d;
  return {channels, depthwise ? static_cast<size_t>(graph.tensor(op.output).shape.c) / channels : 1};
}

template <class Channel>
std::vector<double> ranges(const std::vector<float>& weights, const Channel& channel) {
  std::vector<double> ranges(channel.channels, 0.0);
  for (size_t i = 0; i < weights.size(); ++i) {
    double& range = ranges[channel(i)];
    range = std::max(range, static_cast<double>(std::abs(weights[i])));
  }
  return ranges;
}

// The largest factor that a channel was scaled by, as a ratio >= 1.
double equalise_pair(FloatModel& model, const Pair& pair, std::vector<double>& total) {
  FloatWeights& first = model.weights.at(pair.first->name);
  FloatWeights& second = model.weights.at(pair.second->name);
  const OutputChannel written{pair.first->kind == OpKind::kDepthwiseConv2d, first.bias.size(),
                              first.weights.size()};
  const InputChannel read = read_by(model.graph, *pair.second);
  const std::vector<double> before = ranges(first.weights, written);
  const std::vector<double> after = ranges(second.weights, read);
  std::vector<float> factors(first.bias.size(), 1.0f);
  double largest = 1.0;
  for (size_t c = 0; c < factors.size(); ++c) {
    const double factor = std::sqrt(before[c] / after[c]);
    if (!std::isnormal(static_cast<float>(factor)) || !std::isnormal(static_cast<float>(1.0 / factor)))
      continue;
    factors[c] = static_cast<float>(factor);
    total[c] *= factor;
    largest = std::max({largest, factor, 1.0 / factor});
  }
  for (size_t i = 0; i < first.weights.size(); ++i) first.weights[i] /= factors[written(i)];
  for (size_t c = 0; c < factors.size(); ++c) first.bias[c] /= factors[c];
  for (size_t i = 0; i < second.weights.size(); ++i) second.weights[i] *= factors[read(i)];
  return largest;
}

}  // namespace

Equalisation equalise(FloatModel& model) {
  model.check();
  Equalisation done;
  const std::vector<Pair> pairs = find_pairs(model.graph, done);
  std::vector<std::vector<double>> totals;
  for (const Pair& pair : pairs) totals.emplace_back(model.weights.at(pair.first->name).bias.size(), 1.0);
  for (int round = 0; round < kMaxRounds; ++round) {
    double largest = 1.0;
    for (size_t i = 0; i < pairs.size(); ++i)
      largest = std::max(largest, equalise_pair(model, pairs[i], totals[i]));
    if (largest < 1.0 + kSettled) break;
  }
  for (const std::vector<double>& factors : totals) {
    for (const double factor : factors) done.largest = std::max({done.largest, factor, 1.0 / factor});
  }
  return done;
}

}  // namespace tinynas
