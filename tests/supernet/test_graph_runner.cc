// forward_folded() against LibTorch's own layers, and against the plain C++ of quantize/run_float, which
// shares neither code nor layouts with it.
#include <torch/torch.h>

#include <catch2/catch.hpp>

#include "../support/random_graph.h"
#include "base/rng.h"
#include "supernet/graph_runner.h"

using namespace tinynas;

namespace {

namespace F = torch::nn::functional;

int between(Rng& rng, int low, int high) { return low + static_cast<int>(rng.below(high - low + 1)); }

at::Tensor random_tensor(const std::vector<int64_t>& sizes, Rng& rng) {
  const at::Tensor tensor = at::empty(sizes, at::kFloat);
  for (int64_t i = 0; i < tensor.numel(); ++i)
    tensor.data_ptr<float>()[i] = static_cast<float>(8 * rng.uniform() - 4);
  return tensor;
}

double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  REQUIRE(a.sizes() == b.sizes());
  return (a - b).abs().max().item<double>();
}

// A graph of one operator on `in`.
Graph graph_of(Op op, const Shape& in, const Shape& out) {
  Graph graph;
  graph.name = "one";
  graph.tensors = {{"in", in}, {"out", out}};
  graph.input = 0;
  graph.output = 1;
  op.name = "op";
  op.inputs = {0};
  op.output = 1;
  graph.ops = {op};
  graph.check();
  return graph;
}

// A window and padding, lopsided if asked for, that fit a random map; the output's sides.
Op random_window(OpKind kind, const Shape& in, bool lopsided, Rng& rng) {
  Op op;
  op.kind = kind;
  op.kernel_h = between(rng, 1, std::min(5, in.h));
  op.kernel_w = between(rng, 1, std::min(5, in.w));
  op.stride_h = between(rng, 1, 3);
  op.stride_w = between(rng, 1, 3);
  // LibTorch pads pools by half a kernel at most.
  op.padding.top = between(rng, 0, op.kernel_h / 2);
  op.padding.left = between(rng, 0, op.kernel_w / 2);
  op.padding.bottom = lopsided ? between(rng, 0, op.kernel_h - 1) : op.padding.top;
  op.padding.right = lopsided ? between(rng, 0, op.kernel_w - 1) : op.padding.left;
  op.activation = static_cast<Activation>(rng.below(3));
  return op;
}

Shape shape_after(const Op& op, const Shape& in, int channels) {
  return {(in.h + op.padding.top + op.padding.bottom - op.kernel_h) / op.stride_h + 1,
          (in.w + op.padding.left + op.padding.right - op.kernel_w) / op.stride_w + 1, channels};
}

at::Tensor activated(const at::Tensor& x, Activation activation) {
  if (activation == Activation::kRelu) return torch::relu(x);
  return activation == Activation::kRelu6 ? F::relu6(x) : x;
}

Shape random_shape(Rng& rng) { return {between(rng, 1, 11), between(rng, 1, 11), between(rng, 1, 9)}; }

}  // namespace

TEST_CASE("average pools are LibTorch's that leave the padding out of the divisor") {
  Rng rng(41);
  for (int round = 0; round < 200; ++round) {
    const Shape in = random_shape(rng);
    const Op op = random_window(OpKind::kAvgPool, in, /*lopsided=*/false, rng);
    CAPTURE(round, in.h, in.w, op.kernel_h, op.kernel_w, op.stride_h, op.stride_w, op.padding.top,
            op.padding.left);
    const at::Tensor x = random_tensor({2, in.c, in.h, in.w}, rng);
    const at::Tensor expected = activated(F::avg_pool2d(x, F::AvgPool2dFuncOptions({op.kernel_h, op.kernel_w})
                                                               .stride({op.stride_h, op.stride_w})
                                                               .padding({op.padding.top, op.padding.left})
                                                               .count_include_pad(false)),
                                          op.activation);
    const at::Tensor got = forward_folded({}, graph_of(op, in, shape_after(op, in, in.c)), x);
    CHECK(largest_difference(got, expected.flatten(1)) < 1e-5);
  }
}

