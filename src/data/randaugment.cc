#include "data/randaugment.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>

#include "data/batch.h"

namespace tinynas {
namespace {

constexpr double kMostTranslation = 0.45;
constexpr double kMostShear = 0.3;
constexpr double kMostDegrees = 30;
constexpr double kMostFactor = 0.9;
constexpr double kMostBits = 4;
constexpr double kLevels = 256;

using Table = std::array<uint8_t, 256>;

uint8_t to_pixel(double value) { return static_cast<uint8_t>(std::lround(std::clamp(value, 0.0, 255.0))); }

template <typename F>
Table table_of(F value) {
  Table table{};
  for (size_t v = 0; v < table.size(); ++v) table[v] = value(static_cast<int>(v));
  return table;
}

void look_up(const Table& table, std::vector<uint8_t>& image) {
  for (uint8_t& value : image) value = table[value];
}

// Output (x, y), measured from the centre, shows the source's nearest (a x + b y + c, d x + e y + f).
struct Affine {
  double a = 1, b = 0, c = 0;
  double d = 0, e = 1, f = 0;
};

void warp(const Affine& map, const ImageShape& shape, std::vector<uint8_t>& image) {
  const std::vector<uint8_t> source = image;
  const double centre_x = 0.5 * (shape.width - 1), centre_y = 0.5 * (shape.height - 1);
  for (int row = 0; row < shape.height; ++row) {
    for (int column = 0; column < shape.width; ++column) {
      const double x = column - centre_x, y = row - centre_y;
      const long from_x = std::lround(map.a * x + map.b * y + map.c + centre_x);
      const long from_y = std::lround(map.d * x + map.e * y + map.f + centre_y);
      uint8_t* to = image.data() + (int64_t{row} * shape.width + column) * shape.channels;
      if (from_x < 0 || from_x >= shape.width || from_y < 0 || from_y >= shape.height) {
        std::fill(to, to + shape.channels, static_cast<uint8_t>(kPixelOffset));
      } else {
        const uint8_t* from = source.data() + (from_y * shape.width + from_x) * shape.channels;
        std::copy(from, from + shape.channels, to);
      }
    }
  }
}

Affine rotation(double degrees) {
  const double angle = degrees * std::numbers::pi / 180.0;
  return {std::cos(angle), std::sin(angle), 0, -std::sin(angle), std::cos(angle), 0};
}

void change_contrast(double factor, std::vector<uint8_t>& image) {
  const double mean = static_cast<double>(std::accumulate(image.begin(), image.end(), int64_t{0})) /
                      static_cast<double>(image.size());
  look_up(table_of([&](int v) { return to_pixel(mean + factor * (v - mean)); }), image);
}

// The cumulative histogram of every channel, stretched to 0 .. 255.
void equalise(const ImageShape& shape, std::vector<uint8_t>& image) {
  const size_t step = static_cast<size_t>(shape.channels);
  const int64_t pixels = int64_t{shape.height} * shape.width;
  for (size_t channel = 0; channel < step; ++channel) {
    std::array<int64_t, 256> count{};
    for (size_t i = channel; i < image.size(); i += step) ++count[image[i]];
    const int64_t lowest = *std::find_if(count.begin(), count.end(), [](int64_t n) { return n > 0; });
    if (lowest == pixels) continue;  // one value: nothing to stretch
    int64_t below_or_at = 0;
    const Table table = table_of([&](int v) {
      below_or_at += count[static_cast<size_t>(v)];
      return to_pixel(255.0 * static_cast<double>(below_or_at - lowest) /
                      static_cast<double>(pixels - lowest));
    });
    for (size_t i = channel; i < image.size(); i += step) image[i] = table[image[i]];
  }
}

}  // namespace

void apply_operation(ImageOperation operation, double strength, const ImageShape& shape,
                     std::vector<uint8_t>& image) {
  const double amount = std::abs(strength);
  switch (operation) {
    case ImageOperation::kIdentity:
      return;
    case ImageOperation::kTranslateX:
      return warp({.c = std::round(strength * kMostTranslation * shape.width)}, shape, image);
    case ImageOperation::kTranslateY:
      return warp({.f = std::round(strength * kMostTranslation * shape.height)}, shape, image);
    case ImageOperation::kShearX:
      return warp({.b = strength * kMostShear}, shape, image);
    case ImageOperation::kShearY:
      return warp({.d = strength * kMostShear}, shape, image);
    case ImageOperation::kRotate:
      return warp(rotation(strength * kMostDegrees), shape, image);
    case ImageOperation::kBrightness:
      return look_up(table_of([&](int v) { return to_pixel(v * (1 + strength * kMostFactor)); }), image);
    case ImageOperation::kContrast:
      return change_contrast(1 + strength * kMostFactor, image);
    case ImageOperation::kPosterise: {
      const int lost = static_cast<int>(std::lround(amount * kMostBits));
      return look_up(table_of([&](int v) { return static_cast<uint8_t>((v >> lost) << lost); }), image);
    }
    case ImageOperation::kSolarise: {
      const double threshold = kLevels * (1 - amount);
      return look_up(table_of([&](int v) { return static_cast<uint8_t>(v >= threshold ? 255 - v : v); }),
                     image);
    }
    case ImageOperation::kEqualise:
      return equalise(shape, image);
  }
}

void randaugment(const ImageShape& shape, double magnitude, Rng rng, std::vector<uint8_t>& image) {
  for (int i = 0; i < kRandAugmentOperations; ++i) {
    const auto operation = static_cast<ImageOperation>(rng.below(kImageOperations));
    const double strength = magnitude / kMostMagnitude * (rng.chance(0.5) ? 1 : -1);
    apply_operation(operation, strength, shape, image);
  }
}

}  // namespace tinynas
