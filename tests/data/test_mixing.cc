#include "data/mixing.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "fixtures.h"

using namespace tinynas;
using namespace tinynas::fixtures;

namespace {

constexpr BatchShape kShape{6, 8, 10, 3};
constexpr int64_t kImage = 8 * 10 * 3;

std::vector<float> batch(uint64_t seed) {
  Rng rng(seed);
  std::vector<float> images(6 * kImage);
  for (float& value : images) value = static_cast<float>(rng.normal());
  return images;
}

const std::vector<int64_t> kPartners = {3, 2, 0, 5, 4, 1};

}  // namespace

TEST_CASE("mixup blends each image with its partner; a share of 1 is no mixup, of 0 the partner") {
  const std::vector<float> before = batch(1);
  for (const double share : {1.0, 0.75, 0.0}) {
    std::vector<float> images = before;
    mixup({share, kPartners}, kShape, images.data());
    if (share == 1.0) CHECK(images == before);
    for (size_t i = 0; i < 6; ++i) {
      for (size_t p = 0; p < kImage; ++p) {
        const double expected = share * before[i * kImage + p] +
                                (1 - share) * before[static_cast<size_t>(kPartners[i]) * kImage + p];
        CHECK(images[i * kImage + p] == Approx(expected).margin(1e-6));
      }
    }
  }
}

TEST_CASE("CutMix takes a box from the partner, and its share counts the pixels") {
  const std::vector<float> before = batch(2);
  std::set<double> shares;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    const double asked = 0.025 * static_cast<double>(seed + 1);
    std::vector<float> images = before;
    const double share = cutmix({asked, kPartners}, kShape, Rng(seed), images.data());
    shares.insert(share);
    CHECK(share >= asked - 0.15);  // boxes are whole pixels, and cut at the border
    CHECK(share <= 1);
    for (size_t i = 0; i < 6; ++i) {
      int64_t own = 0, top = 8, bottom = -1, left = 10, right = -1;
      for (int64_t pixel = 0; pixel < 80; ++pixel) {
        const size_t at = i * kImage + static_cast<size_t>(pixel) * 3;
        const size_t there = static_cast<size_t>(kPartners[i]) * kImage + static_cast<size_t>(pixel) * 3;
        const bool is_own = images[at] == before[at];
        if (is_own) {
          ++own;
        } else {
          CHECK((images[at] == before[there] && images[at + 2] == before[there + 2]));
          top = std::min(top, pixel / 10), bottom = std::max(bottom, pixel / 10);
          left = std::min(left, pixel % 10), right = std::max(right, pixel % 10);
        }
      }
      if (kPartners[i] == static_cast<int64_t>(i)) continue;  // with itself: nothing to see
      CHECK(static_cast<double>(own) / 80.0 == Approx(share));
      if (own < 80) CHECK((bottom - top + 1) * (right - left + 1) == 80 - own);  // a rectangle
    }
  }
  CHECK(shares.size() > 10);
  std::vector<float> images = before;
  CHECK(cutmix({1.0, kPartners}, kShape, Rng(1), images.data()) == 1.0);
  CHECK(images == before);
}

TEST_CASE("Beta(alpha, alpha) has its mean and variance") {
  for (const double alpha : {0.05, 0.2, 1.0}) {
    Rng rng(5);
    const int draws = 20000;
    double sum = 0, squares = 0;
    for (int i = 0; i < draws; ++i) {
      const double value = draw_beta(alpha, rng);
      REQUIRE((value >= 0 && value <= 1));
      sum += value;
      squares += value * value;
    }
    const double mean = sum / draws;
    CHECK(mean == Approx(0.5).margin(0.015));
    CHECK(squares / draws - mean * mean == Approx(1 / (4 * (2 * alpha + 1))).margin(0.005));
  }
}

TEST_CASE("mixing is off by default, fixed by its seed, and both kinds happen where both are on") {
  const std::vector<float> before = batch(3);
  std::vector<float> images = before;
  AugmentOptions augment;
  Mixing mixing = mix_images(augment, Rng(1), kShape, images.data());
  CHECK(mixing.share == 1);
  CHECK(mixing.partners.empty());
  CHECK(images == before);
  augment.mixup = 0.8;
  augment.cutmix = 1;
  int cut = 0;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    std::vector<float> once = before, again = before;
    mixing = mix_images(augment, Rng(seed), kShape, once.data());
    CHECK(mix_images(augment, Rng(seed), kShape, again.data()).share == mixing.share);
    CHECK(once == again);
    std::vector<int64_t> sorted = mixing.partners;
    std::sort(sorted.begin(), sorted.end());
    CHECK(sorted == std::vector<int64_t>{0, 1, 2, 3, 4, 5});
    const bool copied = std::all_of(once.begin(), once.end(), [&](float value) {
      return std::find(before.begin(), before.end(), value) != before.end();
    });
    cut += copied ? 1 : 0;
  }
  CHECK(cut > 8);
  CHECK(cut < 32);
}