TEST_CASE("average pools with lopsided padding are the mean of what lies inside the input") {
  Rng rng(42);
  for (int round = 0; round < 60; ++round) {
    const Shape in = random_shape(rng);
    const Op op = random_window(OpKind::kAvgPool, in, /*lopsided=*/true, rng);
    const Shape out = shape_after(op, in, in.c);
    const at::Tensor x = random_tensor({1, in.c, in.h, in.w}, rng);
    const at::Tensor got = forward_folded({}, graph_of(op, in, out), x).view({1, in.c, out.h, out.w});
    for (int oy = 0; oy < out.h; ++oy) {
      for (int ox = 0; ox < out.w; ++ox) {
        const int top = oy * op.stride_h - op.padding.top;
        const int left = ox * op.stride_w - op.padding.left;
        const at::Tensor window = x.slice(2, std::max(top, 0), std::min(top + op.kernel_h, in.h))
                                      .slice(3, std::max(left, 0), std::min(left + op.kernel_w, in.w));
        const at::Tensor expected = activated(window.mean(std::vector<int64_t>{2, 3}), op.activation);
        CHECK(largest_difference(got.slice(2, oy, oy + 1).slice(3, ox, ox + 1).flatten(1), expected) < 1e-5);
      }
    }
  }
}

TEST_CASE("softmax is the exponential of LibTorch's log softmax over the channels") {
  Rng rng(43);
  for (int round = 0; round < 50; ++round) {
    const Shape shape{1, 1, between(rng, 1, 40)};
    Op op;
    op.kind = OpKind::kSoftmax;
    const at::Tensor x = 10 * random_tensor({3, shape.c, 1, 1}, rng);
    const at::Tensor got = forward_folded({}, graph_of(op, shape, shape), x);
    CHECK(largest_difference(got, torch::nn::LogSoftmax(1)(x).exp().flatten(1)) < 1e-6);
    CHECK(largest_difference(got.sum(1), at::ones({3})) < 1e-5);
  }
}

TEST_CASE("a depthwise convolution with a multiplier is LibTorch's with as many groups as channels") {
  Rng rng(44);
  for (int round = 0; round < 150; ++round) {
    const Shape in = random_shape(rng);
    Op op = random_window(OpKind::kDepthwiseConv2d, in, rng.chance(0.5), rng);
    op.depth_multiplier = between(rng, 1, 5);
    const int channels = in.c * op.depth_multiplier;
    CAPTURE(round, in.h, in.w, in.c, op.depth_multiplier, op.kernel_h, op.kernel_w, op.stride_h, op.stride_w);
    torch::nn::Conv2d layer(torch::nn::Conv2dOptions(in.c, channels, {op.kernel_h, op.kernel_w})
                                .stride({op.stride_h, op.stride_w})
                                .groups(in.c));
    const torch::NoGradGuard no_grad;
    layer->weight.copy_(random_tensor({channels, 1, op.kernel_h, op.kernel_w}, rng));
    layer->bias.copy_(random_tensor({channels}, rng));
    const at::Tensor x = random_tensor({2, in.c, in.h, in.w}, rng);
    const Padding& pad = op.padding;
    const at::Tensor padded = F::pad(x, F::PadFuncOptions({pad.left, pad.right, pad.top, pad.bottom}));
    LayerWeights weights;
    weights.weight = layer->weight;
    weights.bias = layer->bias;
    const at::Tensor got =
        forward_folded({{"op", weights}}, graph_of(op, in, shape_after(op, in, channels)), x);
    CHECK(largest_difference(got, activated(layer(padded), op.activation).flatten(1)) < 2e-4);
  }
}

TEST_CASE("whole random networks give what the plain float interpreter gives, in its layouts") {
  Rng rng(45);
  int pools = 0;
  int multipliers = 0;
  int softmaxes = 0;
  for (int round = 0; round < 60; ++round) {
    const Graph graph = testing::random_graph(rng);
    for (const Op& op : graph.ops) {
      pools += op.kind == OpKind::kAvgPool ? 1 : 0;
      multipliers += op.depth_multiplier > 1 ? 1 : 0;
      softmaxes += op.kind == OpKind::kSoftmax ? 1 : 0;
    }
    const FloatModel model = testing::random_float_model(graph, rng);
    const Shape& in = graph.tensor(graph.input).shape;
    const Shape& out = graph.tensor(graph.output).shape;
    const at::Tensor hwc = random_tensor({in.h, in.w, in.c}, rng);
    const std::vector<float> expected =
        run_float(model, hwc.data_ptr<float>())[static_cast<size_t>(graph.output)];
    const at::Tensor got = forward_folded(to_folded_layers(model), graph, hwc.permute({2, 0, 1}).unsqueeze(0))
                               .view({out.c, out.h, out.w})
                               .permute({1, 2, 0})
                               .contiguous();
    const at::Tensor wanted =
        at::from_blob(const_cast<float*>(expected.data()), {out.h, out.w, out.c}, at::kFloat).clone();
    CAPTURE(round);
    CHECK(largest_difference(got, wanted) < 1e-4 * std::max(1.0, wanted.abs().max().item<double>()));
  }
  CHECK((pools > 5 && multipliers > 5 && softmaxes > 5));
}
