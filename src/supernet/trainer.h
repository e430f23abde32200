// The training loop that the supernet, the short training and fine-tuning share.
#pragma once

#include <filesystem>
#include <string>

#include "supernet/supernet.h"
#include "supernet/weights.h"

namespace tinynas {

// Trains `weights` in place: see train_supernet(). `label` names the work in progress bars and metrics
// ("train").
void train_weights(SupernetImpl& weights, const std::string& label, const ImageSet& train,
                   const TrainOptions& options, const ArchitectureSampler& sampler,
                   const ComputeOptions& compute, const std::filesystem::path& state_path,
                   MetricsLog& metrics);

// Learning rate of `step`: rises linearly over the first 10 % of the steps to options.learning_rate, then
// falls along a half cosine to 0.
double learning_rate_at(const TrainOptions& options, int64_t step);

// The images `indices` as a batch [n, c, h, w] with channels-last strides, and labels [n], on the CPU.
struct Batch {
  at::Tensor images;
  at::Tensor labels;
  // Mixup and CutMix: image i belongs to labels[i] by `share` and to partner_labels[i] by the rest. Share 1:
  // not mixed.
  at::Tensor partner_labels;
  double share = 1.0;
};
Batch make_batch(const ImageSet& set, const std::vector<int64_t>& indices);
Batch make_batch(const ImageSet& set, const std::vector<int64_t>& indices, const AugmentOptions& augment,
                 const Rng& rng);

}  // namespace tinynas
