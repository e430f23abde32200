#include "data/image_file.h"

#include <png.h>

#include <cmath>

#include "fixtures.h"

using namespace tinynas;
using namespace tinynas::fixtures;
using Catch::Matchers::Contains;

namespace {

// A smooth picture, which JPEG keeps closely.
std::vector<uint8_t> gradient(int width, int height, int channels) {
  std::vector<uint8_t> pixels;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < channels; ++c) pixels.push_back(static_cast<uint8_t>(20 + 3 * x + 2 * y + 20 * c));
    }
  }
  return pixels;
}

int largest_difference(const std::vector<uint8_t>& a, const std::vector<uint8_t>& b) {
  REQUIRE(a.size() == b.size());
  int largest = 0;
  for (size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(int{a[i]} - int{b[i]}));
  return largest;
}

}  // namespace

TEST_CASE("an RGB PNG is read back exactly") {
  const ImageSet set = random_images(1, 9, 13, 3, 1, 1);
  const RgbImage image = decode_image(png(set.pixels.data(), 13, 9, PNG_FORMAT_RGB), "x");
  CHECK(image.width == 13);
  CHECK(image.height == 9);
  CHECK(image.rgb == set.pixels);
}

TEST_CASE("grey and transparent PNGs become RGB") {
  const ImageSet grey = random_images(1, 9, 13, 1, 1, 1);
  const RgbImage image = decode_image(png(grey.pixels.data(), 13, 9, PNG_FORMAT_GRAY), "x");
  for (size_t i = 0; i < grey.pixels.size(); ++i) {
    for (size_t c = 0; c < 3; ++c) REQUIRE(image.rgb[3 * i + c] == grey.pixels[i]);
  }
  // Opaque pixels stay, wholly transparent ones become mid-grey.
  const std::vector<uint8_t> rgba = {10, 20, 30, 255, 200, 100, 50, 0};
  const RgbImage laid = decode_image(png(rgba.data(), 2, 1, PNG_FORMAT_RGBA), "x");
  CHECK(laid.rgb == std::vector<uint8_t>{10, 20, 30, 128, 128, 128});
}

TEST_CASE("JPEGs are decoded, grey ones to RGB") {
  const auto colour = gradient(24, 16, 3);
  const RgbImage image = decode_image(jpeg(colour.data(), 24, 16, 3, 98), "x");
  CHECK(image.width == 24);
  CHECK(image.height == 16);
  CHECK(largest_difference(image.rgb, colour) <= 4);
  const auto grey = gradient(24, 16, 1);
  const RgbImage from_grey = decode_image(jpeg(grey.data(), 24, 16, 1, 98), "x");
  std::vector<uint8_t> expected;
  for (const uint8_t value : grey) expected.insert(expected.end(), 3, value);
  CHECK(largest_difference(from_grey.rgb, expected) <= 2);
}

TEST_CASE("a truncated or damaged picture is an error that names the file") {
  const ImageSet noise = random_images(1, 64, 64, 3, 1, 1);
  for (const std::string& bytes :
       {png(noise.pixels.data(), 64, 64, PNG_FORMAT_RGB), jpeg(noise.pixels.data(), 64, 64, 3, 90)}) {
    for (const size_t keep : {size_t{3}, size_t{20}, bytes.size() / 2, bytes.size() - 200}) {
      data_error_naming("a/b.jpg", [&] { decode_image(bytes.substr(0, keep), "a/b.jpg"); });
    }
  }
  CHECK_THAT(data_error_naming("a/b.jpg", [] { decode_image("GIF89a", "a/b.jpg"); }),
             Contains("neither a PNG nor"));
  CHECK_THAT(data_error_naming("a/b.jpg", [] { decode_image("", "a/b.jpg"); }), Contains("0 bytes"));
}

TEST_CASE("a CMYK JPEG is refused with what to do") {
  const auto cmyk = gradient(16, 16, 4);
  CHECK_THAT(data_error_naming("a.jpg", [&] { decode_image(jpeg(cmyk.data(), 16, 16, 4, 90), "a.jpg"); }),
             Contains("convert"));
}

TEST_CASE("a header that promises gigapixels is refused before memory is taken") {
  const auto grey = gradient(16, 16, 1);
  std::string bytes = jpeg(grey.data(), 16, 16, 1, 90);
  const size_t frame = bytes.find("\xff\xc0");  // SOF0: length 2, precision 1, height 2, width 2
  REQUIRE(frame != std::string::npos);
  for (size_t i = frame + 5; i < frame + 9; ++i) bytes[i] = '\xf0';
  CHECK_THAT(data_error_naming("a.jpg", [&] { decode_image(bytes, "a.jpg"); }), Contains("61680 x 61680"));
}
