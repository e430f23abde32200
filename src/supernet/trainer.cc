#include "supernet/trainer.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <sstream>

#include "base/files.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "base/progress.h"
#include "supernet/graph_runner.h"
#include "supernet/worker_pool.h"

namespace tinynas {
namespace {

constexpr double kRiseFraction = 0.1;

Batch empty_batch(const ImageSet& set, int64_t count) {
  return {at::empty({count, set.height, set.width, set.channels}, at::kFloat), at::empty({count}, at::kLong)};
}

Batch to_channels_last(Batch batch) {
  batch.images = batch.images.permute({0, 3, 1, 2});  // NHWC in memory is channels-last NCHW
  return batch;
}

// Which images step `step`, task `task` sees: every image once an epoch, in an order of the epoch's own.
class ImageOrder {
 public:
  ImageOrder(int64_t images, Rng rng) : rng_(rng) { order_.resize(static_cast<size_t>(images)); }

  std::vector<int64_t> take(int64_t first, int64_t count) {
    std::vector<int64_t> indices;
    const int64_t images = static_cast<int64_t>(order_.size());
    for (int64_t i = first; i < first + count; ++i) {
      if (i / images != epoch_) shuffle(i / images);
      indices.push_back(order_[static_cast<size_t>(i % images)]);
    }
    return indices;
  }

 private:
  void shuffle(int64_t epoch) {
    epoch_ = epoch;
    for (size_t i = 0; i < order_.size(); ++i) order_[i] = static_cast<int64_t>(i);
    rng_.fork(static_cast<uint64_t>(epoch)).shuffle(order_);
  }

  Rng rng_;
  int64_t epoch_ = -1;
  std::vector<int64_t> order_;
};

struct TaskResult {
  std::vector<at::Tensor> gradients;  // undefined where the sub-network does not use a parameter
  double loss = 0;
  int64_t correct = 0;
};

// Mean loss and accuracy since the last line of the metrics log.
struct Meter {
  double loss = 0;
  int64_t correct = 0;
  int64_t images = 0;
  int64_t tasks = 0;
};

class Trainer {
 public:
  Trainer(SupernetImpl& weights, std::string label, const ImageSet& train, const TrainOptions& options,
          const ArchitectureSampler& sampler, const ComputeOptions& compute, std::filesystem::path state_path,
          MetricsLog& metrics)
      : weights_(weights),
        label_(std::move(label)),
        train_(train),
        options_(options),
        sampler_(sampler),
        device_(compute.device),
        state_path_(std::move(state_path)),
        metrics_(metrics),
        pool_(device_.is_cpu() ? std::min(compute.workers, options.subnets_per_step) : 1),
        rng_(Rng(options.seed).fork(label_)),
        order_(train.size(), rng_.fork("order")) {}

  void run() {
    weights_.to_device(device_.str());
    make_optimizer();
    load_state();
    Progress progress(label_, options_.steps, step_);
    while (step_ < options_.steps) {
      if (step_ == warmup_steps() && warmup_steps() > 0) end_warmup();
      train_step();
      ++step_;
      progress.update(step_, note());
      if (step_ % steps_per_epoch() == 0 || step_ == options_.steps) log_epoch();
      if (interrupted() || step_ % options_.checkpoint_every == 0 || step_ == options_.steps) save_state();
      check_interrupt();
    }
    weights_.to_device("cpu");
  }

 private:
  int64_t images_per_step() const { return int64_t{options_.batch_size} * options_.subnets_per_step; }
  int64_t steps_per_epoch() const { return std::max<int64_t>(1, train_.size() / images_per_step()); }
  int64_t warmup_steps() const {
    return std::llround(options_.warmup_fraction * static_cast<double>(options_.steps));
  }

  void make_optimizer() {
    decayed_ = weights_.decayed_parameters();
    parameters_ = decayed_;
    const std::vector<at::Tensor> others = weights_.other_parameters();
    parameters_.insert(parameters_.end(), others.begin(), others.end());
    const auto group = [&](const std::vector<at::Tensor>& parameters, double decay) {
      auto sgd = std::make_unique<torch::optim::SGDOptions>(options_.learning_rate);
      sgd->momentum(options_.momentum).nesterov(true).weight_decay(decay);
      return torch::optim::OptimizerParamGroup(parameters, std::move(sgd));
    };
    optimizer_ = std::make_unique<torch::optim::SGD>(
        std::vector<torch::optim::OptimizerParamGroup>{group(decayed_, options_.weight_decay),
                                                       group(others, 0.0)},
        torch::optim::SGDOptions(options_.learning_rate));
  }

