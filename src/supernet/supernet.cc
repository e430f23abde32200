#include "supernet/supernet.h"

#include <cmath>

#include "base/error.h"
#include "base/hash.h"
#include "quantize/safetensors.h"
#include "supernet/trainer.h"
#include "supernet/training_method.h"
#include "supernet/weights.h"

namespace tinynas {

Supernet::Supernet(const SearchSpace& space, const SubSpace& sub_space, int num_classes, uint64_t seed)
    : impl_(std::make_unique<SupernetImpl>(space, largest(space, sub_space), num_classes, seed)) {}
Supernet::Supernet(std::unique_ptr<SupernetImpl> impl) : impl_(std::move(impl)) {}
Supernet::~Supernet() = default;
Supernet::Supernet(Supernet&&) noexcept = default;

const SearchSpace& Supernet::space() const { return impl_->space; }
const SubSpace& Supernet::sub_space() const { return impl_->layout.sub_space; }
int Supernet::num_classes() const { return impl_->num_classes; }

void Supernet::save(const std::filesystem::path& path,
                    const std::map<std::string, std::string>& metadata) const {
  Safetensors file = impl_->to_safetensors();
  file.metadata.insert(metadata.begin(), metadata.end());
  save_safetensors(file, path);
}

Supernet Supernet::load(const std::filesystem::path& path) {
  return Supernet(
      std::make_unique<SupernetImpl>(SupernetImpl::from_safetensors(load_safetensors(path), path.string())));
}

std::string Supernet::checkpoint_hash() const {
  const Safetensors file = impl_->to_safetensors();
  Hasher hasher;
  for (const auto& [key, value] : file.metadata) hasher.add(key).add(value);
  for (const auto& [name, tensor] : file.tensors)
    hasher.add(name).add(tensor.bytes.data(), tensor.bytes.size());
  return hasher.hex();
}

void train_supernet(Supernet& supernet, const ImageSet& train, const TrainOptions& options,
                    const ArchitectureSampler& sampler, const ComputeOptions& compute,
                    const std::filesystem::path& state_path, MetricsLog& metrics) {
  train_weights(supernet.impl(), "train", train, options, sampler, compute, state_path, metrics);
}

void TrainOptions::check() const {
  const auto require = [](bool ok, const std::string& field, const std::string& expected) {
    if (!ok) throw usage_error("training: " + field + " is out of range: expected " + expected);
  };
  require(steps >= 1, "steps", "at least 1");
  require(warmup_fraction >= 0 && warmup_fraction <= 1, "warmup_fraction", "0 to 1");
  require(batch_size >= 2, "batch_size", "at least 2 (batch norm needs two images)");
  require(subnets_per_step >= 1, "subnets_per_step", "at least 1");
  require(learning_rate > 0, "learning_rate", "above 0");
  require(momentum > 0 && momentum < 1, "momentum", "above 0 and below 1 (Nesterov)");
  require(weight_decay >= 0, "weight_decay", "0 or more");
  require(label_smoothing >= 0 && label_smoothing < 1, "label_smoothing", "0 to below 1");
  require(kernel_phase >= 0 && kernel_phase <= 1, "kernel_phase", "0 to 1");
  require(depth_phase >= 0 && kernel_phase + depth_phase <= 1, "depth_phase", "0 to 1 - kernel_phase");
  require(ema >= 0 && ema < 1, "ema", "0 to below 1");
  const bool frozen_teacher =
      method != TrainMethod::kSandwich && distillation_of(*this) != Distillation::kNone;
  require(!frozen_teacher || std::llround(warmup_fraction * static_cast<double>(steps)) >= 1,
          "warmup_fraction",
          "at least a step, for the teacher of the distillation is the largest network as the warm-up "
          "trained it");
  require(checkpoint_every >= 1, "checkpoint_every", "at least 1");
  augment.check();
}

void RecalibrationOptions::check() const {
  if (batches < 1) throw usage_error("recalibration: batches is out of range: expected at least 1");
  if (batch_size < 2) throw usage_error("recalibration: batch_size is out of range: expected at least 2");
  if (val_images < 0)
    throw usage_error("recalibration: val_images is out of range: expected 0 (all) or more");
}

}  // namespace tinynas
