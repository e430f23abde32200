#include "supernet/depthwise.h"

#include <torch/torch.h>

#include <cstring>
#include <vector>

#include "supernet/simd.h"

namespace tinynas {
namespace {

struct Geometry {
  int64_t images, height, width, channels, out_height, out_width, stride, padding;
};

#if defined(__x86_64__)

// One image with its border of zeros, so that the inner loops have no edges. Output row by output row and
// kernel row by kernel row, the `Kernel` sums of 8 channels stay in registers along the row.
template <int Kernel>
TINYNAS_AVX2 void accumulate_image(const float* padded, const float* gradient, const Geometry& g,
                                   float* sums /* [k][k][channels] */) {
  const int64_t padded_row = (g.width + 2 * g.padding) * g.channels;
  for (int64_t oy = 0; oy < g.out_height; ++oy) {
    const float* gradient_row = gradient + oy * g.out_width * g.channels;
    for (int64_t ky = 0; ky < Kernel; ++ky) {
      const float* input_row = padded + (oy * g.stride + ky) * padded_row;
      float* sums_row = sums + ky * Kernel * g.channels;
      for (int64_t c = 0; c < g.channels; c += kLanes) {
        __m256 sum[Kernel];
#pragma GCC unroll 7
        for (int kx = 0; kx < Kernel; ++kx) sum[kx] = _mm256_loadu_ps(sums_row + kx * g.channels + c);
        for (int64_t ox = 0; ox < g.out_width; ++ox) {
          const __m256 gradient_here = _mm256_loadu_ps(gradient_row + ox * g.channels + c);
          const float* input = input_row + ox * g.stride * g.channels + c;
#pragma GCC unroll 7
          for (int kx = 0; kx < Kernel; ++kx) {
            sum[kx] = _mm256_fmadd_ps(gradient_here, _mm256_loadu_ps(input + kx * g.channels), sum[kx]);
          }
        }
#pragma GCC unroll 7
        for (int kx = 0; kx < Kernel; ++kx) _mm256_storeu_ps(sums_row + kx * g.channels + c, sum[kx]);
      }
    }
  }
}

void accumulate(const float* input, const float* gradient, int64_t kernel, const Geometry& g, float* sums) {
  const int64_t padded_row = (g.width + 2 * g.padding) * g.channels;
  std::vector<float> padded(static_cast<size_t>((g.height + 2 * g.padding) * padded_row), 0.0f);
  for (int64_t n = 0; n < g.images; ++n) {
    for (int64_t y = 0; y < g.height; ++y) {
      std::memcpy(padded.data() + (y + g.padding) * padded_row + g.padding * g.channels,
                  input + (n * g.height + y) * g.width * g.channels,
                  static_cast<size_t>(g.width * g.channels) * sizeof(float));
    }
    const float* image_gradient = gradient + n * g.out_height * g.out_width * g.channels;
    if (kernel == 5) {
      accumulate_image<5>(padded.data(), image_gradient, g, sums);
    } else {
      accumulate_image<7>(padded.data(), image_gradient, g, sums);
    }
  }
}

#endif

class DepthwiseFunction : public torch::autograd::Function<DepthwiseFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            const at::Tensor& weight, int64_t stride, int64_t padding) {
    context->save_for_backward({x, weight});
    context->saved_data["stride"] = stride;
    context->saved_data["padding"] = padding;
    return at::conv2d(x, weight, {}, {stride, stride}, {padding, padding}, {1, 1}, x.size(1));
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor& x = saved[0];
    const at::Tensor& weight = saved[1];
    const int64_t stride = context->saved_data["stride"].toInt();
    const int64_t padding = context->saved_data["padding"].toInt();
    const at::Tensor gradient = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    const at::Tensor to_input = std::get<0>(
        at::convolution_backward(gradient, x, weight, at::OptionalIntArrayRef(), {stride, stride},
                                 {padding, padding}, {1, 1}, false, {0, 0}, x.size(1), {true, false, false}));
    const at::Tensor to_weight = depthwise_weight_gradient(x, gradient, weight.size(2), stride, padding);
    return {to_input, to_weight, at::Tensor(), at::Tensor()};
  }
};

}  // namespace

bool can_use_fast_weight_gradient(const at::Tensor& x, int64_t kernel) {
  return processor_has_avx2() && x.device().is_cpu() && x.scalar_type() == at::kFloat &&
         (kernel == 5 || kernel == 7) && x.size(1) % kLanes == 0;
}

at::Tensor depthwise_weight_gradient(const at::Tensor& x, const at::Tensor& gradient, int64_t kernel,
                                     int64_t stride, int64_t padding) {
  const at::Tensor input = x.contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor output_gradient = gradient.contiguous(at::MemoryFormat::ChannelsLast);
  const int64_t channels = x.size(1);
  at::Tensor sums = at::zeros({kernel, kernel, channels}, at::kFloat);
#if defined(__x86_64__)
  const Geometry geometry{x.size(0),        x.size(2),        x.size(3), channels,
                          gradient.size(2), gradient.size(3), stride,    padding};
  accumulate(input.data_ptr<float>(), output_gradient.data_ptr<float>(), kernel, geometry,
             sums.data_ptr<float>());
#endif
  return sums.permute({2, 0, 1}).unsqueeze(1).contiguous();
}

at::Tensor depthwise_conv2d(const at::Tensor& x, const at::Tensor& weight, int64_t stride, int64_t padding) {
  if (can_use_fast_weight_gradient(x, weight.size(2)) && weight.requires_grad()) {
    return DepthwiseFunction::apply(x, weight, stride, padding);
  }
  return at::conv2d(x, weight, {}, {stride, stride}, {padding, padding}, {1, 1}, x.size(1));
}

}  // namespace tinynas