  // The largest network has been trained: from here on channels are ordered, and momentum of the old order is
  // void.
  void end_warmup() {
    weights_.sort_channels();
    make_optimizer();
  }

  void train_step() {
    const bool warmup = step_ < warmup_steps();
    const Rng step_rng = rng_.fork(static_cast<uint64_t>(step_));
    std::vector<Graph> graphs;
    std::vector<std::vector<int64_t>> indices;
    for (int task = 0; task < options_.subnets_per_step; ++task) {
      Rng sampling = step_rng.fork("architecture").fork(static_cast<uint64_t>(task));
      graphs.push_back(
          lower(weights_.space, warmup ? weights_.layout : sampler_(sampling), weights_.num_classes));
      indices.push_back(
          order_.take(step_ * images_per_step() + task * options_.batch_size, options_.batch_size));
    }
    std::vector<TaskResult> results(graphs.size());
    pool_.run(static_cast<int64_t>(graphs.size()), [&](int64_t task) {
      const size_t i = static_cast<size_t>(task);
      const Rng augmenting = step_rng.fork("augment").fork(static_cast<uint64_t>(task));
      results[i] = forward_backward(graphs[i], make_batch(train_, indices[i], options_.augment, augmenting));
    });
    apply(results);
  }

  TaskResult forward_backward(const Graph& graph, const Batch& batch) const {
    const at::Tensor labels = batch.labels.to(device_);
    const at::Tensor logits = forward_batch_statistics(weights_, graph, batch.images.to(device_));
    const at::Tensor loss =
        at::cross_entropy_loss(logits, labels, {}, at::Reduction::Mean, -100, options_.label_smoothing);
    TaskResult result;
    result.gradients =
        torch::autograd::grad({loss}, parameters_, {}, /*retain_graph=*/false, /*create_graph=*/false,
                              /*allow_unused=*/true);
    result.loss = loss.item<double>();
    result.correct = (logits.detach().argmax(1) == labels).sum().item<int64_t>();
    return result;
  }

  // Gradients are averaged over the sub-networks of the step, summed in the tasks' order: the result does not
  // depend on which finished first.
  void apply(const std::vector<TaskResult>& results) {
    const torch::NoGradGuard no_grad;
    for (size_t p = 0; p < parameters_.size(); ++p) {
      at::Tensor sum;
      for (const TaskResult& result : results) {
        const at::Tensor& gradient = result.gradients[p];
        if (!gradient.defined()) continue;
        sum = sum.defined() ? sum.add_(gradient) : gradient;
      }
      if (sum.defined()) sum.div_(static_cast<double>(results.size()));
      parameters_[p].mutable_grad() = sum;
    }
    for (torch::optim::OptimizerParamGroup& group : optimizer_->param_groups()) {
      group.options().set_lr(learning_rate_at(options_, step_));
    }
    optimizer_->step();
    for (const TaskResult& result : results) {
      if (!std::isfinite(result.loss)) {
        throw Error(ExitCode::kFailure, label_ + ": the loss is not finite at step " + std::to_string(step_) +
                                            "; a lower learning rate (train.learning_rate) usually helps");
      }
      meter_.loss += result.loss;
      meter_.correct += result.correct;
      meter_.images += options_.batch_size;
      ++meter_.tasks;
    }
  }

  std::string note() const {
    char text[64];
    std::snprintf(text, sizeof text, "loss %.3f  top-1 %.1f %%",
                  meter_.loss / static_cast<double>(meter_.tasks),
                  100.0 * static_cast<double>(meter_.correct) / static_cast<double>(meter_.images));
    return text;
  }

  void log_epoch() {
    metrics_.write(
        {{"event", "epoch"},
         {"stage", label_},
         {"step", step_},
         {"epoch", static_cast<double>(step_ * images_per_step()) / static_cast<double>(train_.size())},
         {"phase", step_ <= warmup_steps() ? "largest" : "elastic"},
         {"loss", meter_.loss / static_cast<double>(std::max<int64_t>(1, meter_.tasks))},
         {"train_top1",
          static_cast<double>(meter_.correct) / static_cast<double>(std::max<int64_t>(1, meter_.images))},
         {"learning_rate", learning_rate_at(options_, step_ - 1)}});
    meter_ = {};
  }

