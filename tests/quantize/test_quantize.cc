#include <algorithm>
#include <catch2/catch.hpp>

#include "base/error.h"
#include "quantize/calibration.h"
#include "quantize/interpreter.h"
#include "reference.h"
#include "support/random_graph.h"

using namespace tinynas;
using namespace tinynas::testing;
using Catch::Matchers::Contains;

namespace {

constexpr QuantParams kInput{1.0f / 64, 0};  // data/batch.h's normalisation

std::vector<std::vector<float>> random_images(const Graph& graph, Rng& rng, int count) {
  std::vector<std::vector<float>> images;
  for (int i = 0; i < count; ++i) images.push_back(random_float_input(graph, rng));
  return images;
}

std::vector<const float*> pointers(const std::vector<std::vector<float>>& images) {
  std::vector<const float*> result;
  for (const auto& image : images) result.push_back(image.data());
  return result;
}

std::vector<int8_t> quantized(const std::vector<float>& values, const QuantParams& params) {
  std::vector<int8_t> result;
  for (const float value : values) {
    const float steps = std::round(value / params.scale) + static_cast<float>(params.zero_point);
    result.push_back(static_cast<int8_t>(std::clamp(steps, -128.0f, 127.0f)));
  }
  return result;
}

float real(int8_t q, const QuantParams& params) {
  return params.scale * static_cast<float>(q - params.zero_point);
}

double squared_error(const std::vector<float>& values, const QuantParams& params) {
  const std::vector<int8_t> q = quantized(values, params);
  double error = 0;
  for (size_t i = 0; i < values.size(); ++i)
    error += std::pow(static_cast<double>(real(q[i], params)) - values[i], 2);
  return error;
}

// {1, 1, in} -> fully connected -> {1, 1, out}
FloatModel dense(const std::vector<float>& weights, const std::vector<float>& bias, Activation activation) {
  const int out = static_cast<int>(bias.size());
  const int in = static_cast<int>(weights.size()) / out;
  Op op;
  op.kind = OpKind::kFullyConnected;
  op.name = "dense";
  op.inputs = {0};
  op.output = 1;
  op.activation = activation;
  FloatModel model;
  model.graph = {"dense", {{"x", {1, 1, in}}, {"y", {1, 1, out}}}, {op}, 0, 1};
  model.weights["dense"] = {weights, bias};
  return model;
}

}  // namespace

TEST_CASE("min-max ranges: every calibrated activation comes back to within half a step") {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    INFO("seed " << seed);
    Rng rng(seed);
    const Graph graph = random_graph(rng);
    const FloatModel model = random_float_model(graph, rng);
    const auto images = random_images(graph, rng, 4);
    const Int8Model int8 = quantize(model, pointers(images), kInput, {"minmax", 4});
    for (const auto& image : images) {
      const auto tensors = run_float(model, image.data());
      for (size_t id = 0; id < tensors.size(); ++id) {
        const QuantParams& params = int8.tensors[id];
        const std::vector<int8_t> q = quantized(tensors[id], params);
        // A softmax's scale is fixed, and 1 itself is one step above its largest value.
        const float steps = params == kSoftmaxOutput ? 1.0f : 0.5001f;
        for (size_t i = 0; i < q.size(); ++i) {
          REQUIRE(std::abs(real(q[i], params) - tensors[id][i]) <= steps * params.scale);
        }
      }
    }
  }
}

TEST_CASE("weights and biases come back to within half a step, and real zero is exact") {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    Rng rng(100 + seed);
    const Graph graph = random_graph(rng);
    const FloatModel model = random_float_model(graph, rng);
    const auto images = random_images(graph, rng, 2);
    const Int8Model int8 = quantize(model, pointers(images), kInput, {});
    for (const QuantParams& params : int8.tensors) {
      REQUIRE(quantized({0.0f}, params)[0] == params.zero_point);
    }
    for (size_t i = 0; i < graph.ops.size(); ++i) {
      const Op& op = graph.ops[i];
      const Int8Op& data = int8.ops[i];
      if (op.activation != Activation::kNone) {
        REQUIRE(data.activation_min == int8.tensors[static_cast<size_t>(op.output)].zero_point);
      }
      if (!op.has_weights()) continue;
      const FloatWeights& weights = model.weights.at(op.name);
      const size_t channels = weights.bias.size();
      const auto scale = [&](size_t c) { return data.weight_scales[data.weight_scales.size() == 1 ? 0 : c]; };
      for (size_t w = 0; w < data.weights.size(); ++w) {
        const size_t c =
            op.kind == OpKind::kDepthwiseConv2d ? w % channels : w / (data.weights.size() / channels);
        REQUIRE(std::abs(scale(c) * data.weights[w] - weights.weights[w]) <= 0.5001f * scale(c));
        REQUIRE(data.weights[w] >= -127);
      }
      for (size_t c = 0; c < channels; ++c) {
        const double step =
            static_cast<double>(scale(c)) * int8.tensors[static_cast<size_t>(op.inputs[0])].scale;
        REQUIRE(std::abs(step * data.bias[c] - weights.bias[c]) <= 0.5001 * step);
      }
    }
  }
}

