#include "data/image_file.h"

#include <png.h>

#include "data/batch.h"
#include "data/data_file.h"

namespace tinynas {

RgbImage decode_png(std::string_view bytes, const std::filesystem::path& path) {
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  if (!png_image_begin_read_from_memory(&png, bytes.data(), bytes.size())) {
    throw bad_file(path, std::string("not a readable PNG image: ") + png.message);
  }
  if (int64_t{png.width} * png.height > kMaxPixels) {
    png_image_free(&png);
    throw bad_file(path, "PNG image of " + std::to_string(png.width) + " x " + std::to_string(png.height) +
                             " pixels, more than " + std::to_string(kMaxPixels) + " in all");
  }
  png.format = PNG_FORMAT_RGB;
  RgbImage image{static_cast<int>(png.width), static_cast<int>(png.height), {}};
  image.rgb.resize(PNG_IMAGE_SIZE(png));
  const png_color mid_grey{kPixelOffset, kPixelOffset, kPixelOffset};
  if (!png_image_finish_read(&png, &mid_grey, image.rgb.data(), 0, nullptr)) {
    throw bad_file(path, std::string("damaged PNG image: ") + png.message);
  }
  return image;
}

RgbImage decode_image(std::string_view bytes, const std::filesystem::path& path) {
  if (bytes.starts_with("\x89PNG")) return decode_png(bytes, path);
  if (bytes.starts_with("\xff\xd8")) return decode_jpeg(bytes, path);
  throw bad_file(path, "neither a PNG nor a JPEG image (" + std::to_string(bytes.size()) + " bytes)");
}

}  // namespace tinynas
