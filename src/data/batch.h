// Batches for training: pixels to floats, with augmentation, deterministic for one RNG.
#pragma once

#include <cstdint>
#include <vector>

#include "base/rng.h"
#include "data/dataset.h"

namespace tinynas {

// Normalisation that a device can do without arithmetic: real = (pixel - 128) / 64, so that the int8 input of
// the firmware is pixel - 128 exactly (scale 1/64, zero point 0) and SAME padding is mid-grey.
inline constexpr float kInputScale = 1.0f / 64.0f;
inline constexpr int kInputZeroPoint = 0;
inline constexpr int kPixelOffset = 128;

struct AugmentOptions {
  // Random crop from the image padded by this fraction of its side (CIFAR: 4 pixels of 32); 0 = off.
  double crop_padding = 0.125;
  bool flip = true;          // horizontal, probability 1/2; wrong for digits
  double cutout = 0.0;       // side of a square set to mid-grey, as a fraction of the image side; 0 = off
  double mixup = 0.0;        // data/mixing.h: alpha of the Beta distribution, at most 1; 0 = off
  double cutmix = 0.0;       // the same; with both on, each batch gets one of them, by a fair coin
  double randaugment = 0.0;  // data/randaugment.h: magnitude of its two operations, 0 = off to 10

  void check() const;
};

// Writes the images `indices` of `set`, augmented, to `out`: floats NHWC [n][h][w][c], normalised as above;
// and their labels to `labels` [n]. (Mixing comes after it: mix_images().) Depends on `rng` and the arguments
// alone.
void fill_batch(const ImageSet& set, const std::vector<int64_t>& indices, const AugmentOptions& augment,
                const Rng& rng, float* out, int64_t* labels);
// Without augmentation.
void fill_batch(const ImageSet& set, const std::vector<int64_t>& indices, float* out, int64_t* labels);

}  // namespace tinynas
