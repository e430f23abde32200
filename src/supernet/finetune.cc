#include <torch/torch.h>

#include "supernet/evaluation.h"
#include "supernet/supernet.h"
#include "supernet/trainer.h"

namespace tinynas {
namespace {

FinetuneResult train_one(SupernetImpl alone, const std::string& label, const ImageSet& train,
                         const ImageSet& val, const TrainOptions& options,
                         const RecalibrationOptions& recalibration, const ComputeOptions& compute,
                         const std::filesystem::path& state_path, MetricsLog& metrics) {
  const Architecture architecture = alone.layout;
  TrainOptions alone_options = options;
  alone_options.warmup_fraction = 0;  // there is nothing to shrink
  train_weights(
      alone, label, train, alone_options, [&](Rng&) { return architecture; }, compute, state_path, metrics);
  const torch::NoGradGuard no_grad;
  const Graph graph = lower(alone.space, architecture, alone.num_classes);
  const FoldedLayers folded =
      fold_batch_norm(alone, graph, recalibrate(alone, graph, train, recalibration, "cpu"));
  FinetuneResult result;
  result.model = to_float_model(folded, graph);
  result.val_accuracy = float_accuracy(result.model, val, compute);
  return result;
}

}  // namespace

FinetuneResult finetune(const Supernet& supernet, const Architecture& architecture, const ImageSet& train,
                        const ImageSet& val, const TrainOptions& options,
                        const RecalibrationOptions& recalibration, const ComputeOptions& compute,
                        const std::filesystem::path& state_path, MetricsLog& metrics) {
  return train_one(supernet.impl().extract(architecture), "finetune", train, val, options, recalibration,
                   compute, state_path, metrics);
}

FinetuneResult train_from_scratch(const SearchSpace& space, const Architecture& architecture, int num_classes,
                                  const ImageSet& train, const ImageSet& val, const TrainOptions& options,
                                  const RecalibrationOptions& recalibration, const ComputeOptions& compute,
                                  const std::filesystem::path& state_path, MetricsLog& metrics) {
  return train_one(SupernetImpl(space, architecture, num_classes, options.seed), "alone", train, val, options,
                   recalibration, compute, state_path, metrics);
}

}  // namespace tinynas
