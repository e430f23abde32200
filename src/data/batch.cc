#include "data/batch.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "base/error.h"
#include "data/randaugment.h"

namespace tinynas {
namespace {

// real = (pixel - 128) / 64 for every pixel value: exact, both constants are powers of two.
constexpr std::array<float, 256> kReal = [] {
  std::array<float, 256> table{};
  for (int pixel = 0; pixel < 256; ++pixel) {
    table[static_cast<size_t>(pixel)] = static_cast<float>(pixel - kPixelOffset) * kInputScale;
  }
  return table;
}();

constexpr float kMidGrey = 0.0f;  // the real value of pixel 128

// What happens to one image: it is shifted (mid-grey moves in), mirrored, and a rectangle is blanked.
struct Transform {
  int64_t shift_y = 0;  // output row y shows source row y + shift_y
  int64_t shift_x = 0;
  bool flip = false;
  int64_t cut_top = 0, cut_left = 0, cut_bottom = 0, cut_right = 0;  // half-open, within the image
};

int64_t part_of(double fraction, int side) { return std::llround(fraction * side); }

Transform draw(const ImageSet& set, const AugmentOptions& augment, Rng rng) {
  Transform transform;
  const int64_t pad_y = part_of(augment.crop_padding, set.height);
  const int64_t pad_x = part_of(augment.crop_padding, set.width);
  transform.shift_y = rng.below(2 * pad_y + 1) - pad_y;
  transform.shift_x = rng.below(2 * pad_x + 1) - pad_x;
  transform.flip = rng.chance(0.5) && augment.flip;
  const int64_t cut_height = part_of(augment.cutout, set.height);
  const int64_t cut_width = part_of(augment.cutout, set.width);
  if (cut_height > 0 && cut_width > 0) {
    // The centre is anywhere in the image, so the square may lie partly outside (DeVries and Taylor 2017,
    // section 3).
    const int64_t top = rng.below(set.height) - cut_height / 2;
    const int64_t left = rng.below(set.width) - cut_width / 2;
    transform.cut_top = std::max<int64_t>(top, 0);
    transform.cut_left = std::max<int64_t>(left, 0);
    transform.cut_bottom = std::min<int64_t>(top + cut_height, set.height);
    transform.cut_right = std::min<int64_t>(left + cut_width, set.width);
  }
  return transform;
}

// `channels` is a compile-time constant where it matters: the inner loop is then free of a third counter.
template <int kChannels>
void write_row(const uint8_t* source, int64_t width, int channels, const Transform& transform, float* out) {
  const int64_t step = kChannels > 0 ? kChannels : channels;
  const int64_t first =
      std::max<int64_t>(0, -transform.shift_x);  // output columns [first, last) show the source
  const int64_t last = std::min(width, width - transform.shift_x);
  std::fill(out, out + width * step, kMidGrey);
  if (!transform.flip) {
    for (int64_t i = first * step; i < last * step; ++i) out[i] = kReal[source[i + transform.shift_x * step]];
    return;
  }
  for (int64_t x = first; x < last; ++x) {
    const uint8_t* from = source + (x + transform.shift_x) * step;
    float* to = out + (width - 1 - x) * step;
    for (int64_t c = 0; c < step; ++c) to[c] = kReal[from[c]];
  }
}

void write_image(const ImageSet& set, const uint8_t* source, const Transform& transform, float* out) {
  const int64_t row = int64_t{set.width} * set.channels;
  const auto write = set.channels == 3 ? write_row<3> : set.channels == 1 ? write_row<1> : write_row<0>;
  for (int64_t y = 0; y < set.height; ++y) {
    const int64_t source_y = y + transform.shift_y;
    float* to = out + y * row;
    if (source_y < 0 || source_y >= set.height) {
      std::fill(to, to + row, kMidGrey);
    } else {
      write(source + source_y * row, set.width, set.channels, transform, to);
    }
  }
  for (int64_t y = transform.cut_top; y < transform.cut_bottom; ++y) {
    std::fill(out + y * row + transform.cut_left * set.channels,
              out + y * row + transform.cut_right * set.channels, kMidGrey);
  }
}

void check_fraction(double value, double limit, const char* name) {
  if (value >= 0 && value <= limit) return;
  throw usage_error(std::string(name) + " is " + std::to_string(value) + ", expected between 0 and " +
                    std::to_string(limit));
}

}  // namespace

void AugmentOptions::check() const {
  check_fraction(crop_padding, 0.5, "augment.crop_padding");
  check_fraction(cutout, 1.0, "augment.cutout");
  check_fraction(mixup, 1.0, "augment.mixup");
  check_fraction(cutmix, 1.0, "augment.cutmix");
  check_fraction(randaugment, kMostMagnitude, "augment.randaugment");
}

void fill_batch(const ImageSet& set, const std::vector<int64_t>& indices, const AugmentOptions& augment,
                const Rng& rng, float* out, int64_t* labels) {
  std::vector<uint8_t> changed;
  for (size_t i = 0; i < indices.size(); ++i) {
    const Rng image_rng = rng.fork(i);
    const uint8_t* source = set.image(indices[i]);
    if (augment.randaugment > 0) {
      changed.assign(source, source + set.image_bytes());
      randaugment({set.height, set.width, set.channels}, augment.randaugment, image_rng.fork("randaugment"),
                  changed);
      source = changed.data();
    }
    write_image(set, source, draw(set, augment, image_rng), out);
    out += set.image_bytes();
    labels[i] = set.labels[static_cast<size_t>(indices[i])];
  }
}

void fill_batch(const ImageSet& set, const std::vector<int64_t>& indices, float* out, int64_t* labels) {
  for (size_t i = 0; i < indices.size(); ++i) {
    const uint8_t* source = set.image(indices[i]);
    for (int64_t p = 0; p < set.image_bytes(); ++p) out[p] = kReal[source[p]];
    out += set.image_bytes();
    labels[i] = set.labels[static_cast<size_t>(indices[i])];
  }
}

}  // namespace tinynas