namespace {

// A bound on |int8 network - float network| for every value of every tensor, given the float values: an
// input's error grows by |weight|, each weight and bias is off by its own rounding, and each output by one
// step at most. It holds where no value is outside the calibrated ranges (clamps never add error).
std::vector<std::vector<float>> error_bounds(const FloatModel& model, const Int8Model& int8,
                                             const std::vector<std::vector<float>>& values) {
  const Graph& graph = model.graph;
  std::vector<std::vector<float>> bounds(graph.tensors.size());
  bounds[static_cast<size_t>(graph.input)].assign(values[static_cast<size_t>(graph.input)].size(), 0.0f);
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    const Op& op = graph.ops[i];
    const Int8Op& data = int8.ops[i];
    const std::vector<float>& in = bounds[static_cast<size_t>(op.inputs[0])];
    std::vector<float>& out = bounds[static_cast<size_t>(op.output)];
    if (op.kind == OpKind::kAdd) {
      out = in;
      for (size_t v = 0; v < out.size(); ++v) out[v] += bounds[static_cast<size_t>(op.inputs[1])][v];
    } else if (op.kind == OpKind::kSoftmax) {
      // Its derivatives' magnitudes add up to 2 p (1 - p) for each output.
      const Shape& shape = graph.tensor(op.output).shape;
      for (size_t v = 0; v < in.size(); ++v) {
        const auto row = in.begin() + static_cast<std::ptrdiff_t>(v - v % static_cast<size_t>(shape.c));
        out.push_back(0.5f * *std::max_element(row, row + shape.c));
      }
    } else if (!op.has_weights()) {
      out = run_alone(graph, op, {}, in);
    } else {
      const FloatWeights& weights = model.weights.at(op.name);
      FloatWeights magnitude = weights;  // |quantised weight|, no bias
      FloatWeights difference = weights;
      const size_t channels = weights.bias.size();
      const auto scale = [&](size_t c) { return data.weight_scales[data.weight_scales.size() == 1 ? 0 : c]; };
      for (size_t w = 0; w < weights.weights.size(); ++w) {
        const size_t c =
            op.kind == OpKind::kDepthwiseConv2d ? w % channels : w / (data.weights.size() / channels);
        magnitude.weights[w] = std::abs(scale(c) * data.weights[w]);
        difference.weights[w] = std::abs(scale(c) * data.weights[w] - weights.weights[w]);
      }
      for (size_t c = 0; c < channels; ++c) {
        const float step = scale(c) * int8.tensors[static_cast<size_t>(op.inputs[0])].scale;
        magnitude.bias[c] = 0;
        difference.bias[c] = std::abs(step * data.bias[c] - weights.bias[c]);
      }
      std::vector<float> input_magnitude = values[static_cast<size_t>(op.inputs[0])];
      for (float& value : input_magnitude) value = std::abs(value);
      out = run_alone(graph, op, magnitude, in);
      const std::vector<float> from_weights = run_alone(graph, op, difference, input_magnitude);
      for (size_t v = 0; v < out.size(); ++v) out[v] += from_weights[v];
    }
    for (float& bound : out)
      bound = 1.001f * bound + 1.01f * int8.tensors[static_cast<size_t>(op.output)].scale;
  }
  return bounds;
}

}  // namespace

TEST_CASE("int8 networks compute what the float networks compute, to a bound derived for each value") {
  std::vector<double> relative_errors;  // of the networks' outputs: root mean square over root mean square
  for (uint64_t seed = 0; seed < 60; ++seed) {
    INFO("seed " << seed);
    Rng rng(200 + seed);
    const Graph graph = random_graph(rng);
    const FloatModel model = random_float_model(graph, rng);
    const auto images = random_images(graph, rng, 8);
    const Int8Model int8 = quantize(model, pointers(images), kInput, {"minmax", 8});
    Interpreter interpreter(int8);
    double error = 0;
    double signal = 0;
    for (const auto& image : images) {
      interpreter.run(quantized(image, kInput).data());
      const auto values = run_float(model, image.data());
      const auto bounds = error_bounds(model, int8, values);
      for (size_t id = 0; id < values.size(); ++id) {
        INFO(graph.tensors[id].name);
        const std::vector<int8_t>& got = interpreter.tensor(static_cast<TensorId>(id));
        for (size_t v = 0; v < got.size(); ++v) {
          const float difference = std::abs(real(got[v], int8.tensors[id]) - values[id][v]);
          REQUIRE(difference <= bounds[id][v]);
          if (static_cast<TensorId>(id) != graph.output) continue;
          error += std::pow(static_cast<double>(difference), 2);
          signal += std::pow(static_cast<double>(values[id][v]), 2);
        }
      }
    }
    if (signal > 0) relative_errors.push_back(std::sqrt(error / signal));
  }
  REQUIRE(relative_errors.size() > 40);
  std::sort(relative_errors.begin(), relative_errors.end());
  const double median = relative_errors[relative_errors.size() / 2];
  INFO("median relative error " << median);
  CHECK(median < 0.02);  // 34 dB
}

