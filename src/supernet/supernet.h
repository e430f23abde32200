// The weight-sharing supernet and what is done with it. No torch in this header: other rooms include it.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "data/batch.h"
#include "data/dataset.h"
#include "quantize/float_model.h"
#include "search/evaluator.h"
#include "space/architecture.h"

namespace tinynas {

struct SupernetImpl;

// Weights of the largest network of one sub-space; every architecture of it is a slice: central crop of the
// kernel, the most important channels of the expansion, the first blocks of a stage.
class Supernet {
 public:
  Supernet(const SearchSpace& space, const SubSpace& sub_space, int num_classes, uint64_t seed);
  ~Supernet();
  Supernet(Supernet&&) noexcept;

  const SearchSpace& space() const;
  const SubSpace& sub_space() const;
  int num_classes() const;

  // supernet.safetensors, replaced as a whole; `metadata` stands in the file beside what load() needs.
  void save(const std::filesystem::path& path, const std::map<std::string, std::string>& metadata = {}) const;
  // Throws Error(kData) naming the file and what is missing or wrong in it.
  static Supernet load(const std::filesystem::path& path);
  // Hash of all weights and the network they are of: part of the evaluator's key.
  std::string checkpoint_hash() const;

  SupernetImpl& impl() { return *impl_; }
  const SupernetImpl& impl() const { return *impl_; }

 private:
  explicit Supernet(std::unique_ptr<SupernetImpl> impl);
  std::unique_ptr<SupernetImpl> impl_;
};

struct ComputeOptions {
  int workers = 2;  // threads; each computes with one intra-op thread. Results do not depend on it.
  std::string device = "cpu";  // cpu or cuda
};

// Which networks a step trains: supernet/training_method.h.
enum class TrainMethod { kMcunet, kOfa, kSandwich };
// What a sub-network learns from a larger one: nothing, or its predictions (supernet/distillation.h).
enum class Distillation { kNone, kKl, kAlpha };

struct TrainOptions {
  int64_t steps = 1000;          // in all; budgets are steps, never seconds
  double warmup_fraction = 0.2;  // of the steps: the largest network alone, then channels are sorted
  int batch_size = 64;
  int subnets_per_step = 2;    // sampled architectures a step after the warm-up; gradients are averaged.
                               // The sandwich adds the largest and the smallest.
  double learning_rate = 0.1;  // peak, one cycle: linear rise over 10 % of the steps, cosine to 0
  double momentum = 0.9;       // Nesterov
  double weight_decay = 1e-4;  // convolution and linear weights only
  double label_smoothing = 0.0;
  TrainMethod method = TrainMethod::kMcunet;
  std::optional<Distillation> distillation;  // none given: as the method's paper does
  std::optional<bool> kernel_maps;  // learned maps between kernel sizes; none given: as the paper does
  // Once-for-All: parts of the steps after the warm-up in which only kernels are elastic, then kernels and
  // depths; expansions (channels) join for the rest. 120, 145 and 145 epochs in the paper's code.
  double kernel_phase = 0.3;
  double depth_phase = 0.35;
  double ema = 0.0;  // decay of the weights' moving average, which is what training then ends with; 0 = off
  AugmentOptions augment;
  int64_t checkpoint_every = 200;  // steps between states that --resume goes on from
  uint64_t seed = 1;

  void check() const;
};

// Which architectures training draws: the constraint of the search, so that weights serve networks that can
// win.
using ArchitectureSampler = std::function<Architecture(Rng&)>;

// Trains in place. `state_path` (train.state) is written every checkpoint_every steps, on interruption and at
// the end, and gone on from when it exists and was made by the same options. The caller removes it once the
// result is on disk: a full disk then costs no training. Throws Error(kInterrupted).
void train_supernet(Supernet& supernet, const ImageSet& train, const TrainOptions& options,
                    const ArchitectureSampler& sampler, const ComputeOptions& compute,
                    const std::filesystem::path& state_path, MetricsLog& metrics);

struct RecalibrationOptions {
  int batches = 20;  // batch-norm statistics of a sub-network are averaged over these
  int batch_size = 64;
  int64_t val_images = 0;  // of the validation images, evenly spread; 0 = all

  void check() const;
};

// Accuracy on `val` after recalibrating batch norm on `train`.
class SupernetEvaluator final : public Evaluator {
 public:
  SupernetEvaluator(const Supernet& supernet, const ImageSet& train, const ImageSet& val,
                    std::string split_checksum, const RecalibrationOptions& recalibration,
                    const ComputeOptions& compute);
  ~SupernetEvaluator() override;
  std::vector<double> evaluate(const std::vector<Architecture>& architectures,
                               const std::function<void(size_t, double)>& on_result) override;
  std::string key() const override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

struct FinetuneResult {
  FloatModel model;         // batch norm folded
  double val_accuracy = 0;  // fp32, on the validation images
};

// Trains one architecture alone, starting from its supernet weights. `state_path` as for train_supernet().
FinetuneResult finetune(const Supernet& supernet, const Architecture& architecture, const ImageSet& train,
                        const ImageSet& val, const TrainOptions& options,
                        const RecalibrationOptions& recalibration, const ComputeOptions& compute,
                        const std::filesystem::path& state_path, MetricsLog& metrics);

// The same from random weights, drawn from options.seed: what the ranks of a supernet are judged by.
FinetuneResult train_from_scratch(const SearchSpace& space, const Architecture& architecture, int num_classes,
                                  const ImageSet& train, const ImageSet& val, const TrainOptions& options,
                                  const RecalibrationOptions& recalibration, const ComputeOptions& compute,
                                  const std::filesystem::path& state_path, MetricsLog& metrics);

// fp32 top-1 of a folded model, through torch (the quantiser's run_float is its slow judge).
double float_accuracy(const FloatModel& model, const ImageSet& set, const ComputeOptions& compute);

}  // namespace tinynas
