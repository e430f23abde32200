#include <algorithm>

#include "data/dataset.h"
#include "fixtures.h"

using namespace tinynas;
using namespace tinynas::fixtures;

TEST_CASE("the same resolution is the same set") {
  const ImageSet set = random_images(3, 8, 8, 3, 2, 1);
  const ImageSet same = resample(set, 8);
  CHECK(same.pixels == set.pixels);
  CHECK(same.labels == set.labels);
}

TEST_CASE("flat images stay flat and the range of the pixels is kept at every resolution") {
  ImageSet flat = random_images(2, 32, 32, 3, 2, 1);
  std::fill(flat.pixels.begin(), flat.pixels.end(), uint8_t{77});
  const ImageSet noise = random_images(2, 32, 32, 1, 2, 1);
  for (const int resolution : {8, 20, 24, 31, 33, 48, 64}) {
    const ImageSet scaled = resample(flat, resolution);
    CHECK(scaled.pixels == std::vector<uint8_t>(static_cast<size_t>(2 * resolution * resolution * 3), 77));
    const ImageSet scaled_noise = resample(noise, resolution);
    CHECK(scaled_noise.labels == noise.labels);
    const auto [low, high] = std::minmax_element(noise.pixels.begin(), noise.pixels.end());
    for (const uint8_t pixel : scaled_noise.pixels) REQUIRE((pixel >= *low && pixel <= *high));
  }
}

TEST_CASE("every size of images goes to every resolution of a grid, and flat images stay flat") {
  for (int size = 8; size <= 96; ++size) {
    ImageSet flat = random_images(1, size, size, 1, 1, 1);
    std::fill(flat.pixels.begin(), flat.pixels.end(), uint8_t{200});
    for (int resolution = 8; resolution <= 96; resolution += 4) {
      const ImageSet scaled = resample(flat, resolution);
      REQUIRE(std::all_of(scaled.pixels.begin(), scaled.pixels.end(),
                          [](uint8_t pixel) { return pixel == 200; }));
    }
  }
}

TEST_CASE("shrinking is antialiased: a fine chequerboard becomes grey") {
  ImageSet board = random_images(1, 32, 32, 1, 1, 1);
  for (int y = 0; y < 32; ++y) {
    for (int x = 0; x < 32; ++x) board.pixels[static_cast<size_t>(y * 32 + x)] = (x + y) % 2 ? 255 : 0;
  }
  const ImageSet scaled = resample(board, 8);
  // Inside, away from the borders, every output pixel averages whole periods.
  for (int y = 1; y < 7; ++y) {
    for (int x = 1; x < 7; ++x) {
      const int pixel = scaled.pixels[static_cast<size_t>(y * 8 + x)];
      CHECK((pixel == 127 || pixel == 128));
    }
  }
}

// The filter is pinned: a change of library or filter would change every accuracy measured on resampled
// images.
TEST_CASE("halving a ramp is the triangle filter of width two") {
  ImageSet ramp = random_images(1, 8, 8, 1, 1, 1);
  for (int y = 0; y < 8; ++y) {
    for (int x = 0; x < 8; ++x) ramp.pixels[static_cast<size_t>(y * 8 + x)] = static_cast<uint8_t>(x * x * 4);
  }
  const ImageSet half = resample(ramp, 4);
  // Output x is centred between inputs 2x and 2x+1, weights 1 3 3 1 over eight.
  for (int x = 1; x < 3; ++x) {
    const auto at = [&](int i) { return 4.0 * i * i; };
    const double expected = (at(2 * x - 1) + 3 * at(2 * x) + 3 * at(2 * x + 1) + at(2 * x + 2)) / 8;
    CHECK(half.pixels[static_cast<size_t>(4 + x)] == Approx(expected).margin(0.51));
  }
}

TEST_CASE("an image that is not square becomes square, channels stay apart") {
  ImageSet set = random_images(1, 10, 20, 3, 1, 1);
  for (size_t i = 0; i < set.pixels.size(); ++i) set.pixels[i] = static_cast<uint8_t>(50 * (i % 3));
  const ImageSet scaled = resample(set, 12);
  REQUIRE(scaled.pixels.size() == 12 * 12 * 3);
  for (size_t i = 0; i < scaled.pixels.size(); ++i) REQUIRE(scaled.pixels[i] == 50 * (i % 3));
}
