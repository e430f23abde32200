// One picture file, decoded to RGB.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

namespace tinynas {

// uint8 RGB, rows top to bottom: rgb[(y * width + x) * 3 + channel].
struct RgbImage {
  int width = 0;
  int height = 0;
  std::vector<uint8_t> rgb;
};

// Pictures above this many pixels are refused before anything is allocated: a damaged header must not cost
// the memory.
inline constexpr int64_t kMaxPixels = int64_t{1} << 27;

// PNG or JPEG, recognised by content. Grey, palette and 16-bit pictures are converted; transparency is laid
// over mid-grey; EXIF orientation is not applied. `path` is for messages only. Throws Error(kData) naming it
// when the picture is damaged, truncated, CMYK or of another format.
RgbImage decode_image(std::string_view bytes, const std::filesystem::path& path);

// The same for one format.
RgbImage decode_png(std::string_view bytes, const std::filesystem::path& path);
RgbImage decode_jpeg(std::string_view bytes, const std::filesystem::path& path);

}  // namespace tinynas
