// Seeded, stratified choices of images.
#pragma once

#include <cstdint>
#include <vector>

#include "base/rng.h"
#include "data/dataset.h"

namespace tinynas {

struct Split {
  std::vector<int64_t> rest;    // ascending
  std::vector<int64_t> chosen;  // ascending
};

// Chooses `count` of the images so that each class keeps its share (largest remainder, ties to the lower
// class), at random within a class. count in [0, labels.size()].
Split stratified_choice(const std::vector<int32_t>& labels, int64_t count, const Rng& rng);

// The images `indices` of `set`, in that order.
ImageSet take(const ImageSet& set, const std::vector<int64_t>& indices);

}  // namespace tinynas