TEST_CASE("the histogram finds the clipping that trying them all finds") {
  const auto params = [](const Range& r) {
    const float scale = (r.high - r.low) / 255;
    return QuantParams{scale, static_cast<int32_t>(std::round(-128 - r.low / scale))};
  };
  for (uint64_t seed = 0; seed < 12; ++seed) {
    const int shape = static_cast<int>(seed % 4);
    INFO("seed " << seed << ", shape " << shape);
    Rng rng(seed);
    std::vector<float> values(4000);
    for (float& value : values) {
      value = static_cast<float>(rng.normal());
      if (shape == 1) value = std::max(value, 0.0f);
      if (shape == 2) value = value * value * value;
      if (shape == 3)
        value = rng.chance(0.999) ? 0.01f * value : value;  // only far values have a range of their own
    }
    Range range;
    for (const float value : values) range = {std::min(range.low, value), std::max(range.high, value)};
    ActivationHistogram search(range);
    search.add(values);
    const Range best = search.least_squares();
    REQUIRE((range.low <= best.low && best.low <= 0 && 0 <= best.high && best.high <= range.high));
    double smallest = squared_error(values, params(range));
    for (float low = 0.2f; low <= 1.0f; low += 0.1f) {
      for (float high = 0.2f; high <= 1.0f; high += 0.1f) {
        smallest = std::min(smallest, squared_error(values, params({low * range.low, high * range.high})));
      }
    }
    CHECK(squared_error(values, params(best)) <= 1.03 * smallest);
  }
}

TEST_CASE("one far value among a million is clipped, and min-max keeps it") {
  Rng rng(3);
  std::vector<float> values(1000);
  for (float& value : values) value = static_cast<float>(rng.normal());
  ActivationHistogram search({-10.0f, 60.0f});
  search.add({60.0f});
  CHECK(search.least_squares().high == 60.0f);
  for (int i = 0; i < 1000; ++i) search.add(values);
  CHECK(search.least_squares().high < 45.0f);
}

TEST_CASE("percentiles: wider with every step up, never more clipped than asked, all of it at 100") {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    INFO("seed " << seed);
    Rng rng(seed);
    std::vector<float> values(5000);
    for (float& value : values) {
      value = static_cast<float>(std::pow(rng.normal(), seed % 2 == 0 ? 1 : 3));
      if (seed % 4 > 1) value = std::max(value, 0.0f);  // half of them zeros, as behind a ReLU
    }
    Range range;
    for (const float value : values) range = {std::min(range.low, value), std::max(range.high, value)};
    ActivationHistogram histogram(range);
    histogram.add(values);
    Range last;
    for (const double percentile : {50.0, 90.0, 99.0, 99.9, 99.99, 100.0}) {
      INFO("percentile " << percentile);
      const Range got = histogram.percentile(percentile);
      REQUIRE((range.low <= got.low && got.low <= 0 && 0 <= got.high && got.high <= range.high));
      REQUIRE((got.low <= last.low && got.high >= last.high));
      const auto outside = [&](bool above) {
        return std::count_if(values.begin(), values.end(),
                             [&](float v) { return above ? v > got.high : v < got.low; });
      };
      REQUIRE(static_cast<double>(outside(true)) <= 5000 * (1 - percentile / 100) + 1e-6);
      REQUIRE(static_cast<double>(outside(false)) <= 5000 * (1 - percentile / 100) + 1e-6);
      last = got;
    }
    CHECK((last.low == range.low && last.high == range.high));
    CHECK(histogram.percentile(90.0).high < 0.9f * range.high);
  }
}

