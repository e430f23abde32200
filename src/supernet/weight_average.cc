#include "supernet/weight_average.h"

#include <torch/torch.h>

#include <algorithm>

namespace tinynas {

void WeightAverage::restart(const std::vector<at::Tensor>& parameters) {
  averages_.clear();
  updates_ = 0;
  if (!on()) return;
  for (const at::Tensor& parameter : parameters) averages_.push_back(parameter.detach().clone());
}

void WeightAverage::update(const std::vector<at::Tensor>& parameters) {
  if (!on()) return;
  const torch::NoGradGuard no_grad;
  const double updates = static_cast<double>(++updates_);
  const double decay = std::min(decay_, (1.0 + updates) / (10.0 + updates));
  for (size_t i = 0; i < parameters.size(); ++i) averages_[i].lerp_(parameters[i], 1.0 - decay);
}

void WeightAverage::copy_to(const std::vector<at::Tensor>& parameters) const {
  const torch::NoGradGuard no_grad;
  for (size_t i = 0; i < averages_.size(); ++i) parameters[i].copy_(averages_[i]);
}

void WeightAverage::restore(std::vector<at::Tensor> averages, int64_t updates) {
  averages_ = std::move(averages);
  updates_ = updates;
}

}  // namespace tinynas
