// Training methods: which networks a step trains on which images, and what each learns from.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "supernet/supernet.h"

namespace tinynas {

enum class Teacher {
  kNone,    // labels alone
  kFrozen,  // the largest network as the warm-up left it, which is not trained any more
  kInPlace  // the step's first task, on the same images; such a task waits for it
};

// One network of a step. Its loss is label_weight * cross entropy + teacher_weight * distillation.
struct TrainingTask {
  Architecture architecture;
  int batch = 0;  // which of the step's batches it sees
  Teacher teacher = Teacher::kNone;
  double label_weight = 1;
  double teacher_weight = 0;
};

// Decides what the steps after the warm-up train; the gradients of a step's tasks are averaged. (The warm-up
// trains the largest network on every batch, whatever the method.) Stateless: a step depends on its arguments
// alone, so that a run goes on anywhere.
class TrainingMethod {
 public:
  virtual ~TrainingMethod() = default;
  // Batches of batch_size images that every step reads; >= 1.
  virtual int batches_per_step() const = 0;
  // `progress` in [0, 1): how much of the steps after the warm-up is behind. Architectures are members of the
  // sub-space. A task that is taught in place is never the first, and sees the first one's batch.
  virtual std::vector<TrainingTask> tasks(double progress, const Rng& rng) const = 0;
  // For the metrics log.
  virtual std::string phase(double /*progress*/) const { return "elastic"; }
  virtual bool needs_frozen_teacher() const = 0;
};

// Of options.method:
// - mcunet: subnets_per_step sampled architectures, each on images of its own (MCUNet, arXiv 2007.10319,
// section 3.1,
//   with 4). With a distillation, from the labels and the frozen teacher alike.
// - ofa: the same under progressive shrinking: kernels, then depths, then expansions become elastic
//   (Once-for-All, arXiv 1908.09791, section 3.3), from the labels and the frozen teacher alike.
// - sandwich: the largest, the smallest and subnets_per_step sampled architectures, all on the same images
//   (US-Nets, arXiv 1903.05134, section 3.2; BigNAS, arXiv 2003.11142, section 3.1). With a distillation the
//   largest learns from the labels and all others from the largest's predictions in the same step alone.
// `layout` is the largest network; both references must outlive the method.
std::unique_ptr<TrainingMethod> make_training_method(const TrainOptions& options, const SearchSpace& space,
                                                     const Architecture& layout,
                                                     const ArchitectureSampler& sampler);

// What options.method's paper does where the options leave it open: mcunet none, ofa and sandwich KL.
Distillation distillation_of(const TrainOptions& options);
// Learned kernel maps: ofa alone.
bool has_kernel_maps(const TrainOptions& options);

}  // namespace tinynas
