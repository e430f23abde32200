#include "supernet/distillation.h"

#include <torch/torch.h>

#include <limits>

namespace tinynas {
namespace {

constexpr double kAlphaMin = -1.0;
constexpr double kAlphaMax = 1.0;
constexpr double kMostRatio = 5.0;  // the paper's beta

}  // namespace

at::Tensor alpha_divergence(const at::Tensor& student, const at::Tensor& teacher, double alpha, double most) {
  const at::Tensor log_q = at::log_softmax(student, 1);
  const at::Tensor q = log_q.detach().exp();
  const at::Tensor log_p = at::log_softmax(teacher.detach(), 1);
  const at::Tensor log_ratio = log_p - log_q.detach();
  at::Tensor value;  // D, without a gradient
  at::Tensor pull;   // -dD / d log q, but for a constant, whose gradient sums to 0
  if (alpha == 1.0) {
    const at::Tensor p = log_p.exp();
    value = (p * log_ratio).sum(1);
    pull = p;
  } else {
    const at::Tensor power = (alpha * log_ratio).exp().clamp_max(most);
    value = (q * (power - 1.0)).sum(1) / (alpha * (alpha - 1.0));
    pull = q * power / alpha;
  }
  const at::Tensor surrogate = -(pull * log_q).sum(1);
  return value + (surrogate - surrogate.detach());
}

at::Tensor distillation_loss(Distillation kind, const at::Tensor& student, const at::Tensor& teacher) {
  constexpr double kUnbounded = std::numeric_limits<double>::infinity();
  const at::Tensor right = alpha_divergence(student, teacher, kAlphaMax, kUnbounded);
  if (kind == Distillation::kKl) return right.mean();
  const at::Tensor left = alpha_divergence(student, teacher, kAlphaMin, kMostRatio);
  return at::where(left > right, left, right).mean();
}

}  // namespace tinynas
