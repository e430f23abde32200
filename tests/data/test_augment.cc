#include <algorithm>
#include <cmath>
#include <set>

#include "data/batch.h"
#include "fixtures.h"

using namespace tinynas;
using namespace tinynas::fixtures;

namespace {

struct Batch {
  std::vector<float> images;
  std::vector<int64_t> labels;
  bool operator==(const Batch&) const = default;
};

Batch fill(const ImageSet& set, const std::vector<int64_t>& indices, const AugmentOptions& augment,
           const Rng& rng) {
  Batch batch{std::vector<float>(indices.size() * static_cast<size_t>(set.image_bytes()), -99.0f),
              std::vector<int64_t>(indices.size(), -1)};
  fill_batch(set, indices, augment, rng, batch.images.data(), batch.labels.data());
  return batch;
}

Batch fill(const ImageSet& set, const std::vector<int64_t>& indices) {
  Batch batch{std::vector<float>(indices.size() * static_cast<size_t>(set.image_bytes()), -99.0f),
              std::vector<int64_t>(indices.size(), -1)};
  fill_batch(set, indices, batch.images.data(), batch.labels.data());
  return batch;
}

constexpr AugmentOptions kNone{.crop_padding = 0, .flip = false, .cutout = 0};
constexpr AugmentOptions kAll{.crop_padding = 0.25, .flip = true, .cutout = 0.5};

// The image shifted by (dy, dx), mid-grey moving in, and mirrored: written as the definition, pixel by pixel.
std::vector<float> expected(const ImageSet& set, int64_t index, int dy, int dx, bool flip) {
  std::vector<float> out;
  for (int y = 0; y < set.height; ++y) {
    for (int x = 0; x < set.width; ++x) {
      const int sy = y + dy;
      const int sx = (flip ? set.width - 1 - x : x) + dx;
      for (int c = 0; c < set.channels; ++c) {
        const bool inside = sy >= 0 && sy < set.height && sx >= 0 && sx < set.width;
        const int pixel = inside ? set.image(index)[(sy * set.width + sx) * set.channels + c] : kPixelOffset;
        out.push_back((static_cast<float>(pixel) - 128.0f) / 64.0f);
      }
    }
  }
  return out;
}

}  // namespace

TEST_CASE("without augmentation a batch is (pixel - 128) / 64, as the firmware's input scale says") {
  for (const int channels : {1, 2, 3}) {
    const ImageSet set = random_images(5, 6, 7, channels, 3, 1);
    const std::vector<int64_t> indices = {4, 0, 0, 2};
    const Batch batch = fill(set, indices);
    for (size_t i = 0; i < indices.size(); ++i) {
      CHECK(batch.labels[i] == set.labels[static_cast<size_t>(indices[i])]);
      for (int64_t p = 0; p < set.image_bytes(); ++p) {
        const float value = batch.images[i * static_cast<size_t>(set.image_bytes()) + static_cast<size_t>(p)];
        const int pixel = set.image(indices[i])[p];
        REQUIRE(value == (static_cast<float>(pixel) - 128.0f) / 64.0f);
        // What the device does: int8 = pixel - 128, real = scale * (int8 - zero point).
        REQUIRE(value == kInputScale * static_cast<float>(pixel - 128 - kInputZeroPoint));
      }
    }
    CHECK(fill(set, indices, kNone, Rng(7)) == batch);
  }
}

TEST_CASE("a crop and flip is a shift within the padding, mid-grey moving in, perhaps mirrored") {
  const AugmentOptions crop_and_flip{.crop_padding = 0.25, .flip = true, .cutout = 0};
  for (const int channels : {1, 2, 3}) {
    const ImageSet set = random_images(1, 8, 12, channels, 1, 3);
    const std::vector<int64_t> indices(200, 0);
    const Batch batch = fill(set, indices, crop_and_flip, Rng(5));
    const auto bytes = static_cast<size_t>(set.image_bytes());
    std::set<std::vector<float>> possible;
    for (int dy = -2; dy <= 2; ++dy) {
      for (int dx = -3; dx <= 3; ++dx) {
        for (const bool flip : {false, true}) possible.insert(expected(set, 0, dy, dx, flip));
      }
    }
    REQUIRE(possible.size() == 5 * 7 * 2);
    std::set<std::vector<float>> seen;
    for (size_t i = 0; i < indices.size(); ++i) {
      const std::vector<float> image(batch.images.begin() + static_cast<int64_t>(i * bytes),
                                     batch.images.begin() + static_cast<int64_t>((i + 1) * bytes));
      REQUIRE(possible.count(image) == 1);
      seen.insert(image);
    }
    CHECK(seen.size() > 50);  // of 70 possible, 200 draws
  }
}

TEST_CASE("cutout blanks a rectangle of at most the side asked for and touches nothing else") {
  const AugmentOptions cutout{.crop_padding = 0, .flip = false, .cutout = 0.5};
  ImageSet set = random_images(1, 8, 8, 3, 1, 3);
  for (uint8_t& pixel : set.pixels) pixel = pixel == 128 ? 129 : pixel;
  const std::vector<int64_t> indices(100, 0);
  const Batch plain = fill(set, indices);
  const Batch cut = fill(set, indices, cutout, Rng(5));
  size_t largest = 0;
  for (size_t i = 0; i < indices.size(); ++i) {
    int top = 8, bottom = -1, left = 8, right = -1;
    size_t blank = 0;
    for (int y = 0; y < 8; ++y) {
      for (int x = 0; x < 8; ++x) {
        for (int c = 0; c < 3; ++c) {
          const size_t at = i * 192 + static_cast<size_t>((y * 8 + x) * 3 + c);
          if (cut.images[at] == plain.images[at]) continue;
          REQUIRE(cut.images[at] == 0.0f);
          ++blank;
          top = std::min(top, y), bottom = std::max(bottom, y), left = std::min(left, x),
          right = std::max(right, x);
        }
      }
    }
    REQUIRE(blank >= 2 * 2 * 3);  // the centre is inside, so a quarter of the square at least
    REQUIRE(blank == static_cast<size_t>((bottom - top + 1) * (right - left + 1) * 3));
    largest = std::max(largest, blank);
  }
  CHECK(largest == 4 * 4 * 3);
}

TEST_CASE("the same rng gives the same batch, another gives another, and its past does not matter") {
  const ImageSet set = random_images(16, 16, 16, 3, 4, 3);
  std::vector<int64_t> indices;
  for (int64_t i = 0; i < 16; ++i) indices.push_back(15 - i);
  const Batch batch = fill(set, indices, kAll, Rng(1));
  CHECK(fill(set, indices, kAll, Rng(1)) == batch);
  CHECK_FALSE(fill(set, indices, kAll, Rng(2)) == batch);
  Rng used(1);
  for (int i = 0; i < 10; ++i) used.next();
  CHECK(fill(set, indices, kAll, used) == batch);
}

TEST_CASE("augmentation options are checked by name") {
  CHECK_NOTHROW(AugmentOptions{}.check());
  CHECK_NOTHROW(kAll.check());
  for (const AugmentOptions bad : {AugmentOptions{.crop_padding = 0.6}, AugmentOptions{.crop_padding = -0.1},
                                   AugmentOptions{.cutout = 1.5}, AugmentOptions{.cutout = std::nan("")}}) {
    try {
      bad.check();
      FAIL("accepted");
    } catch (const Error& error) {
      CHECK(error.code() == ExitCode::kUsage);
      CHECK_THAT(error.what(), Catch::Matchers::Contains("augment."));
    }
  }
}
