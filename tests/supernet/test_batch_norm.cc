#include <torch/torch.h>

#include <catch2/catch.hpp>
#include <limits>

#include "supernet/batch_norm.h"

using namespace tinynas;

namespace {
double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}
}  // namespace

TEST_CASE("fused batch norm and clamp are torch's batch norm and hardtanh, forwards and backwards") {
  at::manual_seed(3);
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (const auto& [low, high] :
       {std::pair{0.0, 6.0}, {0.0, kInfinity}, {-kInfinity, kInfinity}, {0.0, 0.7}}) {
    for (const int64_t channels : {1, 8, 13, 48}) {
      CAPTURE(low, high, channels);
      at::Tensor x = (at::randn({5, channels, 9, 7}) * 2 + 3).contiguous(at::MemoryFormat::ChannelsLast);
      x.requires_grad_(true);
      const at::Tensor gamma = (at::rand({channels}) + 0.5).requires_grad_(true);
      const at::Tensor beta = at::randn({channels}).requires_grad_(true);
      const at::Tensor direction = at::randn({5, channels, 9, 7});
      const BatchNormResult ours = batch_norm_clamp(x, gamma, beta, low, high);
      const BatchNormResult reference = batch_norm_clamp_reference(x, gamma, beta, low, high);
      CHECK(largest_difference(ours.output, reference.output) < 1e-4);
      CHECK(largest_difference(ours.mean, reference.mean) < 1e-4);
      CHECK(largest_difference(ours.variance, reference.variance) < 1e-3);
      const auto gradients = [&](const at::Tensor& output) {
        return torch::autograd::grad({(output * direction).sum()}, {x, gamma, beta});
      };
      const auto a = gradients(ours.output);
      const auto b = gradients(reference.output);
      for (size_t i = 0; i < 3; ++i) {
        CAPTURE(i);
        CHECK(largest_difference(a[i], b[i]) < 2e-3 * (1 + b[i].abs().max().item<double>()));
      }
    }
  }
}

TEST_CASE("gradients of the fused batch norm agree with finite differences") {
  at::manual_seed(4);
  const at::Tensor x =
      at::randn({3, 8, 4, 4}).contiguous(at::MemoryFormat::ChannelsLast).requires_grad_(true);
  const at::Tensor gamma = (at::rand({8}) + 0.5).requires_grad_(true);
  const at::Tensor beta = (at::randn({8}) + 2).requires_grad_(true);
  const at::Tensor direction = at::randn({3, 8, 4, 4});
  const auto loss = [&](const at::Tensor& at_x) {
    return (batch_norm_clamp(at_x, gamma, beta, 0, 6).output.to(at::kDouble) * direction).sum();
  };
  const at::Tensor gradient = torch::autograd::grad({loss(x)}, {x})[0];
  const at::Tensor step = at::randn_like(x).contiguous(at::MemoryFormat::ChannelsLast);
  const double h = 1e-2;
  const torch::NoGradGuard no_grad;
  const double numeric = ((loss(x + h * step) - loss(x - h * step)) / (2 * h)).item<double>();
  const double analytic = (gradient * step).sum().item<double>();
  CHECK(numeric == Approx(analytic).epsilon(0.02).margin(0.02));
}
