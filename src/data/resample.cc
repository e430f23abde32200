// stb asserts that the weights of a pixel sum to 0.9 .. 1.1 before it normalises them; for some pairs of
// sizes (28 -> 20) the triangle's samples sum to more, and normalising is then just what is wanted.
#define STBIR_ASSERT(condition) static_cast<void>(condition)
#define STB_IMAGE_RESIZE_IMPLEMENTATION
#define STB_IMAGE_RESIZE_STATIC
#include <stb_image_resize.h>
#include <tbb/parallel_for.h>

#include <string>

#include "base/error.h"
#include "data/dataset.h"

namespace tinynas {

// Triangle filter, widened by the scale when shrinking: antialiased bilinear, what Pillow calls BILINEAR. It
// never overshoots, so flat areas stay flat and the range of the pixels is kept.
ImageSet resample(const ImageSet& set, int resolution) {
  if (resolution < 1) throw usage_error("resolution " + std::to_string(resolution) + "; expected 1 or more");
  if (set.height == resolution && set.width == resolution) return set;
  ImageSet scaled;
  scaled.height = scaled.width = resolution;
  scaled.channels = set.channels;
  scaled.labels = set.labels;
  scaled.pixels.resize(static_cast<size_t>(set.size() * scaled.image_bytes()));
  tbb::parallel_for(int64_t{0}, set.size(), [&](int64_t i) {
    const int done = stbir_resize_uint8_generic(
        set.image(i), set.width, set.height, 0, scaled.pixels.data() + i * scaled.image_bytes(), resolution,
        resolution, 0, set.channels, STBIR_ALPHA_CHANNEL_NONE, 0, STBIR_EDGE_CLAMP, STBIR_FILTER_TRIANGLE,
        STBIR_COLORSPACE_LINEAR, nullptr);
    if (!done) throw io_error("out of memory while images are resampled to " + std::to_string(resolution));
  });
  return scaled;
}

}  // namespace tinynas
