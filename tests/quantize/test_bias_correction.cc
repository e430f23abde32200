#include "quantize/bias_correction.h"

#include <catch2/catch.hpp>

#include "quantize/interpreter.h"
#include "support/random_graph.h"

using namespace tinynas;
using namespace tinynas::testing;

namespace {

constexpr QuantParams kInput{1.0f / 64, 0};

// By operator and channel: the mean over `images` of (integer interpreter - float) after the activation, in
// steps of the output.
std::vector<std::vector<double>> mean_errors(const FloatModel& model, const Int8Model& int8,
                                             const std::vector<std::vector<float>>& images) {
  const Graph& graph = model.graph;
  std::vector<std::vector<double>> errors;
  for (const Op& op : graph.ops) errors.emplace_back(graph.tensor(op.output).shape.c, 0.0);
  Interpreter interpreter(int8);
  for (const std::vector<float>& image : images) {
    std::vector<int8_t> input;
    for (const float value : image) input.push_back(static_cast<int8_t>(std::lround(value * 64)));
    interpreter.run(input.data());
    const auto values = run_float(model, image.data());
    for (size_t i = 0; i < graph.ops.size(); ++i) {
      const auto id = static_cast<size_t>(graph.ops[i].output);
      const QuantParams& params = int8.tensors[id];
      const std::vector<int8_t>& got = interpreter.tensor(graph.ops[i].output);
      const double weight =
          static_cast<double>(errors[i].size()) / static_cast<double>(got.size() * images.size());
      for (size_t v = 0; v < got.size(); ++v) {
        errors[i][v % errors[i].size()] +=
            weight * ((got[v] - params.zero_point) - static_cast<double>(values[id][v]) / params.scale);
      }
    }
  }
  return errors;
}

std::vector<const float*> pointers(const std::vector<std::vector<float>>& images) {
  std::vector<const float*> result;
  for (const auto& image : images) result.push_back(image.data());
  return result;
}

}  // namespace

TEST_CASE("bias correction lowers the mean error of channels, by the integer interpreter") {
  double before_sum = 0;
  double after_sum = 0;
  int operators = 0;
  int lowered = 0;
  for (uint64_t seed = 0; seed < 25; ++seed) {
    Rng rng(seed);
    const Graph graph = random_graph(rng);
    const FloatModel model = random_float_model(graph, rng);
    std::vector<std::vector<float>> images;
    for (int i = 0; i < 24; ++i) images.push_back(random_float_input(graph, rng));
    QuantizeOptions options;
    options.calibration = "minmax";  // nothing is clipped: what is left of an error is rounding
    const Int8Model plain = quantize(model, pointers(images), kInput, options);
    options.bias_correction = true;
    const Int8Model corrected = quantize(model, pointers(images), kInput, options);
    const auto before = mean_errors(model, plain, images);
    const auto after = mean_errors(model, corrected, images);
    for (size_t i = 0; i < graph.ops.size(); ++i) {
      if (!graph.ops[i].has_weights() || graph.ops[i].activation != Activation::kNone) continue;
      double operator_before = 0;
      double operator_after = 0;
      for (const double error : before[i]) operator_before += std::abs(error);
      for (const double error : after[i]) operator_after += std::abs(error);
      ++operators;
      lowered += operator_after <= operator_before ? 1 : 0;
      before_sum += operator_before / static_cast<double>(before[i].size());
      after_sum += operator_after / static_cast<double>(after[i].size());
    }
  }
  INFO(before_sum / operators << " steps before, " << after_sum / operators << " after; lowered in "
                              << lowered << " of " << operators);
  CHECK(operators > 20);
  CHECK(after_sum < 0.5 * before_sum);
  CHECK(lowered > 0.8 * operators);
}

TEST_CASE("bias correction touches biases alone, and is a fixed point of itself") {
  Rng rng(3);
  const Graph graph = random_graph(rng);
  const FloatModel model = random_float_model(graph, rng);
  std::vector<std::vector<float>> images;
  for (int i = 0; i < 8; ++i) images.push_back(random_float_input(graph, rng));
  const Int8Model plain = quantize(model, pointers(images), kInput, {});
  Int8Model corrected = plain;
  correct_bias(model, pointers(images), corrected);
  bool changed = false;
  for (size_t i = 0; i < plain.ops.size(); ++i) {
    CHECK(corrected.ops[i].weights == plain.ops[i].weights);
    CHECK(corrected.ops[i].weight_scales == plain.ops[i].weight_scales);
    CHECK(corrected.ops[i].requant == plain.ops[i].requant);
    changed = changed || corrected.ops[i].bias != plain.ops[i].bias;
  }
  CHECK(changed);
  Int8Model again = corrected;
  correct_bias(model, pointers(images), again);
  for (size_t i = 0; i < plain.ops.size(); ++i) {
    for (size_t c = 0; c < again.ops[i].bias.size(); ++c) {
      CHECK(std::abs(again.ops[i].bias[c] - corrected.ops[i].bias[c]) <= 1);
    }
  }
}
