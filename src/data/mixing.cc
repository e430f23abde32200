#include "data/mixing.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace tinynas {

double draw_beta(double alpha, Rng& rng) {
  // Jöhnk's method, in logarithms, for powers of 1 / alpha underflow.
  while (true) {
    const double x = std::log(1.0 - rng.uniform()) / alpha;
    const double y = std::log(1.0 - rng.uniform()) / alpha;
    const double log_sum = std::max(x, y) + std::log1p(std::exp(-std::abs(x - y)));
    if (log_sum <= 0) return std::exp(x - log_sum);
  }
}

void mixup(const Mixing& mixing, const BatchShape& shape, float* images) {
  const int64_t size = shape.height * shape.width * shape.channels;
  const std::vector<float> before(images, images + shape.images * size);
  const float own = static_cast<float>(mixing.share);
  for (int64_t i = 0; i < shape.images; ++i) {
    const float* partner = before.data() + mixing.partners[static_cast<size_t>(i)] * size;
    float* image = images + i * size;
    for (int64_t p = 0; p < size; ++p) image[p] = own * image[p] + (1.0f - own) * partner[p];
  }
}

double cutmix(const Mixing& mixing, const BatchShape& shape, Rng rng, float* images) {
  const double side = std::sqrt(1.0 - mixing.share);
  const int64_t box_height = std::llround(side * static_cast<double>(shape.height));
  const int64_t box_width = std::llround(side * static_cast<double>(shape.width));
  const int64_t y = rng.below(shape.height) - box_height / 2;
  const int64_t x = rng.below(shape.width) - box_width / 2;
  const int64_t top = std::max<int64_t>(y, 0), bottom = std::min(y + box_height, shape.height);
  const int64_t left = std::max<int64_t>(x, 0), right = std::min(x + box_width, shape.width);
  const int64_t row = shape.width * shape.channels;
  const std::vector<float> before(images, images + shape.images * shape.height * row);
  for (int64_t i = 0; i < shape.images; ++i) {
    for (int64_t line = top; line < bottom; ++line) {
      const int64_t at = line * row + left * shape.channels;
      const float* partner =
          before.data() + mixing.partners[static_cast<size_t>(i)] * shape.height * row + at;
      std::copy(partner, partner + (right - left) * shape.channels, images + i * shape.height * row + at);
    }
  }
  const int64_t taken = (bottom - top) * (right - left);
  return 1.0 - static_cast<double>(taken) / static_cast<double>(shape.height * shape.width);
}

Mixing mix_images(const AugmentOptions& augment, const Rng& rng, const BatchShape& shape, float* images) {
  Mixing mixing;
  if (augment.mixup <= 0 && augment.cutmix <= 0) return mixing;
  Rng drawing = rng.fork("draw");
  const bool both = augment.mixup > 0 && augment.cutmix > 0;
  const bool cut = both ? drawing.chance(0.5) : augment.cutmix > 0;
  mixing.share = draw_beta(cut ? augment.cutmix : augment.mixup, drawing);
  mixing.partners.resize(static_cast<size_t>(shape.images));
  std::iota(mixing.partners.begin(), mixing.partners.end(), int64_t{0});
  drawing.shuffle(mixing.partners);
  if (cut)
    mixing.share = cutmix(mixing, shape, rng.fork("box"), images);
  else
    mixup(mixing, shape, images);
  return mixing;
}

}  // namespace tinynas
