#include "supernet/trainer.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>
#include <sstream>

#include "base/files.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "base/progress.h"
#include "data/mixing.h"
#include "supernet/distillation.h"
#include "supernet/graph_runner.h"
#include "supernet/training_method.h"
#include "supernet/weight_average.h"
#include "supernet/worker_pool.h"

namespace tinynas {
namespace {

constexpr double kRiseFraction = 0.1;

Batch empty_batch(const ImageSet& set, int64_t count) {
  return {at::empty({count, set.height, set.width, set.channels}, at::kFloat),
          at::empty({count}, at::kLong),
          {},
          1.0};
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
  at::Tensor logits;                  // detached
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

std::vector<at::Tensor> all_parameters(const SupernetImpl& weights) {
  std::vector<at::Tensor> parameters = weights.decayed_parameters();
  const std::vector<at::Tensor> others = weights.other_parameters();
  parameters.insert(parameters.end(), others.begin(), others.end());
  return parameters;
}

void write_tensors(torch::serialize::OutputArchive& archive, const std::string& prefix,
                   const std::vector<at::Tensor>& tensors) {
  for (size_t i = 0; i < tensors.size(); ++i)
    archive.write(prefix + std::to_string(i), tensors[i].detach(), /*is_buffer=*/true);
}

// Into the tensors as they are.
void read_tensors(torch::serialize::InputArchive& archive, const std::string& prefix,
                  const std::vector<at::Tensor>& tensors) {
  const torch::NoGradGuard no_grad;
  for (size_t i = 0; i < tensors.size(); ++i) {
    at::Tensor stored;
    archive.read(prefix + std::to_string(i), stored, /*is_buffer=*/true);
    tensors[i].copy_(stored);
  }
}

// What writers that were killed left beside `path`. Nobody else writes it: a run has one process.
void remove_temporaries(const std::filesystem::path& path) {
  std::error_code error;
  const std::string prefix = path.filename().string() + ".tmp";
  std::filesystem::directory_iterator entries(path.has_parent_path() ? path.parent_path() : ".", error);
  for (const auto end = std::filesystem::directory_iterator(); !error && entries != end;
       entries.increment(error)) {
    if (entries->path().filename().string().starts_with(prefix)) {
      std::error_code in_use;  // then it stays
      std::filesystem::remove(entries->path(), in_use);
    }
  }
}

class Trainer {
 public:
  Trainer(SupernetImpl& weights, std::string label, const ImageSet& train, const TrainOptions& options,
          const ArchitectureSampler& sampler, const ComputeOptions& compute, std::filesystem::path state_path,
          MetricsLog& metrics)
      : weights_(weights),
        label_(std::move(label)),
        train_(train),
        options_(options),
        method_(make_training_method(options_, weights.space, weights.layout, sampler)),
        device_(compute.device),
        state_path_(std::move(state_path)),
        metrics_(metrics),
        pool_(device_.is_cpu() ? compute.workers : 1),
        rng_(Rng(options.seed).fork(label_)),
        order_(train.size(), rng_.fork("order")),
        average_(options.ema) {}

  void run() {
    weights_.to_device(device_.str());
    if (has_kernel_maps(options_)) weights_.add_kernel_maps();
    make_optimizer();
    average_.restart(parameters_);
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
    average_.copy_to(parameters_);
    weights_.to_device("cpu");
  }

 private:
  int64_t images_per_step() const { return int64_t{options_.batch_size} * method_->batches_per_step(); }
  int64_t steps_per_epoch() const { return std::max<int64_t>(1, train_.size() / images_per_step()); }
  int64_t warmup_steps() const {
    return std::llround(options_.warmup_fraction * static_cast<double>(options_.steps));
  }

  void make_optimizer() {
    parameters_ = all_parameters(weights_);
    const auto group = [&](const std::vector<at::Tensor>& parameters, double decay) {
      auto sgd = std::make_unique<torch::optim::SGDOptions>(options_.learning_rate);
      sgd->momentum(options_.momentum).nesterov(true).weight_decay(decay);
      return torch::optim::OptimizerParamGroup(parameters, std::move(sgd));
    };
    optimizer_ = std::make_unique<torch::optim::SGD>(
        std::vector<torch::optim::OptimizerParamGroup>{
            group(weights_.decayed_parameters(), options_.weight_decay),
            group(weights_.other_parameters(), 0.0)},
        torch::optim::SGDOptions(options_.learning_rate));
  }

  // The largest network has been trained: from here on channels are ordered, and momentum and average of the
  // old order are void.
  void end_warmup() {
    weights_.sort_channels();
    make_optimizer();
    average_.restart(parameters_);
    if (method_->needs_frozen_teacher()) teacher_.emplace(weights_.clone());
  }

  // Of the steps after the warm-up: how much is behind when step `step` begins.
  double progress_at(int64_t step) const {
    return static_cast<double>(step - warmup_steps()) / static_cast<double>(options_.steps - warmup_steps());
  }

  std::string phase_at(int64_t step) const {
    return step < warmup_steps() ? "largest" : method_->phase(progress_at(step));
  }

  std::vector<TrainingTask> tasks_of_step(const Rng& step_rng) const {
    if (step_ >= warmup_steps()) return method_->tasks(progress_at(step_), step_rng);
    std::vector<TrainingTask> tasks;
    for (int batch = 0; batch < method_->batches_per_step(); ++batch)
      tasks.push_back({.architecture = weights_.layout, .batch = batch});
    return tasks;
  }

  std::vector<Batch> batches_of_step(const Rng& step_rng) {
    std::vector<std::vector<int64_t>> indices;
    for (int batch = 0; batch < method_->batches_per_step(); ++batch) {
      indices.push_back(
          order_.take(step_ * images_per_step() + batch * options_.batch_size, options_.batch_size));
    }
    std::vector<Batch> batches(indices.size());
    pool_.run(static_cast<int64_t>(batches.size()), [&](int64_t i) {
      const Rng augmenting = step_rng.fork("augment").fork(static_cast<uint64_t>(i));
      batches[static_cast<size_t>(i)] =
          make_batch(train_, indices[static_cast<size_t>(i)], options_.augment, augmenting);
    });
    return batches;
  }

  void train_step() {
    const Rng step_rng = rng_.fork(static_cast<uint64_t>(step_));
    const std::vector<TrainingTask> tasks = tasks_of_step(step_rng);
    const std::vector<Batch> batches = batches_of_step(step_rng);
    std::vector<TaskResult> results(tasks.size());
    const auto run_all = [&](bool in_place) {
      std::vector<size_t> chosen;
      for (size_t i = 0; i < tasks.size(); ++i) {
        if ((tasks[i].teacher == Teacher::kInPlace) == in_place) chosen.push_back(i);
      }
      pool_.run(static_cast<int64_t>(chosen.size()), [&](int64_t i) {
        const size_t task = chosen[static_cast<size_t>(i)];
        results[task] =
            forward_backward(tasks[task], batches[static_cast<size_t>(tasks[task].batch)], results[0].logits);
      });
    };
    run_all(false);
    run_all(true);  // these learn from the first task's predictions
    apply(results);
  }

  at::Tensor teacher_logits(Teacher teacher, const at::Tensor& images, const at::Tensor& in_place) const {
    if (teacher == Teacher::kInPlace) return in_place;
    const torch::NoGradGuard no_grad;
    return forward_batch_statistics(*teacher_,
                                    lower(teacher_->space, teacher_->layout, teacher_->num_classes), images);
  }

  // Cross entropy is linear in the target, so a mixed label's is the mix of two.
  at::Tensor label_loss(const at::Tensor& logits, const Batch& batch) const {
    const auto entropy = [&](const at::Tensor& labels) {
      return at::cross_entropy_loss(logits, labels.to(device_), {}, at::Reduction::Mean, -100,
                                    options_.label_smoothing);
    };
    if (batch.share == 1.0) return entropy(batch.labels);
    return entropy(batch.labels) * batch.share + entropy(batch.partner_labels) * (1.0 - batch.share);
  }

  // `first_logits`: those of the step's first task, for tasks that are taught in place.
  TaskResult forward_backward(const TrainingTask& task, const Batch& batch,
                              const at::Tensor& first_logits) const {
    const at::Tensor images = batch.images.to(device_);
    const Graph graph = lower(weights_.space, task.architecture, weights_.num_classes);
    const at::Tensor logits = forward_batch_statistics(weights_, graph, images);
    at::Tensor loss;
    const auto add = [&](double weight, const at::Tensor& part) {
      const at::Tensor weighted = weight == 1 ? part : part * weight;
      loss = loss.defined() ? loss + weighted : weighted;
    };
    if (task.label_weight > 0) add(task.label_weight, label_loss(logits, batch));
    if (task.teacher_weight > 0) {
      add(task.teacher_weight, distillation_loss(distillation_of(options_), logits,
                                                 teacher_logits(task.teacher, images, first_logits)));
    }
    TaskResult result;
    result.gradients =
        torch::autograd::grad({loss}, parameters_, {}, /*retain_graph=*/false, /*create_graph=*/false,
                              /*allow_unused=*/true);
    result.logits = logits.detach();
    result.loss = loss.item<double>();
    result.correct = (result.logits.argmax(1) == batch.labels.to(device_)).sum().item<int64_t>();
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
    average_.update(parameters_);
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
         {"phase", phase_at(step_ - 1)},
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
         << '|' << a.cutout << '|' << options_.seed << '|' << static_cast<int>(options_.method) << '|'
         << static_cast<int>(distillation_of(options_)) << '|' << has_kernel_maps(options_) << '|'
         << options_.kernel_phase << '|' << options_.depth_phase << '|' << options_.ema << '|' << a.mixup
         << '|' << a.cutmix << '|' << a.randaugment << '|'
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
    write_tensors(archive, "parameter", parameters_);
    if (teacher_) write_tensors(archive, "teacher", all_parameters(*teacher_));
    write_tensors(archive, "average", average_.tensors());
    archive.write("average_updates", c10::IValue(average_.updates()));
    torch::serialize::OutputArchive optimizer;
    optimizer_->save(optimizer);
    archive.write("optimizer", optimizer);
    std::ostringstream stream;
    archive.save_to(stream);
    write_file_atomic(state_path_, stream.str());
  }

  void load_state() {
    if (state_path_.empty()) return;
    remove_temporaries(state_path_);
    if (!std::filesystem::exists(state_path_)) return;
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
    step_ = value("step").toInt();
    read_tensors(archive, "parameter", parameters_);
    if (method_->needs_frozen_teacher() && step_ > warmup_steps()) {
      teacher_.emplace(weights_.clone());
      read_tensors(archive, "teacher", all_parameters(*teacher_));
    }
    std::vector<at::Tensor> averages = average_.tensors();
    read_tensors(archive, "average", averages);
    average_.restore(std::move(averages), value("average_updates").toInt());
    torch::serialize::InputArchive optimizer;
    archive.read("optimizer", optimizer);
    optimizer_->load(optimizer);
    meter_ = {value("meter_loss").toDouble(), value("meter_correct").toInt(), value("meter_images").toInt(),
              value("meter_tasks").toInt()};
  }

  SupernetImpl& weights_;
  const std::string label_;
  const ImageSet& train_;
  const TrainOptions options_;
  const std::unique_ptr<TrainingMethod> method_;
  const at::Device device_;
  const std::filesystem::path state_path_;
  MetricsLog& metrics_;
  WorkerPool pool_;
  const Rng rng_;
  ImageOrder order_;
  std::vector<at::Tensor> parameters_;
  std::unique_ptr<torch::optim::SGD> optimizer_;
  WeightAverage average_;
  std::optional<SupernetImpl> teacher_;  // from the end of the warm-up on, where the method needs one
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
  float* images = batch.images.data_ptr<float>();
  fill_batch(set, indices, augment, rng, images, batch.labels.data_ptr<int64_t>());
  const Mixing mixing =
      mix_images(augment, rng.fork("mixing"),
                 {static_cast<int64_t>(indices.size()), set.height, set.width, set.channels}, images);
  batch.share = mixing.share;
  if (mixing.share < 1.0)
    batch.partner_labels = batch.labels.index_select(0, at::tensor(mixing.partners, at::kLong));
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
