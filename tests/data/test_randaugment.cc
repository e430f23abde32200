#include "data/randaugment.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "data/batch.h"
#include "fixtures.h"

using namespace tinynas;
using namespace tinynas::fixtures;

namespace {

constexpr ImageShape kShape{8, 10, 3};

std::vector<uint8_t> image_of(uint64_t seed) {
  const ImageSet set = random_images(1, kShape.height, kShape.width, kShape.channels, 2, seed);
  return set.pixels;
}

std::vector<uint8_t> after(ImageOperation operation, double strength, std::vector<uint8_t> image,
                           const ImageShape& shape = kShape) {
  apply_operation(operation, strength, shape, image);
  return image;
}

uint8_t at(const std::vector<uint8_t>& image, int y, int x, int c) {
  return image[static_cast<size_t>((y * kShape.width + x) * kShape.channels + c)];
}

}  // namespace

TEST_CASE("at strength 0 every operation but the equalisation changes nothing; at 1 all do") {
  const std::vector<uint8_t> image = image_of(1);
  for (int i = 0; i < kImageOperations; ++i) {
    const auto operation = static_cast<ImageOperation>(i);
    CAPTURE(i);
    if (operation != ImageOperation::kEqualise) CHECK(after(operation, 0, image) == image);
    for (const double strength : {1.0, -1.0}) {
      const std::vector<uint8_t> changed = after(operation, strength, image);
      CHECK(changed.size() == image.size());
      CHECK((changed == image) == (operation == ImageOperation::kIdentity));
    }
  }
}

TEST_CASE("translations and shears move pixels as they say, mid-grey moving in") {
  const std::vector<uint8_t> image = image_of(2);
  const std::vector<uint8_t> moved_x = after(ImageOperation::kTranslateX, 2 / 4.5, image);  // 2 of 10 columns
  const std::vector<uint8_t> moved_y = after(ImageOperation::kTranslateY, -2 / 3.6, image);  // 2 of 8 rows
  const std::vector<uint8_t> sheared = after(ImageOperation::kShearX, 1, image);
  for (int y = 0; y < 8; ++y) {
    const int shift = static_cast<int>(std::lround(0.3 * (y - 3.5)));
    for (int x = 0; x < 10; ++x) {
      for (int c = 0; c < 3; ++c) {
        CHECK(at(moved_x, y, x, c) == (x + 2 < 10 ? at(image, y, x + 2, c) : kPixelOffset));
        CHECK(at(moved_y, y, x, c) == (y - 2 >= 0 ? at(image, y - 2, x, c) : kPixelOffset));
        const bool inside = x + shift >= 0 && x + shift < 10;
        CHECK(at(sheared, y, x, c) == (inside ? at(image, y, x + shift, c) : kPixelOffset));
      }
    }
  }
}

TEST_CASE("rotations to and fro keep the centre") {
  const ImageShape shape{21, 21, 1};
  std::vector<uint8_t> image(21 * 21, 50);
  for (int y = 8; y < 13; ++y) {
    for (int x = 8; x < 13; ++x) image[static_cast<size_t>(y * 21 + x)] = 200;
  }
  const std::vector<uint8_t> turned = after(ImageOperation::kRotate, 1, image, shape);
  CHECK(turned[10 * 21 + 10] == 200);
  CHECK(turned[0] == kPixelOffset);  // the corner came from outside
  const std::vector<uint8_t> back = after(ImageOperation::kRotate, -1, turned, shape);
  for (int y = 9; y < 12; ++y) {
    for (int x = 9; x < 12; ++x) CHECK(back[static_cast<size_t>(y * 21 + x)] == 200);
  }
}

TEST_CASE("operations on values are their definitions") {
  const std::vector<uint8_t> image = image_of(3);
  const std::vector<uint8_t> bright = after(ImageOperation::kBrightness, 0.5, image);
  const std::vector<uint8_t> dark = after(ImageOperation::kBrightness, -1, image);
  const std::vector<uint8_t> coarse = after(ImageOperation::kPosterise, -1, image);
  const std::vector<uint8_t> solar = after(ImageOperation::kSolarise, 0.5, image);
  const std::vector<uint8_t> inverted = after(ImageOperation::kSolarise, 1, image);
  for (size_t i = 0; i < image.size(); ++i) {
    CHECK(std::abs(bright[i] - std::min(255.0, image[i] * 1.45)) <= 0.5 + 1e-9);
    CHECK(std::abs(dark[i] - image[i] * 0.1) <= 0.5 + 1e-9);
    CHECK(coarse[i] == image[i] / 16 * 16);
    CHECK(solar[i] == (image[i] >= 128 ? 255 - image[i] : image[i]));
    CHECK(inverted[i] == 255 - image[i]);
  }
  const std::vector<uint8_t> flat = after(ImageOperation::kContrast, -1, image);
  const auto range = [](const std::vector<uint8_t>& values) {
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    return *high - *low;
  };
  CHECK(range(flat) <= range(image) / 10 + 1);
}

TEST_CASE("equalised channels use the whole range, keep their order, and a flat one stays") {
  std::vector<uint8_t> image = image_of(4);
  for (size_t i = 0; i < image.size(); ++i)
    image[i] = static_cast<uint8_t>(i % 3 == 2 ? 77 : 100 + image[i] / 8);
  const std::vector<uint8_t> equal = after(ImageOperation::kEqualise, 1, image);
  for (size_t c = 0; c < 3; ++c) {
    int low = 255, high = 0;
    for (size_t i = c; i < image.size(); i += 3) {
      low = std::min<int>(low, equal[i]);
      high = std::max<int>(high, equal[i]);
      for (size_t j = c; j < image.size(); j += 3) {
        if (image[i] <= image[j]) CHECK(equal[i] <= equal[j]);
      }
    }
    CHECK(low == (c == 2 ? 77 : 0));
    CHECK(high == (c == 2 ? 77 : 255));
  }
}

TEST_CASE("RandAugment is fixed by its seed and is off at magnitude 0") {
  const std::vector<uint8_t> image = image_of(5);
  std::set<std::vector<uint8_t>> results;
  for (uint64_t seed = 0; seed < 60; ++seed) {
    std::vector<uint8_t> once = image, again = image;
    randaugment(kShape, 7, Rng(seed), once);
    randaugment(kShape, 7, Rng(seed), again);
    CHECK(once == again);
    results.insert(once);
  }
  CHECK(results.size() > 40);

  // In a batch: image by image, before crop and flip, whatever else is in the batch.
  const ImageSet set = random_images(5, 8, 10, 3, 2, 6);
  AugmentOptions augment;
  augment.randaugment = 7;
  const auto batch = [&](const std::vector<int64_t>& indices) {
    std::vector<float> images(indices.size() * 240);
    std::vector<int64_t> labels(indices.size());
    fill_batch(set, indices, augment, Rng(9), images.data(), labels.data());
    return images;
  };
  const std::vector<float> all = batch({0, 1, 2}), first = batch({0});
  CHECK(std::equal(first.begin(), first.end(), all.begin()));
  const std::vector<float> augmented = batch({0, 1, 2, 3, 4});
  augment.randaugment = 0;
  CHECK(batch({0, 1, 2, 3, 4}) != augmented);
  CHECK_NOTHROW(augment.check());
  augment.randaugment = 11;
  CHECK_THROWS_WITH(augment.check(), Catch::Contains("augment.randaugment"));
}
