// Depthwise convolution with a fast gradient of the weights.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace tinynas {

// at::conv2d(x, weight, {}, {stride, stride}, {padding, padding}, {1, 1}, groups = c) for x [n, c, h, w] and
// weight [c, 1, k, k], differentiable. oneDNN's gradient of depthwise weights runs at a tenth of its forward
// speed for kernels above 3x3 (6-9 against 50 GFLOP/s, oneDNN 2.6, AVX2) and is half of a training step;
// where it is the slow one the gradient is computed here instead. The two agree to rounding.
at::Tensor depthwise_conv2d(const at::Tensor& x, const at::Tensor& weight, int64_t stride, int64_t padding);

// Gradient of the weights [c, 1, k, k] of the convolution above; `x` and `gradient` (of the output) float32,
// channels last, on the CPU. Requires can_use_fast_weight_gradient().
at::Tensor depthwise_weight_gradient(const at::Tensor& x, const at::Tensor& gradient, int64_t kernel,
                                     int64_t stride, int64_t padding);

// Kernel 5 or 7, channels a multiple of 8, CPU tensors, a processor with AVX2 and FMA.
bool can_use_fast_weight_gradient(const at::Tensor& x, int64_t kernel);

}  // namespace tinynas
