#include <catch2/catch.hpp>

#include "base/error.h"
#include "base/rng.h"
#include "graph/graph.h"

using namespace tinynas;
using Catch::Matchers::Contains;

TEST_CASE("SAME padding is the least that gives ceil(in / stride) outputs, the smaller half first") {
  for (int in = 1; in <= 40; ++in) {
    for (int kernel = 1; kernel <= 9; ++kernel) {
      for (int stride = 1; stride <= 4; ++stride) {
        const auto [before, after] = same_padding(in, kernel, stride);
        CAPTURE(in, kernel, stride, before, after);
        const int out = (in + stride - 1) / stride;
        const auto outputs = [&](int total) {
          return in + total < kernel ? 0 : (in + total - kernel) / stride + 1;
        };
        REQUIRE(outputs(before + after) == out);
        REQUIRE((before + after == 0 || outputs(before + after - 1) < out));
        REQUIRE((after == before || after == before + 1));
      }
    }
  }
  CHECK(same_padding(224, 3, 2) == std::pair(0, 1));
  CHECK(same_padding(32, 3, 1) == std::pair(1, 1));
}

TEST_CASE("a window's output positions are those that lie inside the padded input") {
  Rng rng(31);
  for (int round = 0; round < 2000; ++round) {
    Op op;
    op.kind = OpKind::kConv2d;
    op.kernel_h = static_cast<int>(1 + rng.below(7));
    op.kernel_w = static_cast<int>(1 + rng.below(7));
    op.stride_h = static_cast<int>(1 + rng.below(3));
    op.stride_w = static_cast<int>(1 + rng.below(3));
    op.padding.top = static_cast<int>(rng.below(op.kernel_h));
    op.padding.bottom = static_cast<int>(rng.below(op.kernel_h));
    op.padding.left = static_cast<int>(rng.below(op.kernel_w));
    op.padding.right = static_cast<int>(rng.below(op.kernel_w));
    const Shape in{static_cast<int>(1 + rng.below(20)), static_cast<int>(1 + rng.below(20)), 3};
    const auto positions = [](int size, int before, int after, int kernel, int stride) {
      int count = 0;
      for (int start = -before; start + kernel <= size + after; start += stride) ++count;
      return count;
    };
    const Shape expected{positions(in.h, op.padding.top, op.padding.bottom, op.kernel_h, op.stride_h),
                         positions(in.w, op.padding.left, op.padding.right, op.kernel_w, op.stride_w), 5};
    if (expected.h == 0 || expected.w == 0) {
      CHECK_THROWS_AS(infer_shape(op, {in}, {1, 1, 5}), Error);
    } else {
      CHECK(infer_shape(op, {in}, {1, 1, 5}) == expected);
    }
  }
}

TEST_CASE("shape errors name the operator") {
  Op op;
  op.name = "stage0.block0.add";
  op.kind = OpKind::kAdd;
  CHECK_THROWS_WITH(infer_shape(op, {{2, 2, 3}, {2, 2, 4}}, {}),
                    Contains("stage0.block0.add") && Contains("{2, 2, 3}") && Contains("{2, 2, 4}"));
  CHECK_THROWS_WITH(infer_shape(op, {{2, 2, 3}}, {}), Contains("got 1 inputs, expected 2"));
  op.depth_multiplier = 2;
  CHECK_THROWS_WITH(infer_shape(op, {{2, 2, 3}, {2, 2, 3}}, {}), Contains("depth multiplier 2, expected 1"));
  op.kind = OpKind::kDepthwiseConv2d;
  CHECK(infer_shape(op, {{2, 2, 3}}, {}) == Shape{2, 2, 6});
  for (const int wrong : {0, -1, 65535 / 3 + 1}) {
    op.depth_multiplier = wrong;
    CHECK_THROWS_WITH(infer_shape(op, {{2, 2, 3}}, {}),
                      Contains("depth multiplier " + std::to_string(wrong)));
  }
  op.depth_multiplier = 1;
  op.kind = OpKind::kSoftmax;
  CHECK(infer_shape(op, {{1, 1, 3}}, {}) == Shape{1, 1, 3});
  op.activation = Activation::kRelu;
  CHECK_THROWS_WITH(infer_shape(op, {{1, 1, 3}}, {}), Contains("relu") && Contains("expected none"));
  op.activation = Activation::kNone;
  op.kind = OpKind::kConv2d;
  op.kernel_h = 3;
  op.padding.top = 3;
  CHECK_THROWS_WITH(infer_shape(op, {{8, 8, 3}}, {1, 1, 4}), Contains("rows") && Contains("padding 3"));
}

TEST_CASE("a pad has padding of rows, columns and channels, and nothing else") {
  Op op;
  op.kind = OpKind::kPad;
  op.name = "border";
  op.padding = {1, 2, 3, 4, 5, 6};
  CHECK(infer_shape(op, {{7, 8, 9}}, {}) == Shape{11, 14, 20});
  op.kernel_h = 2;
  CHECK_THROWS_WITH(infer_shape(op, {{7, 8, 9}}, {}), Contains("border") && Contains("expected none"));
  op.kernel_h = 1;
  op.activation = Activation::kRelu;
  CHECK_THROWS_WITH(infer_shape(op, {{7, 8, 9}}, {}), Contains("relu"));
  op.activation = Activation::kNone;
  op.padding.channels_after = -1;
  CHECK_THROWS_WITH(infer_shape(op, {{7, 8, 9}}, {}), Contains("channels: got padding 5 and -1"));
  op.padding = {0, 0, 0, 0, 1, 0};
  op.kind = OpKind::kConv2d;
  CHECK_THROWS_WITH(infer_shape(op, {{7, 8, 9}}, {}), Contains("pads channels"));
}

TEST_CASE("a reshape takes any shape of as many values") {
  Op op;
  op.kind = OpKind::kReshape;
  op.name = "flatten";
  CHECK(infer_shape(op, {{4, 4, 8}}, {1, 2, 64}) == Shape{1, 2, 64});
  CHECK_THROWS_WITH(infer_shape(op, {{4, 4, 8}}, {1, 2, 63}),
                    Contains("{1, 2, 63}") && Contains("{4, 4, 8}"));
  op.padding.top = 1;
  CHECK_THROWS_WITH(infer_shape(op, {{4, 4, 8}}, {1, 2, 64}), Contains("expected none"));
}
