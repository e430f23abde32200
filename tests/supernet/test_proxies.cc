#include "supernet/proxies.h"

#include <torch/torch.h>

#include <cmath>
#include <numeric>

#include "fixtures.h"
#include "graph/lower.h"
#include "supernet/graph_runner.h"
#include "supernet/trainer.h"
#include "supernet/weights.h"

using namespace tinynas;

namespace {

const SubSpace kSubSpace{0.5, 12};
const ProxyOptions kOptions{8, 3, 5};

std::vector<Batch> batches_of(const ImageSet& train) {
  std::vector<int64_t> order(static_cast<size_t>(train.size()));
  std::iota(order.begin(), order.end(), int64_t{0});
  Rng(kOptions.seed).fork("proxy images").shuffle(order);
  std::vector<Batch> batches;
  for (int b = 0; b < kOptions.batches; ++b)
    batches.push_back(make_batch(
        train, {order.begin() + b * kOptions.batch_size, order.begin() + (b + 1) * kOptions.batch_size}));
  return batches;
}

double score(const std::string& name, const SearchSpace& space, const Architecture& architecture,
             const ImageSet& train) {
  return make_zero_cost_proxy(name, space, 2, train, kOptions, {1, "cpu"})->score({architecture})[0];
}

}  // namespace

TEST_CASE("a proxy's score depends on the architecture alone, and tells architectures apart") {
  const SearchSpace space = small_space();
  const ImageSet train = two_classes(64, 12, 1);
  std::vector<Architecture> architectures;
  Rng rng(4);
  for (int i = 0; i < 5; ++i) architectures.push_back(sample(space, kSubSpace, rng));
  architectures.push_back(largest(space, kSubSpace));
  for (const char* name : {"synflow", "naswot", "zico"}) {
    CAPTURE(name);
    const auto one = make_zero_cost_proxy(name, space, 2, train, kOptions, {1, "cpu"});
    const auto three = make_zero_cost_proxy(name, space, 2, train, kOptions, {3, "cpu"});
    CHECK(one->name() == name);
    const std::vector<double> together = three->score(architectures);
    for (size_t i = 0; i < architectures.size(); ++i) {
      CHECK(std::isfinite(together[i]));
      CHECK(one->score({architectures[i]})[0] == together[i]);
      if (i > 0) CHECK(together[i] != together[0]);
    }
  }
  CHECK(make_zero_cost_proxy("params", space, 2, train, kOptions, {1, "cpu"}) == nullptr);
  CHECK_THROWS_AS(make_zero_cost_proxy("zico", space, 2, train, {8, 1, 5}, {1, "cpu"}), Error);
}

TEST_CASE("synflow is conserved: in a chain every layer's sum is the output itself") {
  // Tanaka et al. 2020, section 4: for a network without branches each layer holds the whole flow.
  const SearchSpace space = small_ds_space();
  const ImageSet train = two_classes(64, 12, 1);
  Rng rng(2);
  for (int i = 0; i < 3; ++i) {
    const Architecture architecture = sample(space, kSubSpace, rng);
    const SupernetImpl weights(space, architecture, 2, kOptions.seed);
    Graph graph = lower(space, architecture, 2);
    FoldedLayers layers;
    double weighted = 0;
    for (Op& op : graph.ops) {
      op.activation = Activation::kNone;
      if (!op.has_weights()) continue;
      ++weighted;
      layers[op.name].weight = weights.slice(graph, op).weight.detach().to(at::kDouble).abs();
      layers[op.name].bias = at::zeros({layers[op.name].weight.size(0)}, at::kDouble);
    }
    const double flow =
        forward_folded(layers, graph, at::ones({1, 3, 12, 12}, at::kDouble)).sum().item<double>();
    CHECK(score("synflow", space, architecture, train) == Approx(std::log(weighted * flow)));
  }
}

TEST_CASE("NASWOT counts the units in which two images agree") {
  const SearchSpace space = small_space();
  const ImageSet train = two_classes(64, 12, 1);
  Rng rng(3);
  const Architecture architecture = sample(space, kSubSpace, rng);
  const SupernetImpl weights(space, architecture, 2, kOptions.seed);
  const Graph graph = lower(space, architecture, 2);
  std::vector<std::vector<bool>> codes(static_cast<size_t>(kOptions.batch_size));
  const torch::NoGradGuard no_grad;
  forward_batch_statistics(
      weights, graph, batches_of(train)[0].images, nullptr, [&](const Op& op, const at::Tensor& output) {
        if (op.activation == Activation::kNone) return;
        const at::Tensor flat = output.reshape({output.size(0), -1}).contiguous();
        for (int64_t i = 0; i < flat.size(0); ++i) {
          for (int64_t j = 0; j < flat.size(1); ++j)
            codes[static_cast<size_t>(i)].push_back(flat.data_ptr<float>()[i * flat.size(1) + j] > 0);
        }
      });
  at::Tensor kernel = at::zeros({kOptions.batch_size, kOptions.batch_size}, at::kDouble);
  for (size_t i = 0; i < codes.size(); ++i) {
    for (size_t j = 0; j < codes.size(); ++j) {
      double agree = 0;
      for (size_t unit = 0; unit < codes[i].size(); ++unit) agree += codes[i][unit] == codes[j][unit];
      kernel[static_cast<int64_t>(i)][static_cast<int64_t>(j)] = agree;
    }
  }
  CHECK(codes[0].size() > 1000);
  CHECK(score("naswot", space, architecture, train) ==
        Approx(std::log(std::abs(at::linalg_det(kernel).item<double>()))));
}

TEST_CASE("ZiCo is the sum of logarithms of the gradients' inverse coefficients of variation") {
  const SearchSpace space = small_space();
  const ImageSet train = two_classes(64, 12, 1);
  Rng rng(6);
  const Architecture architecture = sample(space, kSubSpace, rng);
  const SupernetImpl weights(space, architecture, 2, kOptions.seed);
  const Graph graph = lower(space, architecture, 2);
  const std::vector<at::Tensor> parameters = weights.decayed_parameters();
  std::vector<std::vector<std::vector<double>>> magnitudes(parameters.size());  // [layer][batch][weight]
  for (const Batch& batch : batches_of(train)) {
    const at::Tensor loss =
        at::cross_entropy_loss(forward_batch_statistics(weights, graph, batch.images), batch.labels);
    const std::vector<at::Tensor> gradients = torch::autograd::grad({loss}, parameters);
    for (size_t p = 0; p < parameters.size(); ++p) {
      const at::Tensor flat = gradients[p].abs().to(at::kDouble).reshape({-1}).contiguous();
      magnitudes[p].emplace_back(flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel());
    }
  }
  double expected = 0;
  for (const auto& layer : magnitudes) {
    double sum = 0;
    for (size_t w = 0; w < layer[0].size(); ++w) {
      double mean = 0, variance = 0;
      for (const auto& batch : layer) mean += batch[w] / static_cast<double>(layer.size());
      for (const auto& batch : layer)
        variance += (batch[w] - mean) * (batch[w] - mean) / static_cast<double>(layer.size());
      if (variance > 1e-24 * mean * mean) sum += mean / std::sqrt(variance);
    }
    expected += std::log(sum);
  }
  CHECK(score("zico", space, architecture, train) == Approx(expected));
}
