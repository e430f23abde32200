#include "fixtures.h"

// jpeglib.h needs stdio.h before it.
#include <cstdio>
//
#include <jpeglib.h>
#include <png.h>
#include <unistd.h>

#include <cstdlib>

#include "base/files.h"
#include "base/rng.h"

namespace tinynas::fixtures {

namespace fs = std::filesystem;

TemporaryFolder::TemporaryFolder() {
  static int count = 0;
  path_ = fs::temp_directory_path() /
          ("tinynas_data_test" + std::to_string(::getpid()) + "_" + std::to_string(count++));
  fs::create_directories(path_);
}

TemporaryFolder::~TemporaryFolder() { fs::remove_all(path_); }

void write(const fs::path& path, const std::string& content) {
  fs::create_directories(path.parent_path());
  write_file_atomic(path, content);
}

ImageSet random_images(int64_t n, int height, int width, int channels, int classes, uint64_t seed) {
  Rng rng(seed);
  ImageSet set;
  set.height = height;
  set.width = width;
  set.channels = channels;
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t p = 0; p < set.image_bytes(); ++p)
      set.pixels.push_back(static_cast<uint8_t>(rng.below(256)));
    set.labels.push_back(static_cast<int32_t>(i % classes));
  }
  return set;
}

std::string png(const uint8_t* pixels, int width, int height, unsigned png_format) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(width);
  image.height = static_cast<png_uint_32>(height);
  image.format = png_format;
  png_alloc_size_t bytes = PNG_IMAGE_PNG_SIZE_MAX(image);
  std::string file(bytes, '\0');
  REQUIRE(png_image_write_to_memory(&image, file.data(), &bytes, 0, pixels, 0, nullptr));
  file.resize(bytes);
  return file;
}

std::string jpeg(const uint8_t* pixels, int width, int height, int channels, int quality) {
  jpeg_compress_struct compress{};
  jpeg_error_mgr errors{};
  compress.err = jpeg_std_error(&errors);
  jpeg_create_compress(&compress);
  unsigned char* memory = nullptr;
  unsigned long bytes = 0;
  jpeg_mem_dest(&compress, &memory, &bytes);
  compress.image_width = static_cast<JDIMENSION>(width);
  compress.image_height = static_cast<JDIMENSION>(height);
  compress.input_components = channels;
  compress.in_color_space = channels == 4 ? JCS_CMYK : channels == 3 ? JCS_RGB : JCS_GRAYSCALE;
  jpeg_set_defaults(&compress);
  jpeg_set_quality(&compress, quality, TRUE);
  jpeg_start_compress(&compress, TRUE);
  while (compress.next_scanline < compress.image_height) {
    auto* row = const_cast<uint8_t*>(pixels) + size_t{compress.next_scanline} * width * channels;
    jpeg_write_scanlines(&compress, &row, 1);
  }
  jpeg_finish_compress(&compress);
  jpeg_destroy_compress(&compress);
  std::string file(reinterpret_cast<const char*>(memory), bytes);
  std::free(memory);
  return file;
}

namespace {
std::string big_endian(uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8),
          static_cast<char>(value)};
}
}  // namespace

std::string idx_images(const ImageSet& set) {
  return big_endian(0x803) + big_endian(static_cast<uint32_t>(set.size())) +
         big_endian(static_cast<uint32_t>(set.height)) + big_endian(static_cast<uint32_t>(set.width)) +
         std::string(set.pixels.begin(), set.pixels.end());
}

std::string idx_labels(const ImageSet& set) {
  return big_endian(0x801) + big_endian(static_cast<uint32_t>(set.size())) +
         std::string(set.labels.begin(), set.labels.end());
}

std::string cifar10_binary(const ImageSet& set, int64_t first, int64_t count) {
  std::string file;
  for (int64_t i = first; i < first + count; ++i) {
    file.push_back(static_cast<char>(set.labels[static_cast<size_t>(i)]));
    for (int channel = 0; channel < 3; ++channel) {
      for (int p = 0; p < 32 * 32; ++p) file.push_back(static_cast<char>(set.image(i)[p * 3 + channel]));
    }
  }
  return file;
}

std::string cifar10_strip(const ImageSet& set, int64_t first, int64_t count) {
  return png(set.image(first), 32 * 32, static_cast<int>(count), PNG_FORMAT_RGB);
}

std::string json_labels(const ImageSet& set) {
  std::string text = "[";
  for (const int32_t label : set.labels) text += (text.size() > 1 ? "," : "") + std::to_string(label);
  return text + "]";
}

void write_cifar10(const fs::path& folder, const ImageSet& train, const ImageSet& test, bool binary) {
  const int64_t batch = train.size() / 5;
  REQUIRE(batch * 5 == train.size());
  for (int i = 0; i < 5; ++i) {
    const fs::path stem = folder / ("data_batch_" + std::to_string(i + 1));
    write(stem.string() + (binary ? ".bin" : ".png"),
          binary ? cifar10_binary(train, i * batch, batch) : cifar10_strip(train, i * batch, batch));
  }
  if (binary) {
    write(folder / "test_batch.bin", cifar10_binary(test, 0, test.size()));
  } else {
    write(folder / "test_batch.png", cifar10_strip(test, 0, test.size()));
    write(folder / "train_lables.json", json_labels(train));
    write(folder / "test_lables.json", json_labels(test));
  }
}

std::string mutate(std::string bytes, uint64_t seed) {
  Rng rng(seed);
  const int64_t edits = 1 + rng.below(6);
  for (int64_t edit = 0; edit < edits && !bytes.empty(); ++edit) {
    // Half of the edits hit the header, where the sizes are.
    const auto size = static_cast<int64_t>(bytes.size());
    const auto at =
        static_cast<size_t>(rng.chance(0.5) ? rng.below(std::min<int64_t>(size, 64)) : rng.below(size));
    switch (rng.below(5)) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << rng.below(8)));
        break;
      case 1:
        bytes[at] = static_cast<char>(rng.pick<int>({0, 1, 0x7f, 0x80, 0xff}));
        break;
      case 2:
        bytes.resize(at);
        break;
      case 3:
        bytes.erase(at, static_cast<size_t>(1 + rng.below(16)));
        break;
      default:
        bytes.insert(at, bytes.substr(at, static_cast<size_t>(1 + rng.below(16))));
    }
  }
  return bytes;
}

}  // namespace tinynas::fixtures
