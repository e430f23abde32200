// Losses that pull a sub-network's predictions towards a teacher's.
#pragma once

#include <ATen/core/Tensor.h>

#include "supernet/supernet.h"

namespace tinynas {

// How far the student q = softmax(student) is from the teacher p = softmax(teacher), both logits
// [n, classes]: a scalar, the mean over the n images, 0 where they agree; without a temperature. The teacher
// gets no gradient. kKl: KL(p || q) = sum p log(p / q), as in BigNAS (arXiv 2003.11142, section 3.1). kAlpha:
// AlphaNet's adaptive alpha-divergence (arXiv 2102.07954, section 3.3): for each image the larger of D_alpha
// for alpha = -1 and alpha = 1. A low alpha punishes what the student believes and the teacher does not, a
// high one the reverse, and KL (alpha = 1) alone sees only the second. At alpha = -1 the powers of p / q are
// bounded by 5, in the value and in the gradient, so that a single class cannot make the gradient explode.
at::Tensor distillation_loss(Distillation kind, const at::Tensor& student, const at::Tensor& teacher);

// D_alpha(p || q) = 1 / (alpha (alpha - 1)) * sum q ((p / q)^alpha - 1) of every image, [n]; alpha = 1 is
// KL(p || q). (p / q)^alpha is bounded by `most`. The gradient is that of section 3.3: of the unbounded
// divergence with the powers bounded in it, so that a bounded class still pulls. Any alpha but 0.
at::Tensor alpha_divergence(const at::Tensor& student, const at::Tensor& teacher, double alpha, double most);

}  // namespace tinynas
