#include "supernet/training_method.h"

#include "supernet/progressive_shrinking.h"

namespace tinynas {
namespace {

std::vector<Architecture> draw(const ArchitectureSampler& sampler, int count, const Rng& rng) {
  std::vector<Architecture> drawn;
  for (int i = 0; i < count; ++i) {
    Rng sampling = rng.fork("architecture").fork(static_cast<uint64_t>(i));
    drawn.push_back(sampler(sampling));
  }
  return drawn;
}

// Sampled networks, each on a batch of its own, with or without a frozen teacher.
class Sampled : public TrainingMethod {
 public:
  Sampled(const TrainOptions& options, const ArchitectureSampler& sampler)
      : subnets_(options.subnets_per_step),
        taught_(distillation_of(options) != Distillation::kNone),
        sampler_(sampler) {}

  int batches_per_step() const override { return subnets_; }
  bool needs_frozen_teacher() const override { return taught_; }

  std::vector<TrainingTask> tasks(double /*progress*/, const Rng& rng) const override {
    std::vector<TrainingTask> tasks;
    for (Architecture& drawn : draw(sampler_, subnets_, rng)) {
      TrainingTask task{.architecture = std::move(drawn), .batch = static_cast<int>(tasks.size())};
      if (taught_) {
        task.teacher = Teacher::kFrozen;
        task.teacher_weight = 1;
      }
      tasks.push_back(std::move(task));
    }
    return tasks;
  }

 private:
  const int subnets_;
  const bool taught_;
  const ArchitectureSampler& sampler_;
};

class ProgressiveShrinking final : public Sampled {
 public:
  ProgressiveShrinking(const TrainOptions& options, const SearchSpace& space, const Architecture& layout,
                       const ArchitectureSampler& sampler)
      : Sampled(options, sampler),
        space_(space),
        layout_(layout),
        kernel_end_(options.kernel_phase),
        depth_end_(options.kernel_phase + options.depth_phase) {}

  std::vector<TrainingTask> tasks(double progress, const Rng& rng) const override {
    std::vector<TrainingTask> tasks = Sampled::tasks(progress, rng);
    const ShrinkingPhase phase = shrinking_phase(progress, kernel_end_, depth_end_);
    for (size_t i = 0; i < tasks.size(); ++i) {
      Rng growing = rng.fork("growth").fork(static_cast<uint64_t>(i));
      tasks[i].architecture = grow_to_phase(space_, layout_, tasks[i].architecture, phase, growing);
    }
    return tasks;
  }

  std::string phase(double progress) const override {
    switch (shrinking_phase(progress, kernel_end_, depth_end_).elastic) {
      case ShrinkingPhase::Elastic::kKernel:
        return "kernel";
      case ShrinkingPhase::Elastic::kDepth:
        return "depth";
      case ShrinkingPhase::Elastic::kExpansion:
        break;
    }
    return "expansion";
  }

 private:
  const SearchSpace& space_;
  const Architecture& layout_;
  const double kernel_end_;
  const double depth_end_;
};

class Sandwich final : public TrainingMethod {
 public:
  Sandwich(const TrainOptions& options, const SearchSpace& space, const Architecture& layout,
           const ArchitectureSampler& sampler)
      : sampled_(options.subnets_per_step),
        taught_(distillation_of(options) != Distillation::kNone),
        largest_(layout),
        smallest_(smallest(space, layout.sub_space)),
        sampler_(sampler) {}

  int batches_per_step() const override { return 1; }
  bool needs_frozen_teacher() const override { return false; }

  std::vector<TrainingTask> tasks(double /*progress*/, const Rng& rng) const override {
    std::vector<Architecture> others = draw(sampler_, sampled_, rng);
    others.insert(others.begin(), smallest_);
    std::vector<TrainingTask> tasks{{.architecture = largest_}};
    for (Architecture& other : others) {
      TrainingTask task{.architecture = std::move(other)};
      if (taught_) {
        task.teacher = Teacher::kInPlace;
        task.label_weight = 0;
        task.teacher_weight = 1;
      }
      tasks.push_back(std::move(task));
    }
    return tasks;
  }

 private:
  const int sampled_;
  const bool taught_;
  const Architecture largest_;
  const Architecture smallest_;
  const ArchitectureSampler& sampler_;
};

}  // namespace

std::unique_ptr<TrainingMethod> make_training_method(const TrainOptions& options, const SearchSpace& space,
                                                     const Architecture& layout,
                                                     const ArchitectureSampler& sampler) {
  switch (options.method) {
    case TrainMethod::kOfa:
      return std::make_unique<ProgressiveShrinking>(options, space, layout, sampler);
    case TrainMethod::kSandwich:
      return std::make_unique<Sandwich>(options, space, layout, sampler);
    case TrainMethod::kMcunet:
      break;
  }
  return std::make_unique<Sampled>(options, sampler);
}

Distillation distillation_of(const TrainOptions& options) {
  return options.distillation.value_or(options.method == TrainMethod::kMcunet ? Distillation::kNone
                                                                              : Distillation::kKl);
}

bool has_kernel_maps(const TrainOptions& options) {
  return options.kernel_maps.value_or(options.method == TrainMethod::kOfa);
}

}  // namespace tinynas
