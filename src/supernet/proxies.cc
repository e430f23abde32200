#include "supernet/proxies.h"

#include <torch/torch.h>

#include <cmath>
#include <numeric>

#include "base/interrupt.h"
#include "supernet/graph_runner.h"
#include "supernet/trainer.h"
#include "supernet/weights.h"
#include "supernet/worker_pool.h"

namespace tinynas {
namespace {

// A network that is scored, at its random weights.
struct Untrained {
  SupernetImpl weights;
  Graph graph;
};

using Score = double (*)(const Untrained& network, const std::vector<Batch>& batches);

double synflow(const Untrained& network, const std::vector<Batch>& batches) {
  Graph linear = network.graph;
  for (Op& op : linear.ops) op.activation = Activation::kNone;
  FoldedLayers layers;
  std::vector<at::Tensor> leaves;
  for (const Op& op : linear.ops) {
    if (!op.has_weights()) continue;
    const at::Tensor weight =
        network.weights.slice(linear, op).weight.detach().to(at::kDouble).abs().requires_grad_(true);
    leaves.push_back(weight);
    layers[op.name].weight = weight;
    layers[op.name].bias = at::zeros({weight.size(0)}, weight.options().requires_grad(false));
  }
  const at::Tensor& images = batches.front().images;
  const at::Tensor ones =
      at::ones({1, images.size(1), images.size(2), images.size(3)}, images.options().dtype(at::kDouble));
  const at::Tensor total = forward_folded(layers, linear, ones).sum();
  const std::vector<at::Tensor> gradients = torch::autograd::grad({total}, leaves);
  double sum = 0;
  for (size_t i = 0; i < leaves.size(); ++i)
    sum += (leaves[i].detach() * gradients[i]).abs().sum().item<double>();
  return std::log(sum);
}

double naswot(const Untrained& network, const std::vector<Batch>& batches) {
  const torch::NoGradGuard no_grad;
  const at::Tensor& images = batches.front().images;
  at::Tensor agreements = at::zeros({images.size(0), images.size(0)}, images.options().dtype(at::kDouble));
  const auto count = [&](const Op& op, const at::Tensor& output) {
    if (op.activation == Activation::kNone) return;
    const at::Tensor above = (output > 0).reshape({images.size(0), -1}).to(at::kFloat);
    const at::Tensor below = 1 - above;
    agreements += (at::matmul(above, above.t()) + at::matmul(below, below.t())).to(at::kDouble);
  };
  forward_batch_statistics(network.weights, network.graph, images, nullptr, count);
  return std::get<1>(at::slogdet(agreements.to(at::kCPU))).item<double>();
}

double zico(const Untrained& network, const std::vector<Batch>& batches) {
  const std::vector<at::Tensor> parameters = network.weights.decayed_parameters();
  std::vector<std::vector<at::Tensor>> magnitudes(parameters.size());  // [parameter][batch]
  for (const Batch& batch : batches) {
    const at::Tensor logits = forward_batch_statistics(network.weights, network.graph, batch.images);
    const std::vector<at::Tensor> gradients = torch::autograd::grad(
        {at::cross_entropy_loss(logits, batch.labels)}, parameters, {}, /*retain_graph=*/false,
        /*create_graph=*/false, /*allow_unused=*/true);
    for (size_t p = 0; p < parameters.size(); ++p) {
      if (gradients[p].defined()) magnitudes[p].push_back(gradients[p].detach().abs().to(at::kDouble));
    }
  }
  constexpr double kRounding = 1e-24;  // of the square of the mean: such a variance is none
  double score = 0;
  for (const std::vector<at::Tensor>& layer : magnitudes) {
    if (layer.empty()) continue;
    const at::Tensor all = at::stack(layer);
    const at::Tensor mean = all.mean(0);
    const at::Tensor variance = (all - mean).square().mean(0);
    const at::Tensor ratio = mean / variance.sqrt();
    const double sum = ratio.masked_select(variance > kRounding * mean.square()).sum().item<double>();
    if (sum > 0) score += std::log(sum);
  }
  return score;
}

Score score_named(const std::string& name) {
  if (name == "synflow") return synflow;
  if (name == "naswot") return naswot;
  if (name == "zico") return zico;
  return nullptr;
}

class ZeroCostProxy final : public Proxy {
 public:
  ZeroCostProxy(std::string name, Score score, const SearchSpace& space, int num_classes,
                const ImageSet& train, const ProxyOptions& options, const ComputeOptions& compute)
      : name_(std::move(name)),
        score_(score),
        space_(space),
        num_classes_(num_classes),
        options_(options),
        device_(compute.device),
        pool_(compute.device == "cpu" ? compute.workers : 1) {
    std::vector<int64_t> order(static_cast<size_t>(train.size()));
    std::iota(order.begin(), order.end(), int64_t{0});
    Rng(options.seed).fork("proxy images").shuffle(order);
    for (int batch = 0; batch < options.batches; ++batch) {
      std::vector<int64_t> indices;
      for (int i = 0; i < options.batch_size; ++i)
        indices.push_back(order[static_cast<size_t>(batch * options.batch_size + i) % order.size()]);
      Batch made = make_batch(train, indices);
      batches_.push_back({made.images.to(at::Device(device_)), made.labels.to(at::Device(device_))});
    }
  }

  std::string name() const override { return name_; }

  std::vector<double> score(const std::vector<Architecture>& architectures) override {
    std::vector<double> scores(architectures.size());
    pool_.run(static_cast<int64_t>(architectures.size()), [&](int64_t task) {
      check_interrupt();
      const Architecture& architecture = architectures[static_cast<size_t>(task)];
      Untrained network{SupernetImpl(space_, architecture, num_classes_, options_.seed),
                        lower(space_, architecture, num_classes_)};
      network.weights.to_device(device_);
      scores[static_cast<size_t>(task)] = score_(network, batches_);
    });
    return scores;
  }

 private:
  const std::string name_;
  const Score score_;
  const SearchSpace& space_;
  const int num_classes_;
  const ProxyOptions options_;
  const std::string device_;
  std::vector<Batch> batches_;
  WorkerPool pool_;
};

}  // namespace

void ProxyOptions::check() const {
  if (batch_size < 2) throw usage_error("proxy: batch_size is out of range: expected at least 2");
  if (batches < 2)
    throw usage_error("proxy: batches is out of range: expected at least 2 (a deviation of one is 0)");
}

std::unique_ptr<Proxy> make_zero_cost_proxy(const std::string& name, const SearchSpace& space,
                                            int num_classes, const ImageSet& train,
                                            const ProxyOptions& options, const ComputeOptions& compute) {
  options.check();
  const Score score = score_named(name);
  if (score == nullptr) return nullptr;
  return std::make_unique<ZeroCostProxy>(name, score, space, num_classes, train, options, compute);
}

}  // namespace tinynas
