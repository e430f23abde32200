#include <catch2/catch.hpp>
#include <cmath>

#include "base/error.h"
#include "support/random_graph.h"

using namespace tinynas;
using namespace tinynas::testing;
using Catch::Matchers::Contains;

namespace {

// The definition of every operator, one output value at a time, in double.
double value_at(const FloatModel& model, const Op& op, const std::vector<std::vector<float>>& tensors, int y,
                int x, int oc) {
  const Shape in = model.graph.tensor(op.inputs[0]).shape;
  const auto& from = tensors[static_cast<size_t>(op.inputs[0])];
  const auto at = [&](int iy, int ix, int c) {
    return static_cast<double>(from[static_cast<size_t>((iy * in.w + ix) * in.c + c)]);
  };
  if (op.kind == OpKind::kAdd) {
    return at(y, x, oc) +
           tensors[static_cast<size_t>(op.inputs[1])][static_cast<size_t>((y * in.w + x) * in.c + oc)];
  }
  if (op.kind == OpKind::kGlobalAvgPool) {
    double sum = 0;
    for (int iy = 0; iy < in.h; ++iy) {
      for (int ix = 0; ix < in.w; ++ix) sum += at(iy, ix, oc);
    }
    return sum / (in.h * in.w);
  }
  if (op.kind == OpKind::kAvgPool) {
    double sum = 0;
    int count = 0;
    for (int iy = y * op.stride_h - op.padding.top, ky = 0; ky < op.kernel_h; ++ky, ++iy) {
      for (int ix = x * op.stride_w - op.padding.left, kx = 0; kx < op.kernel_w; ++kx, ++ix) {
        if (iy < 0 || iy >= in.h || ix < 0 || ix >= in.w) continue;
        sum += at(iy, ix, oc);
        ++count;
      }
    }
    return sum / count;
  }
  if (op.kind == OpKind::kSoftmax) {
    double sum = 0;
    for (int c = 0; c < in.c; ++c) sum += std::exp(at(y, x, c) - at(y, x, oc));
    return 1 / sum;
  }
  if (op.kind == OpKind::kReshape) {
    const Shape out = model.graph.tensor(op.output).shape;
    return from[static_cast<size_t>((y * out.w + x) * out.c + oc)];
  }
  if (op.kind == OpKind::kPad) {
    const int iy = y - op.padding.top;
    const int ix = x - op.padding.left;
    const int c = oc - op.padding.channels_before;
    const bool inside = iy >= 0 && iy < in.h && ix >= 0 && ix < in.w && c >= 0 && c < in.c;
    return inside ? at(iy, ix, c) : 0.0;
  }
  const FloatWeights& weights = model.weights.at(op.name);
  double sum = weights.bias[static_cast<size_t>(oc)];
  if (op.kind == OpKind::kFullyConnected) {
    for (size_t i = 0; i < from.size(); ++i) {
      sum += static_cast<double>(from[i]) * weights.weights[static_cast<size_t>(oc) * from.size() + i];
    }
    return sum;
  }
  const bool depthwise = op.kind == OpKind::kDepthwiseConv2d;
  for (int ky = 0; ky < op.kernel_h; ++ky) {
    for (int kx = 0; kx < op.kernel_w; ++kx) {
      const int iy = y * op.stride_h - op.padding.top + ky;
      const int ix = x * op.stride_w - op.padding.left + kx;
      if (iy < 0 || iy >= in.h || ix < 0 || ix >= in.w) continue;
      for (int c = 0; c < in.c; ++c) {
        if (depthwise && c != oc / op.depth_multiplier) continue;
        const int index = depthwise ? (ky * op.kernel_w + kx) * in.c * op.depth_multiplier + oc
                                    : ((oc * op.kernel_h + ky) * op.kernel_w + kx) * in.c + c;
        sum += at(iy, ix, c) * weights.weights[static_cast<size_t>(index)];
      }
    }
  }
  return sum;
}

}  // namespace

TEST_CASE("run_float equals the operators' definitions on random graphs") {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    INFO("seed " << seed);
    Rng rng(seed);
    RandomGraphOptions options;
    options.pads_and_reshapes = seed % 2 == 1;
    const Graph graph = random_graph(rng, options);
    const FloatModel model = random_float_model(graph, rng);
    const std::vector<float> input = random_float_input(graph, rng);
    const auto tensors = run_float(model, input.data());
    REQUIRE(tensors[static_cast<size_t>(graph.input)] == input);
    for (const Op& op : graph.ops) {
      const Shape out = graph.tensor(op.output).shape;
      const auto& got = tensors[static_cast<size_t>(op.output)];
      REQUIRE(static_cast<int64_t>(got.size()) == out.elements());
      size_t i = 0;
      for (int y = 0; y < out.h; ++y) {
        for (int x = 0; x < out.w; ++x) {
          for (int c = 0; c < out.c; ++c, ++i) {
            double expected = value_at(model, op, tensors, y, x, c);
            if (op.activation != Activation::kNone) expected = std::max(expected, 0.0);
            if (op.activation == Activation::kRelu6) expected = std::min(expected, 6.0);
            REQUIRE(got[i] == Approx(expected).epsilon(1e-4).margin(1e-4));
          }
        }
      }
    }
  }
}

TEST_CASE("a float model without its weights, or with broken ones, is refused by name") {
  Rng rng(3);
  const FloatModel good = random_float_model(random_graph(rng), rng);
  CHECK_NOTHROW(good.check());
  const std::string name = good.weights.begin()->first;
  FloatModel missing = good;
  missing.weights.erase(name);
  CHECK_THROWS_WITH(missing.check(), Contains(name));
  FloatModel small = good;
  small.weights[name].weights.pop_back();
  CHECK_THROWS_WITH(small.check(), Contains(name));
  FloatModel infinite = good;
  infinite.weights[name].bias[0] = INFINITY;
  CHECK_THROWS_WITH(infinite.check(), Contains(name) && Contains("finite"));
}