TEST_CASE("every method gives a model that passes its check; the output keeps its minimum and maximum") {
  for (uint64_t seed = 0; seed < 12; ++seed) {
    INFO("seed " << seed);
    Rng rng(500 + seed);
    const Graph graph = random_graph(rng);
    const FloatModel model = random_float_model(graph, rng);
    const auto images = random_images(graph, rng, 3);
    const auto output = static_cast<size_t>(graph.output);
    for (const char* calibration : {"minmax", "percentile", "mse"}) {
      for (const bool equalisation : {false, true}) {
        for (const bool bias_correction : {false, true}) {
          QuantizeOptions options;
          options.calibration = calibration;
          options.percentile = 99.0;
          options.equalisation = equalisation;
          options.bias_correction = bias_correction;
          const Int8Model int8 = quantize(model, pointers(images), kInput, options);
          REQUIRE_NOTHROW(int8.check());
          for (const auto& image : images) {
            const std::vector<float> expected = run_float(model, image.data())[output];
            for (const float value : expected) {
              const QuantParams& params = int8.tensors[output];
              // A softmax's scale is fixed, and 1 itself is one step above its largest value.
              const float steps = params == kSoftmaxOutput ? 1.0f : 0.501f;
              REQUIRE(std::abs(real(quantized({value}, params)[0], params) - value) <= steps * params.scale);
            }
          }
        }
      }
    }
  }
}

TEST_CASE("tensors without range and channels without weights") {
  const std::vector<float> image{0.5f, -1.0f, 1.0f};
  SECTION("nothing but zeros") {
    const FloatModel model = dense({0, 0, 0}, {0}, Activation::kRelu6);
    const Int8Model int8 = quantize(model, {image.data()}, kInput, {});
    Interpreter interpreter(int8);
    CHECK(real(interpreter.run(quantized(image, kInput).data())[0], int8.tensors[1]) == 0.0f);
  }
  SECTION("a bias alone") {
    const FloatModel model = dense({0, 0, 0, 0, 0, 0}, {2.5f, -0.75f}, Activation::kNone);
    const Int8Model int8 = quantize(model, {image.data()}, kInput, {});
    Interpreter interpreter(int8);
    const auto& out = interpreter.run(quantized(image, kInput).data());
    CHECK(real(out[0], int8.tensors[1]) == Approx(2.5f).margin(int8.tensors[1].scale));
    CHECK(real(out[1], int8.tensors[1]) == Approx(-0.75f).margin(int8.tensors[1].scale));
  }
  SECTION("a bias that 32 bits of so fine a scale cannot hold") {
    const FloatModel model = dense({1e-9f, -1e-9f, 1e-9f}, {1000.0f}, Activation::kNone);
    const Int8Model int8 = quantize(model, {image.data()}, kInput, {});
    Interpreter interpreter(int8);
    CHECK(real(interpreter.run(quantized(image, kInput).data())[0], int8.tensors[1]) ==
          Approx(1000.0f).margin(int8.tensors[1].scale));
  }
  SECTION("an output range far below one accumulator step") {
    const FloatModel model = dense({1e4f, 1e4f, 1e4f}, {-5e3f + 1e-3f}, Activation::kNone);
    const Int8Model int8 = quantize(model, {image.data()}, kInput, {});
    Interpreter interpreter(int8);
    CHECK_NOTHROW(interpreter.run(quantized(image, kInput).data()));
  }
  SECTION("subnormal weights") {
    const FloatModel model = dense({1e-42f, 0, 0}, {1.0f}, Activation::kNone);
    const Int8Model int8 = quantize(model, {image.data()}, kInput, {});
    Interpreter interpreter(int8);
    CHECK(real(interpreter.run(quantized(image, kInput).data())[0], int8.tensors[1]) ==
          Approx(1.0f).margin(int8.tensors[1].scale));
  }
}

TEST_CASE("ReLU6 is a clamp in output steps") {
  const std::vector<float> low{-2.0f};
  const std::vector<float> high{1.984375f};
  const FloatModel model = dense({10.0f}, {0.0f}, Activation::kRelu6);
  const Int8Model int8 = quantize(model, {low.data(), high.data()}, kInput, {});
  CHECK(int8.tensors[1].zero_point == -128);
  Interpreter interpreter(int8);
  CHECK(real(interpreter.run(quantized(low, kInput).data())[0], int8.tensors[1]) == 0.0f);
  CHECK(real(interpreter.run(quantized(high, kInput).data())[0], int8.tensors[1]) ==
        Approx(6.0f).epsilon(0.005));
}

TEST_CASE("what quantize() refuses") {
  const std::vector<float> image{1.0f};
  const FloatModel model = dense({1.0f}, {0.0f}, Activation::kNone);
  CHECK_THROWS_WITH(quantize(model, {}, kInput, {}), Contains("calibration images"));
  CHECK_THROWS_WITH(quantize(model, {image.data()}, kInput, {"median", 1}), Contains("median"));
  CHECK_THROWS_WITH(quantize(model, {image.data()}, kInput, {"mse", 0}), Contains("calibration_images"));
  const std::vector<float> broken{NAN};
  CHECK_THROWS_WITH(quantize(model, {broken.data()}, kInput, {}), Contains("'x'") && Contains("finite"));
  CHECK_THROWS_AS(quantize(model, {image.data()}, {0.0f, 0}, {}), Error);
}
