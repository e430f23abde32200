#include "quantize/equalisation.h"

#include <catch2/catch.hpp>

#include "quantize/interpreter.h"
#include "support/random_graph.h"

using namespace tinynas;
using namespace tinynas::testing;

namespace {

// 1x1 convolution to `channels` channels, `activation`, depthwise 3x3, 1x1 convolution.
FloatModel conv_depthwise_conv(Activation activation, int channels, Rng& rng) {
  const auto op = [&](OpKind kind, const char* name, int index, int kernel) {
    Op op;
    op.kind = kind;
    op.name = name;
    op.inputs = {index};
    op.output = index + 1;
    op.kernel_h = op.kernel_w = kernel;
    op.padding = {kernel / 2, kernel / 2, kernel / 2, kernel / 2};
    op.activation = activation;
    return op;
  };
  Graph graph;
  graph.name = "chain";
  graph.tensors = {{"x", {6, 6, 3}}, {"a", {6, 6, channels}}, {"b", {6, 6, channels}}, {"y", {6, 6, 4}}};
  graph.ops = {op(OpKind::kConv2d, "expand", 0, 1), op(OpKind::kDepthwiseConv2d, "depthwise", 1, 3),
               op(OpKind::kConv2d, "project", 2, 1)};
  graph.input = 0;
  graph.output = 3;
  return random_float_model(graph, rng);
}

// Largest |weight| of every channel: written by a convolution [c_out][...], or the last axis.
std::vector<float> channel_ranges(const std::vector<float>& weights, size_t channels, bool last_axis) {
  std::vector<float> ranges(channels, 0.0f);
  for (size_t i = 0; i < weights.size(); ++i) {
    float& range = ranges[last_axis ? i % channels : i / (weights.size() / channels)];
    range = std::max(range, std::abs(weights[i]));
  }
  return ranges;
}

}  // namespace

TEST_CASE("equalisation keeps what the network computes") {
  int pairs = 0;
  int relu6_pairs = 0;
  for (uint64_t seed = 0; seed < 60; ++seed) {
    INFO("seed " << seed);
    Rng rng(seed);
    const Graph graph = random_graph(rng);
    const FloatModel model = random_float_model(graph, rng);
    FloatModel equalised = model;
    const Equalisation done = equalise(equalised);
    pairs += done.pairs;
    relu6_pairs += done.relu6_pairs;
    const std::vector<float> image = random_float_input(graph, rng);
    const auto output = static_cast<size_t>(graph.output);
    const std::vector<float> expected = run_float(model, image.data())[output];
    const std::vector<float> got = run_float(equalised, image.data())[output];
    float magnitude = 0;
    for (const float value : expected) magnitude = std::max(magnitude, std::abs(value));
    for (size_t i = 0; i < got.size(); ++i) REQUIRE(std::abs(got[i] - expected[i]) <= 1e-4f * magnitude);
    if (done.pairs > 0) continue;
    for (const auto& [name, weights] : model.weights)
      REQUIRE(equalised.weights.at(name).weights == weights.weights);
  }
  CHECK(pairs > 20);
  CHECK(relu6_pairs > 20);
}

TEST_CASE("both sides of an equalised pair have one range a channel") {
  Rng rng(7);
  FloatModel model = conv_depthwise_conv(Activation::kRelu, 8, rng);
  for (auto& [name, weights] : model.weights) {
    for (float& weight : weights.weights) weight += 1e-3f;  // no channel is all zeros
  }
  const Equalisation done = equalise(model);
  CHECK(done.pairs == 2);
  CHECK(done.relu6_pairs == 0);
  CHECK(done.largest > 1.5);
  const auto ranges = [&](const char* name, bool last_axis) {
    return channel_ranges(model.weights.at(name).weights, 8, last_axis);
  };
  const std::vector<float> expand = ranges("expand", false);
  const std::vector<float> depthwise = ranges("depthwise", true);
  const std::vector<float> project = ranges("project", true);
  for (size_t c = 0; c < 8; ++c) {
    CHECK(expand[c] == Approx(depthwise[c]).epsilon(0.01));
    CHECK(depthwise[c] == Approx(project[c]).epsilon(0.01));
  }
}

TEST_CASE("ReLU6 is left alone and counted; so is a tensor that two operators read") {
  Rng rng(8);
  FloatModel relu6 = conv_depthwise_conv(Activation::kRelu6, 8, rng);
  const FloatModel before = relu6;
  const Equalisation done = equalise(relu6);
  CHECK(done.pairs == 0);
  CHECK(done.relu6_pairs == 2);
  CHECK(done.largest == 1.0);
  CHECK(relu6.weights.at("expand").weights == before.weights.at("expand").weights);

  FloatModel shared = conv_depthwise_conv(Activation::kRelu, 8, rng);
  shared.graph.tensors.push_back({"sum", {6, 6, 4}});
  shared.graph.tensors.push_back({"side", {6, 6, 4}});
  Op side = shared.graph.ops[2];
  side.name = "side";
  side.output = 5;
  Op add;
  add.kind = OpKind::kAdd;
  add.name = "add";
  add.inputs = {3, 5};
  add.output = 4;
  shared.graph.ops.push_back(side);
  shared.graph.ops.push_back(add);
  shared.graph.output = 4;
  shared.weights["side"] = shared.weights.at("project");
  CHECK(equalise(shared).pairs == 1);  // expand -> depthwise alone
}

TEST_CASE("channels of very different ranges lose less after equalisation") {
  Rng rng(9);
  FloatModel model = conv_depthwise_conv(Activation::kRelu, 8, rng);
  // Small channels that later weights make as important as the large ones: one scale a tensor drowns them.
  std::vector<float>& expand = model.weights.at("expand").weights;
  std::vector<float>& depthwise = model.weights.at("depthwise").weights;
  for (size_t c = 0; c < 8; ++c) {
    const float factor = c % 2 == 0 ? 200.0f : 1.0f;
    for (size_t i = 0; i < 3; ++i) expand[c * 3 + i] *= factor;
    model.weights.at("expand").bias[c] *= factor;
    for (size_t tap = 0; tap < 9; ++tap) depthwise[tap * 8 + c] /= factor;
  }
  const std::vector<float> image = random_float_input(model.graph, rng);
  const std::vector<float> expected = run_float(model, image.data())[3];
  const auto error = [&](bool equalisation) {
    QuantizeOptions options;
    options.calibration = "minmax";
    options.equalisation = equalisation;
    const Int8Model int8 = quantize(model, {image.data()}, {1.0f / 64, 0}, options);
    std::vector<int8_t> input;
    for (const float value : image) input.push_back(static_cast<int8_t>(std::lround(value * 64)));
    Interpreter interpreter(int8);
    const std::vector<int8_t>& got = interpreter.run(input.data());
    double sum = 0;
    for (size_t i = 0; i < got.size(); ++i) {
      const QuantParams& params = int8.tensors[3];
      sum += std::pow(static_cast<double>(params.scale) * (got[i] - params.zero_point) - expected[i], 2);
    }
    return sum;
  };
  CHECK(error(true) < 0.2 * error(false));
}
