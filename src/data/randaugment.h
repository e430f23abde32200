// RandAugment: random operations of one magnitude on uint8 images.
#pragma once

#include <cstdint>
#include <vector>

#include "base/rng.h"

namespace tinynas {

inline constexpr double kMostMagnitude = 10;
inline constexpr int kRandAugmentOperations = 2;  // applied to an image, one after the other

enum class ImageOperation {
  kIdentity,
  kTranslateX,  // by up to 0.45 of the side
  kTranslateY,
  kShearX,  // by up to 0.3 pixels a pixel
  kShearY,
  kRotate,      // by up to 30 degrees about the centre
  kBrightness,  // values times 1 -+ up to 0.9
  kContrast,    // distances from the image's mean grey times 1 -+ up to 0.9
  kPosterise,   // to 8 - up to 4 bits
  kSolarise,    // values from a threshold on, 256 - up to 256, are inverted
  kEqualise     // histograms, channel by channel; knows no magnitude
};
inline constexpr int kImageOperations = static_cast<int>(ImageOperation::kEqualise) + 1;

struct ImageShape {
  int height = 0;
  int width = 0;
  int channels = 0;
};

// Two operations, each drawn from all of them with equal chances, at `magnitude` in [0, 10]; whether one that
// has two directions goes the one way or the other is a fair coin (Cubuk et al. 2019, arXiv 1909.13719,
// section 3). Of its operations, those that make sense for small images: no sharpness, no colour, no
// autocontrast. `image` is HWC; what moves in is mid-grey (128), as everywhere. Depends on `rng` and the
// arguments alone.
void randaugment(const ImageShape& shape, double magnitude, Rng rng, std::vector<uint8_t>& image);

// One operation at `strength` in [-1, 1] of its range above; the sign is the direction, where there are two.
void apply_operation(ImageOperation operation, double strength, const ImageShape& shape,
                     std::vector<uint8_t>& image);

}  // namespace tinynas
