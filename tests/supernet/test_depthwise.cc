#include <torch/torch.h>

#include <array>
#include <catch2/catch.hpp>

#include "supernet/depthwise.h"

using namespace tinynas;

TEST_CASE("the fast gradient of depthwise weights is torch's") {
  at::manual_seed(1);
  int compared = 0;
  for (const auto& [channels, height, width, kernel, stride, padding] :
       {std::array<int64_t, 6>{8, 9, 5, 5, 1, 2},
        {24, 5, 11, 7, 1, 3},
        {16, 13, 13, 7, 2, 0},
        {8, 12, 8, 5, 2, 2},
        {16, 1, 9, 5, 1, 2},
        {8, 3, 3, 7, 1, 3}}) {
    CAPTURE(channels, height, width, kernel, stride, padding);
    const at::Tensor x = at::randn({3, channels, height, width}).contiguous(at::MemoryFormat::ChannelsLast);
    const at::Tensor weight = at::randn({channels, 1, kernel, kernel});
    const at::Tensor y = at::conv2d(x, weight, {}, {stride, stride}, {padding, padding}, {1, 1}, channels);
    const at::Tensor gradient = at::randn_like(y);
    const at::Tensor reference = std::get<1>(
        at::convolution_backward(gradient, x, weight, at::OptionalIntArrayRef(), {stride, stride},
                                 {padding, padding}, {1, 1}, false, {0, 0}, channels, {false, true, false}));
    if (!can_use_fast_weight_gradient(x, kernel)) continue;
    ++compared;
    const at::Tensor ours = depthwise_weight_gradient(x, gradient, kernel, stride, padding);
    CHECK((ours - reference).abs().max().item<double>() < 1e-4 * (1 + reference.abs().max().item<double>()));
  }
  if (compared == 0) WARN("SKIPPED: this processor has no AVX2, torch's own gradient is used");
}

TEST_CASE("autograd through the depthwise convolution is torch's, whatever the kernel") {
  at::manual_seed(2);
  for (const int64_t kernel : {3, 5, 7}) {
    for (const int64_t channels : {6, 16}) {  // 6: not a multiple of 8, torch's own way
      CAPTURE(kernel, channels);
      const at::Tensor x =
          at::randn({2, channels, 10, 10}).contiguous(at::MemoryFormat::ChannelsLast).requires_grad_(true);
      const at::Tensor weight = at::randn({channels, 1, kernel, kernel}).requires_grad_(true);
      const auto loss = [&](const at::Tensor& y) { return (y * y.detach().cos()).sum(); };
      const auto ours =
          torch::autograd::grad({loss(depthwise_conv2d(x, weight, 1, kernel / 2))}, {x, weight});
      const auto reference =
          torch::autograd::grad({loss(at::conv2d(x, weight, {}, 1, kernel / 2, 1, channels))}, {x, weight});
      for (int i = 0; i < 2; ++i) {
        CHECK((ours[static_cast<size_t>(i)] - reference[static_cast<size_t>(i)]).abs().max().item<double>() <
              1e-3);
      }
    }
  }
}
