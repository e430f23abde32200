// Exponential moving average of weights.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace tinynas {

// average = d * average + (1 - d) * weight after every update, with d = min(decay, (1 + t) / (10 + t)) at
// update t = 1, 2, ... since the last restart, so that a short run's average is not its start (TensorFlow's
// ExponentialMovingAverage with num_updates).
class WeightAverage {
 public:
  // `decay` in [0, 1); 0 = off: nothing is kept and copy_to() changes nothing.
  explicit WeightAverage(double decay) : decay_(decay) {}

  bool on() const { return decay_ > 0; }
  void restart(const std::vector<at::Tensor>& parameters);
  void update(const std::vector<at::Tensor>& parameters);
  void copy_to(const std::vector<at::Tensor>& parameters) const;

  // For the training state.
  const std::vector<at::Tensor>& tensors() const { return averages_; }
  int64_t updates() const { return updates_; }
  void restore(std::vector<at::Tensor> averages, int64_t updates);

 private:
  double decay_;
  std::vector<at::Tensor> averages_;
  int64_t updates_ = 0;
};

}  // namespace tinynas