  // Everything that fixes the run: a state of other options or weights is not gone on from.
  std::string signature() const {
    std::ostringstream text;
    text.precision(17);
    const AugmentOptions& a = options_.augment;
    text << label_ << '|' << to_json(weights_.space).dump() << '|' << encode(weights_.layout) << '|'
         << options_.steps << '|' << options_.warmup_fraction << '|' << options_.batch_size << '|'
         << options_.subnets_per_step << '|' << options_.learning_rate << '|' << options_.momentum << '|'
         << options_.weight_decay << '|' << options_.label_smoothing << '|' << a.crop_padding << '|' << a.flip
         << '|' << a.cutout << '|' << options_.seed << '|'
         << hash_hex({reinterpret_cast<const char*>(train_.pixels.data()), train_.pixels.size()});
    return hash_hex(text.str());
  }

  void save_state() {
    if (state_path_.empty()) return;
    torch::serialize::OutputArchive archive;
    archive.write("signature", c10::IValue(signature()));
    archive.write("step", c10::IValue(step_));
    archive.write("meter_loss", c10::IValue(meter_.loss));
    archive.write("meter_correct", c10::IValue(meter_.correct));
    archive.write("meter_images", c10::IValue(meter_.images));
    archive.write("meter_tasks", c10::IValue(meter_.tasks));
    for (size_t p = 0; p < parameters_.size(); ++p) {
      archive.write("parameter" + std::to_string(p), parameters_[p].detach(), /*is_buffer=*/true);
    }
    torch::serialize::OutputArchive optimizer;
    optimizer_->save(optimizer);
    archive.write("optimizer", optimizer);
    std::ostringstream stream;
    archive.save_to(stream);
    write_file_atomic(state_path_, stream.str());
  }

  void load_state() {
    if (state_path_.empty() || !std::filesystem::exists(state_path_)) return;
    torch::serialize::InputArchive archive;
    try {
      archive.load_from(state_path_.string(), device_);
    } catch (const c10::Error&) {
      throw data_error(state_path_.string() +
                       ": not a training state of tinynas; remove it to train this stage anew");
    }
    const auto value = [&](const std::string& key) {
      c10::IValue read;
      archive.read(key, read);
      return read;
    };
    if (value("signature").toStringRef() != signature()) return;
    const torch::NoGradGuard no_grad;
    for (size_t p = 0; p < parameters_.size(); ++p) {
      at::Tensor stored;
      archive.read("parameter" + std::to_string(p), stored, /*is_buffer=*/true);
      parameters_[p].copy_(stored);
    }
    torch::serialize::InputArchive optimizer;
    archive.read("optimizer", optimizer);
    optimizer_->load(optimizer);
    step_ = value("step").toInt();
    meter_ = {value("meter_loss").toDouble(), value("meter_correct").toInt(), value("meter_images").toInt(),
              value("meter_tasks").toInt()};
  }

  SupernetImpl& weights_;
  const std::string label_;
  const ImageSet& train_;
  const TrainOptions options_;
  const ArchitectureSampler& sampler_;
  const at::Device device_;
  const std::filesystem::path state_path_;
  MetricsLog& metrics_;
  WorkerPool pool_;
  const Rng rng_;
  ImageOrder order_;
  std::vector<at::Tensor> decayed_;
  std::vector<at::Tensor> parameters_;
  std::unique_ptr<torch::optim::SGD> optimizer_;
  int64_t step_ = 0;
  Meter meter_;
};

}  // namespace

Batch make_batch(const ImageSet& set, const std::vector<int64_t>& indices) {
  Batch batch = empty_batch(set, static_cast<int64_t>(indices.size()));
  fill_batch(set, indices, batch.images.data_ptr<float>(), batch.labels.data_ptr<int64_t>());
  return to_channels_last(batch);
}

Batch make_batch(const ImageSet& set, const std::vector<int64_t>& indices, const AugmentOptions& augment,
                 const Rng& rng) {
  Batch batch = empty_batch(set, static_cast<int64_t>(indices.size()));
  fill_batch(set, indices, augment, rng, batch.images.data_ptr<float>(), batch.labels.data_ptr<int64_t>());
  return to_channels_last(batch);
}

double learning_rate_at(const TrainOptions& options, int64_t step) {
  const double progress = static_cast<double>(step + 1) / static_cast<double>(options.steps + 1);
  if (progress < kRiseFraction) return options.learning_rate * progress / kRiseFraction;
  const double fall = (progress - kRiseFraction) / (1.0 - kRiseFraction);
  return options.learning_rate * 0.5 * (1.0 + std::cos(std::numbers::pi * fall));
}

void train_weights(SupernetImpl& weights, const std::string& label, const ImageSet& train,
                   const TrainOptions& options, const ArchitectureSampler& sampler,
                   const ComputeOptions& compute, const std::filesystem::path& state_path,
                   MetricsLog& metrics) {
  options.check();
  Trainer(weights, label, train, options, sampler, compute, state_path, metrics).run();
}

}  // namespace tinynas
