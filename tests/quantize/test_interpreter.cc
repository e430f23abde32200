#include <catch2/catch.hpp>

#include "base/error.h"
#include "quantize/interpreter.h"
#include "reference.h"
#include "support/random_graph.h"

using namespace tinynas;
using namespace tinynas::testing;

namespace {
// Every tensor of `images` random inputs equals the scalar reference.
void compare(const Int8Model& model, Rng& rng, int images) {
  Interpreter interpreter(model);
  for (int image = 0; image < images; ++image) {
    const std::vector<int8_t> input = random_int8_input(model.graph, rng);
    const auto expected = reference_run(model, input);
    REQUIRE(interpreter.run(input.data()) == expected[static_cast<size_t>(model.graph.output)]);
    for (size_t id = 0; id < expected.size(); ++id) {
      INFO("tensor " << model.graph.tensors[id].name);
      REQUIRE(interpreter.tensor(static_cast<TensorId>(id)) == expected[id]);
    }
  }
}
}  // namespace

TEST_CASE("the interpreter equals the scalar reference bit for bit on random graphs") {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    INFO("seed " << seed);
    Rng rng(seed);
    RandomGraphOptions options;
    options.max_stride = 3;
    options.pads_and_reshapes = seed % 2 == 1;
    const Graph graph = random_graph(rng, options);
    compare(random_int8_model(graph, rng), rng, 3);
  }
}

TEST_CASE("quantised random networks run the same way") {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    INFO("seed " << seed);
    Rng rng(1000 + seed);
    RandomGraphOptions options;
    options.pads_and_reshapes = seed % 2 == 1;
    const Graph graph = random_graph(rng, options);
    const FloatModel model = random_float_model(graph, rng);
    const std::vector<float> image = random_float_input(graph, rng);
    compare(quantize(model, {image.data()}, {1.0f / 64, 0}, {}), rng, 2);
  }
}

TEST_CASE("random int8 networks use the range of int8") {
  // Otherwise the comparison above would compare constants.
  int64_t values = 0;
  int64_t inside = 0;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    Rng rng(seed);
    const Int8Model model = random_int8_model(random_graph(rng), rng);
    Interpreter interpreter(model);
    interpreter.run(random_int8_input(model.graph, rng).data());
    for (size_t i = 0; i < model.graph.ops.size(); ++i) {
      for (const int8_t value : interpreter.tensor(model.graph.ops[i].output)) {
        ++values;
        inside += value > model.ops[i].activation_min && value < model.ops[i].activation_max;
      }
    }
  }
  CHECK(inside > values / 3);
}

TEST_CASE("operators stay within one step of their real value") {
  // Real arithmetic on the dequantised inputs, weights and biases: what is left is the rounding of the output
  // alone.
  for (uint64_t seed = 0; seed < 60; ++seed) {
    INFO("seed " << seed);
    Rng rng(2000 + seed);
    const Int8Model model = random_int8_model(random_graph(rng), rng);
    const Graph& graph = model.graph;
    Interpreter interpreter(model);
    interpreter.run(random_int8_input(graph, rng).data());
    for (size_t i = 0; i < graph.ops.size(); ++i) {
      const Op& op = graph.ops[i];
      INFO(op.name << " " << name_of(op.kind));
      if (op.kind == OpKind::kAdd) continue;  // has its own test below
      const QuantParams& in = model.tensors[static_cast<size_t>(op.inputs[0])];
      const QuantParams& out = model.tensors[static_cast<size_t>(op.output)];
      FloatWeights weights;
      if (op.has_weights()) {
        const Int8Op& data = model.ops[i];
        const size_t channels = data.bias.size();
        const auto scale = [&](size_t c) {
          return data.weight_scales[data.weight_scales.size() == 1 ? 0 : c];
        };
        for (size_t w = 0; w < data.weights.size(); ++w) {
          const size_t c =
              op.kind == OpKind::kDepthwiseConv2d ? w % channels : w / (data.weights.size() / channels);
          weights.weights.push_back(scale(c) * data.weights[w]);
        }
        for (size_t c = 0; c < channels; ++c) weights.bias.push_back(in.scale * scale(c) * data.bias[c]);
      }
      std::vector<float> input;
      for (const int8_t q : interpreter.tensor(op.inputs[0])) input.push_back(in.scale * (q - in.zero_point));
      const std::vector<float> expected = run_alone(graph, op, weights, input);
      const std::vector<int8_t>& got = interpreter.tensor(op.output);
      for (size_t v = 0; v < got.size(); ++v) {
        const float steps = expected[v] / out.scale + out.zero_point;
        const float clamped = std::clamp(steps, static_cast<float>(model.ops[i].activation_min),
                                         static_cast<float>(model.ops[i].activation_max));
        REQUIRE(std::abs(got[v] - clamped) <= 1.01f);
      }
    }
  }
}

