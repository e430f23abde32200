// Mixup and CutMix: images of a batch are mixed in pairs, and so are their labels.
#pragma once

#include <cstdint>
#include <vector>

#include "data/batch.h"

namespace tinynas {

// Image i of the batch belongs to its own label by `share`, in [0, 1], and to that of image partners[i] by 1
// - share.
struct Mixing {
  double share = 1.0;
  std::vector<int64_t> partners;  // a permutation; empty where nothing was mixed (share 1)
};

struct BatchShape {
  int64_t images = 0;
  int64_t height = 0;
  int64_t width = 0;
  int64_t channels = 0;
};

// Mixes `images` (floats, NHWC) in place, by augment.mixup and augment.cutmix; the share is one for the whole
// batch. Depends on `rng` and the arguments alone.
Mixing mix_images(const AugmentOptions& augment, const Rng& rng, const BatchShape& shape, float* images);

// image i := share * image i + (1 - share) * image partners[i] (Zhang et al. 2017, arXiv 1710.09412, section
// 2).
void mixup(const Mixing& mixing, const BatchShape& shape, float* images);

// A box of about (1 - share) of the area, its centre anywhere, comes from the partner at the same place (Yun
// et al. 2019, arXiv 1905.04899, section 3.1). Returns the share that is left: boxes are cut at the border.
double cutmix(const Mixing& mixing, const BatchShape& shape, Rng rng, float* images);

// A draw from Beta(alpha, alpha), alpha in (0, 1].
double draw_beta(double alpha, Rng& rng);

}  // namespace tinynas
