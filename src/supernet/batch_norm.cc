#include "supernet/batch_norm.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "supernet/simd.h"

namespace tinynas {
namespace {

// Rows (pixels) of a block: its sums are kept in float before they go to double, and it stays in the first
// caches while group after group of 8 channels walks down it.
constexpr int64_t kBlockRows = 64;

// What the clamp does to y = x * scale + shift, per channel.
struct Affine {
  const float* scale;
  const float* shift;
  float low;
  float high;
};

#if defined(__x86_64__)

// Sums of x and of x^2 over the rows of a block, added to `sum` and `square` [channels].
TINYNAS_AVX2 void add_block(const float* x, int64_t rows, int64_t channels, double* sum, double* square) {
  for (int64_t c = 0; c < channels; c += kLanes) {
    __m256 s = _mm256_setzero_ps();
    __m256 q = _mm256_setzero_ps();
    for (int64_t r = 0; r < rows; ++r) {
      const __m256 v = _mm256_loadu_ps(x + r * channels + c);
      s = _mm256_add_ps(s, v);
      q = _mm256_fmadd_ps(v, v, q);
    }
    float lanes[2][kLanes];
    _mm256_storeu_ps(lanes[0], s);
    _mm256_storeu_ps(lanes[1], q);
    for (int64_t i = 0; i < kLanes; ++i) {
      sum[c + i] += static_cast<double>(lanes[0][i]);
      square[c + i] += static_cast<double>(lanes[1][i]);
    }
  }
}

TINYNAS_AVX2 void normalise_rows(const float* x, int64_t rows, int64_t channels, const Affine& affine,
                                 float* out) {
  const __m256 low = _mm256_set1_ps(affine.low);
  const __m256 high = _mm256_set1_ps(affine.high);
  for (int64_t r = 0; r < rows; ++r, x += channels, out += channels) {
    for (int64_t c = 0; c < channels; c += kLanes) {
      const __m256 y = _mm256_fmadd_ps(_mm256_loadu_ps(x + c), _mm256_loadu_ps(affine.scale + c),
                                       _mm256_loadu_ps(affine.shift + c));
      _mm256_storeu_ps(out + c, _mm256_min_ps(_mm256_max_ps(y, low), high));
    }
  }
}

// The gradient where low < y < high, 0 elsewhere.
TINYNAS_AVX2 inline __m256 passed_gradient(__m256 x, __m256 gradient, __m256 scale, __m256 shift, __m256 low,
                                           __m256 high) {
  const __m256 y = _mm256_fmadd_ps(x, scale, shift);
  const __m256 inside = _mm256_and_ps(_mm256_cmp_ps(y, low, _CMP_GT_OQ), _mm256_cmp_ps(y, high, _CMP_LT_OQ));
  return _mm256_and_ps(inside, gradient);
}

// Sums of the passed gradient and of its product with x over the rows of a block.
TINYNAS_AVX2 void add_gradient_block(const float* x, const float* gradient, int64_t rows, int64_t channels,
                                     const Affine& affine, double* sum, double* product) {
  const __m256 low = _mm256_set1_ps(affine.low);
  const __m256 high = _mm256_set1_ps(affine.high);
  for (int64_t c = 0; c < channels; c += kLanes) {
    const __m256 scale = _mm256_loadu_ps(affine.scale + c);
    const __m256 shift = _mm256_loadu_ps(affine.shift + c);
    __m256 s = _mm256_setzero_ps();
    __m256 p = _mm256_setzero_ps();
    for (int64_t r = 0; r < rows; ++r) {
      const __m256 v = _mm256_loadu_ps(x + r * channels + c);
      const __m256 passed =
          passed_gradient(v, _mm256_loadu_ps(gradient + r * channels + c), scale, shift, low, high);
      s = _mm256_add_ps(s, passed);
      p = _mm256_fmadd_ps(passed, v, p);
    }
    float lanes[2][kLanes];
    _mm256_storeu_ps(lanes[0], s);
    _mm256_storeu_ps(lanes[1], p);
    for (int64_t i = 0; i < kLanes; ++i) {
      sum[c + i] += static_cast<double>(lanes[0][i]);
      product[c + i] += static_cast<double>(lanes[1][i]);
    }
  }
}

// out = scale * passed + slope * x + offset
TINYNAS_AVX2 void input_gradient_rows(const float* x, const float* gradient, int64_t rows, int64_t channels,
                                      const Affine& affine, const float* slope, const float* offset,
                                      float* out) {
  const __m256 low = _mm256_set1_ps(affine.low);
  const __m256 high = _mm256_set1_ps(affine.high);
  for (int64_t r = 0; r < rows; ++r, x += channels, gradient += channels, out += channels) {
    for (int64_t c = 0; c < channels; c += kLanes) {
      const __m256 v = _mm256_loadu_ps(x + c);
      const __m256 scale = _mm256_loadu_ps(affine.scale + c);
      const __m256 passed = passed_gradient(v, _mm256_loadu_ps(gradient + c), scale,
                                            _mm256_loadu_ps(affine.shift + c), low, high);
      const __m256 linear = _mm256_fmadd_ps(_mm256_loadu_ps(slope + c), v, _mm256_loadu_ps(offset + c));
      _mm256_storeu_ps(out + c, _mm256_fmadd_ps(scale, passed, linear));
    }
  }
}

// Tensors as [rows][channels]: a channels-last tensor in memory.
struct Rows {
  int64_t rows;
  int64_t channels;
  explicit Rows(const at::Tensor& x) : rows(x.size(0) * x.size(2) * x.size(3)), channels(x.size(1)) {}
};

class BatchNormClamp : public torch::autograd::Function<BatchNormClamp> {
 public:
  static torch::autograd::variable_list forward(torch::autograd::AutogradContext* context,
                                                const at::Tensor& input, const at::Tensor& gamma,
                                                const at::Tensor& beta, double low, double high) {
    const at::Tensor x = input.contiguous(at::MemoryFormat::ChannelsLast);
    const Rows shape(x);
    const size_t channels = static_cast<size_t>(shape.channels);
    const float* values = x.data_ptr<float>();
    std::vector<double> sums(channels);
    std::vector<double> squares(channels);
    for (int64_t first = 0; first < shape.rows; first += kBlockRows) {
      add_block(values + first * shape.channels, std::min(kBlockRows, shape.rows - first), shape.channels,
                sums.data(), squares.data());
    }
    at::Tensor mean = at::empty({shape.channels});
    at::Tensor variance = at::empty({shape.channels});
    at::Tensor scale = at::empty({shape.channels});
    at::Tensor shift = at::empty({shape.channels});
    const at::Tensor dense_gamma = gamma.contiguous();
    const at::Tensor dense_beta = beta.contiguous();
    for (size_t c = 0; c < channels; ++c) {
      const double m = sums[c] / static_cast<double>(shape.rows);
      const double v = std::max(0.0, squares[c] / static_cast<double>(shape.rows) - m * m);
      const double s = dense_gamma.data_ptr<float>()[c] / std::sqrt(v + kBatchNormEpsilon);
      mean.data_ptr<float>()[c] = static_cast<float>(m);
      variance.data_ptr<float>()[c] = static_cast<float>(v);
      scale.data_ptr<float>()[c] = static_cast<float>(s);
      shift.data_ptr<float>()[c] = static_cast<float>(dense_beta.data_ptr<float>()[c] - m * s);
    }
    at::Tensor out = at::empty_like(x);
    const Affine affine{scale.data_ptr<float>(), shift.data_ptr<float>(), static_cast<float>(low),
                        static_cast<float>(high)};
    normalise_rows(values, shape.rows, shape.channels, affine, out.data_ptr<float>());
    context->save_for_backward({x, mean, variance, scale, shift});
    context->saved_data["low"] = low;
    context->saved_data["high"] = high;
    context->mark_non_differentiable({mean, variance});
    return {out, mean, variance};
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor& x = saved[0];
    const float* mean = saved[1].data_ptr<float>();
    const float* variance = saved[2].data_ptr<float>();
    const float* scale = saved[3].data_ptr<float>();
    const Affine affine{scale, saved[4].data_ptr<float>(),
                        static_cast<float>(context->saved_data["low"].toDouble()),
                        static_cast<float>(context->saved_data["high"].toDouble())};
    const at::Tensor gradient = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    const Rows shape(x);
    const size_t channels = static_cast<size_t>(shape.channels);
    const float* values = x.data_ptr<float>();
    const float* gradient_values = gradient.data_ptr<float>();
    std::vector<double> sums(channels);
    std::vector<double> products(channels);
    for (int64_t first = 0; first < shape.rows; first += kBlockRows) {
      add_gradient_block(values + first * shape.channels, gradient_values + first * shape.channels,
                         std::min(kBlockRows, shape.rows - first), shape.channels, affine, sums.data(),
                         products.data());
    }
    // With dy the passed gradient, xhat = (x - mean) / d and n rows:
    // dgamma = sum dy xhat, dbeta = sum dy, dx = scale (dy - dbeta / n - xhat dgamma / n)   (Ioffe and
    // Szegedy 2015, section 3).
    at::Tensor to_gamma = at::empty({shape.channels});
    at::Tensor to_beta = at::empty({shape.channels});
    std::vector<float> slope(channels);
    std::vector<float> offset(channels);
    const double n = static_cast<double>(shape.rows);
    for (size_t c = 0; c < channels; ++c) {
      const double deviation = std::sqrt(static_cast<double>(variance[c]) + kBatchNormEpsilon);
      const double gamma_gradient = (products[c] - sums[c] * mean[c]) / deviation;
      to_gamma.data_ptr<float>()[c] = static_cast<float>(gamma_gradient);
      to_beta.data_ptr<float>()[c] = static_cast<float>(sums[c]);
      const double per_x = -scale[c] * gamma_gradient / (n * deviation);
      slope[c] = static_cast<float>(per_x);
      offset[c] = static_cast<float>(-scale[c] * sums[c] / n - per_x * mean[c]);
    }
    at::Tensor to_input = at::empty_like(x);
    input_gradient_rows(values, gradient_values, shape.rows, shape.channels, affine, slope.data(),
                        offset.data(), to_input.data_ptr<float>());
    return {to_input, to_gamma, to_beta, at::Tensor(), at::Tensor()};
  }
};

#endif

}  // namespace

BatchNormResult batch_norm_clamp_reference(const at::Tensor& x, const at::Tensor& gamma,
                                           const at::Tensor& beta, double low, double high) {
  const auto [normalised, mean, inverse_deviation] =
      at::native_batch_norm(x, gamma, beta, {}, {}, /*training=*/true, /*momentum=*/0.0, kBatchNormEpsilon);
  const bool clamps = std::isfinite(low) || std::isfinite(high);
  return {clamps ? at::hardtanh(normalised, low, high) : normalised, mean,
          inverse_deviation.pow(-2) - kBatchNormEpsilon};
}

BatchNormResult batch_norm_clamp(const at::Tensor& x, const at::Tensor& gamma, const at::Tensor& beta,
                                 double low, double high) {
#if defined(__x86_64__)
  if (processor_has_avx2() && x.device().is_cpu() && x.scalar_type() == at::kFloat &&
      x.size(1) % kLanes == 0 && x.is_contiguous(at::MemoryFormat::ChannelsLast)) {
    const auto results = BatchNormClamp::apply(x, gamma, beta, low, high);
    return {results[0], results[1], results[2]};
  }
#endif
  return batch_norm_clamp_reference(x, gamma, beta, low, high);
}

}  // namespace tinynas