TEST_CASE("addition stays within one step of the real sum") {
  Rng rng(5);
  for (int trial = 0; trial < 50; ++trial) {
    // x -> depthwise -> a; x + a: every pair of int8 values comes up over the trials.
    const Shape shape{8, 8, 3};
    Op depthwise;
    depthwise.kind = OpKind::kDepthwiseConv2d;
    depthwise.name = "depthwise";
    depthwise.inputs = {0};
    depthwise.output = 1;
    Op sum;
    sum.kind = OpKind::kAdd;
    sum.name = "sum";
    sum.inputs = {0, 1};
    sum.output = 2;
    const Graph graph{"sum", {{"x", shape}, {"a", shape}, {"y", shape}}, {depthwise, sum}, 0, 2};
    const Int8Model model = random_int8_model(graph, rng);
    Interpreter interpreter(model);
    interpreter.run(random_int8_input(graph, rng).data());
    const auto real = [&](TensorId id, size_t i) {
      const QuantParams& params = model.tensors[static_cast<size_t>(id)];
      return params.scale * (interpreter.tensor(id)[i] - params.zero_point);
    };
    const QuantParams& out = model.tensors[2];
    for (size_t i = 0; i < static_cast<size_t>(shape.elements()); ++i) {
      const float steps = std::clamp((real(0, i) + real(1, i)) / out.scale + out.zero_point, -128.0f, 127.0f);
      REQUIRE(std::abs(interpreter.tensor(2)[i] - steps) <= 0.51f);
    }
  }
}

TEST_CASE("pixels and logits") {
  const uint8_t pixels[] = {0, 127, 128, 255};
  CHECK(quantize_pixels(pixels, 4) == std::vector<int8_t>{-128, -1, 0, 127});
  CHECK(argmax({-5, 7, 7, 3}) == 1);
  CHECK(argmax({-128}) == 0);
}

TEST_CASE("a model that breaks its own rules is refused before it runs") {
  Rng rng(6);
  RandomGraphOptions options;
  const Int8Model good = random_int8_model(random_graph(rng, options), rng);
  CHECK_NOTHROW(Interpreter(good));
  const auto refused = [&](auto&& change) {
    Int8Model model = good;
    change(model);
    try {
      Interpreter interpreter(model);
      return false;
    } catch (const Error& error) {
      return error.code() == ExitCode::kUsage;
    }
  };
  size_t weighted = 0;
  while (!good.graph.ops[weighted].has_weights()) ++weighted;
  CHECK(refused([&](Int8Model& m) { m.tensors[0].scale = 0; }));
  CHECK(refused([&](Int8Model& m) { m.tensors[0].scale = NAN; }));
  CHECK(refused([&](Int8Model& m) { m.tensors[0].zero_point = 128; }));
  CHECK(refused([&](Int8Model& m) { m.tensors.pop_back(); }));
  CHECK(refused([&](Int8Model& m) { m.ops.pop_back(); }));
  CHECK(refused([&](Int8Model& m) { m.ops[weighted].weights.pop_back(); }));
  CHECK(refused([&](Int8Model& m) { m.ops[weighted].bias.push_back(0); }));
  CHECK(refused([&](Int8Model& m) { m.ops[weighted].requant[0].multiplier ^= 1; }));
  CHECK(refused([&](Int8Model& m) { m.ops[weighted].activation_max = 126; }));
  CHECK(
      refused([&](Int8Model& m) { m.ops[weighted].bias[0] = INT32_MIN; }));  // the accumulator could overflow
}
