#include <torch/torch.h>

#include <algorithm>
#include <mutex>
#include <numeric>

#include "base/interrupt.h"
#include "supernet/evaluation.h"
#include "supernet/trainer.h"
#include "supernet/worker_pool.h"

namespace tinynas {
namespace {

constexpr int64_t kEvaluationBatch = 100;

// `count` indices spread evenly over a set of `size` images (all when count is 0 or larger): sets may be
// sorted by class.
std::vector<int64_t> spread_indices(int64_t size, int64_t count) {
  if (count <= 0 || count > size) count = size;
  std::vector<int64_t> indices;
  for (int64_t i = 0; i < count; ++i) indices.push_back(i * size / count);
  return indices;
}

}  // namespace

StatisticsByOp recalibrate(const SupernetImpl& weights, const Graph& graph, const ImageSet& train,
                           const RecalibrationOptions& options, const std::string& device) {
  const torch::NoGradGuard no_grad;
  std::vector<int64_t> indices = spread_indices(train.size(), int64_t{options.batches} * options.batch_size);
  Rng(0).fork("recalibration").shuffle(indices);
  StatisticsByOp sums;
  int64_t batches = 0;
  for (size_t first = 0; first + 1 < indices.size(); first += static_cast<size_t>(options.batch_size)) {
    const size_t last = std::min(indices.size(), first + static_cast<size_t>(options.batch_size));
    const Batch batch = make_batch(train, {indices.begin() + static_cast<std::ptrdiff_t>(first),
                                           indices.begin() + static_cast<std::ptrdiff_t>(last)});
    StatisticsByOp one;
    forward_batch_statistics(weights, graph, batch.images.to(at::Device(device)), &one);
    for (auto& [name, statistics] : one) {
      BatchNormStatistics& sum = sums[name];
      sum.mean = sum.mean.defined() ? sum.mean + statistics.mean : statistics.mean;
      sum.variance = sum.variance.defined() ? sum.variance + statistics.variance : statistics.variance;
    }
    ++batches;
  }
  for (auto& [name, sum] : sums) {
    sum.mean = sum.mean / static_cast<double>(batches);
    sum.variance = (sum.variance / static_cast<double>(batches)).clamp_min(0);
  }
  return sums;
}

int64_t count_correct(const FoldedLayers& layers, const Graph& graph, const ImageSet& set,
                      const std::vector<int64_t>& indices, const std::string& device) {
  const torch::NoGradGuard no_grad;
  int64_t correct = 0;
  for (size_t first = 0; first < indices.size(); first += kEvaluationBatch) {
    const size_t last = std::min(indices.size(), first + kEvaluationBatch);
    const Batch batch = make_batch(set, {indices.begin() + static_cast<std::ptrdiff_t>(first),
                                         indices.begin() + static_cast<std::ptrdiff_t>(last)});
    const at::Tensor logits = forward_folded(layers, graph, batch.images.to(at::Device(device)));
    correct += (logits.argmax(1).to(at::kCPU) == batch.labels).sum().item<int64_t>();
  }
  return correct;
}

struct SupernetEvaluator::State {
  const SupernetImpl& weights;
  const ImageSet& train;
  const ImageSet& val;
  RecalibrationOptions recalibration;
  std::string device;
  std::string key;
  SupernetImpl on_device;
  WorkerPool pool;
};

SupernetEvaluator::SupernetEvaluator(const Supernet& supernet, const ImageSet& train, const ImageSet& val,
                                     std::string split_checksum, const RecalibrationOptions& recalibration,
                                     const ComputeOptions& compute)
    : state_(new State{supernet.impl(), train, val, recalibration, compute.device,
                       "supernet=" + supernet.checkpoint_hash() + " split=" + split_checksum +
                           " recalibration=" + std::to_string(recalibration.batches) + "x" +
                           std::to_string(recalibration.batch_size) +
                           " val=" + std::to_string(recalibration.val_images),
                       supernet.impl().clone(), WorkerPool(compute.device == "cpu" ? compute.workers : 1)}) {
  recalibration.check();
  state_->on_device.to_device(compute.device);
}

SupernetEvaluator::~SupernetEvaluator() = default;

std::string SupernetEvaluator::key() const { return state_->key; }

std::vector<double> SupernetEvaluator::evaluate(const std::vector<Architecture>& architectures,
                                                const std::function<void(size_t, double)>& on_result) {
  const std::vector<int64_t> indices = spread_indices(state_->val.size(), state_->recalibration.val_images);
  std::vector<double> accuracies(architectures.size());
  std::mutex reporting;
  state_->pool.run(static_cast<int64_t>(architectures.size()), [&](int64_t task) {
    check_interrupt();
    const torch::NoGradGuard no_grad;
    const size_t i = static_cast<size_t>(task);
    const SupernetImpl& weights = state_->on_device;
    const Graph graph = lower(weights.space, architectures[i], weights.num_classes);
    const FoldedLayers folded = fold_batch_norm(
        weights, graph, recalibrate(weights, graph, state_->train, state_->recalibration, state_->device));
    accuracies[i] = static_cast<double>(count_correct(folded, graph, state_->val, indices, state_->device)) /
                    static_cast<double>(indices.size());
    const std::lock_guard lock(reporting);
    on_result(i, accuracies[i]);
  });
  return accuracies;
}

double float_accuracy(const FloatModel& model, const ImageSet& set, const ComputeOptions& compute) {
  FoldedLayers layers = to_folded_layers(model);
  for (auto& [name, layer] : layers) {
    layer.weight = layer.weight.to(at::Device(compute.device));
    layer.bias = layer.bias.to(at::Device(compute.device));
  }
  const std::vector<int64_t> all = spread_indices(set.size(), 0);
  constexpr int64_t kChunk = 10 * kEvaluationBatch;
  const int64_t chunks = (set.size() + kChunk - 1) / kChunk;
  std::vector<int64_t> correct(static_cast<size_t>(chunks));
  WorkerPool(compute.device == "cpu" ? compute.workers : 1).run(chunks, [&](int64_t chunk) {
    check_interrupt();
    const auto first = all.begin() + chunk * kChunk;
    const auto last = all.begin() + std::min(set.size(), (chunk + 1) * kChunk);
    correct[static_cast<size_t>(chunk)] =
        count_correct(layers, model.graph, set, {first, last}, compute.device);
  });
  return static_cast<double>(std::accumulate(correct.begin(), correct.end(), int64_t{0})) /
         static_cast<double>(set.size());
}

}  // namespace tinynas
