#include "data/idx.h"

#include <cstdio>

#include "data/data_file.h"

namespace tinynas {
namespace {

constexpr uint32_t kImagesMagic = 0x00000803;  // unsigned bytes, three dimensions
constexpr uint32_t kLabelsMagic = 0x00000801;  // unsigned bytes, one dimension
constexpr uint32_t kMaxSide = 4096;

uint32_t big_endian(std::string_view bytes, size_t offset) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[offset + i]);
  return value;
}

// Checks length and magic of a header of `words` 32-bit words.
void check_header(std::string_view bytes, size_t words, uint32_t magic, const std::filesystem::path& path) {
  if (bytes.size() < words * 4) {
    throw bad_file(path, "only " + std::to_string(bytes.size()) + " bytes; an IDX header alone has " +
                             std::to_string(words * 4));
  }
  if (big_endian(bytes, 0) != magic) {
    char text[96];
    std::snprintf(text, sizeof text, "IDX magic number is 0x%08x, expected 0x%08x", big_endian(bytes, 0),
                  magic);
    throw bad_file(path, text);
  }
}

void check_size(std::string_view bytes, uint64_t expected, const std::filesystem::path& path) {
  if (bytes.size() == expected) return;
  throw bad_file(path, "file has " + std::to_string(bytes.size()) + " bytes, but its header says " +
                           std::to_string(expected));
}

}  // namespace

ImageSet parse_idx_images(std::string_view bytes, const std::filesystem::path& path) {
  check_header(bytes, 4, kImagesMagic, path);
  const uint32_t count = big_endian(bytes, 4);
  const uint32_t height = big_endian(bytes, 8);
  const uint32_t width = big_endian(bytes, 12);
  if (height < 1 || width < 1 || height > kMaxSide || width > kMaxSide) {
    throw bad_file(path, "images of " + std::to_string(height) + " x " + std::to_string(width) +
                             "; expected sides between 1 and " + std::to_string(kMaxSide));
  }
  check_size(bytes, 16 + uint64_t{count} * height * width, path);
  ImageSet set;
  set.height = static_cast<int>(height);
  set.width = static_cast<int>(width);
  set.channels = 1;
  set.pixels.assign(bytes.begin() + 16, bytes.end());
  return set;
}

std::vector<int32_t> parse_idx_labels(std::string_view bytes, int classes,
                                      const std::filesystem::path& path) {
  check_header(bytes, 2, kLabelsMagic, path);
  check_size(bytes, 8 + uint64_t{big_endian(bytes, 4)}, path);
  std::vector<int32_t> labels;
  labels.reserve(bytes.size() - 8);
  for (const char byte : bytes.substr(8)) {
    const int label = static_cast<unsigned char>(byte);
    if (label >= classes) {
      throw bad_file(path, "label " + std::to_string(label) + " of image " + std::to_string(labels.size()) +
                               "; expected 0 to " + std::to_string(classes - 1));
    }
    labels.push_back(label);
  }
  return labels;
}

ImageSet read_idx(const std::filesystem::path& folder, const std::string& prefix, int classes) {
  const auto images_path = folder / (prefix + "-images-idx3-ubyte");
  const auto labels_path = folder / (prefix + "-labels-idx1-ubyte");
  ImageSet set = parse_idx_images(read_data_file(images_path), images_path);
  set.labels = parse_idx_labels(read_data_file(labels_path), classes, labels_path);
  const size_t images = set.pixels.size() / static_cast<size_t>(set.image_bytes());
  if (set.labels.size() != images) {
    throw bad_file(labels_path, std::to_string(set.labels.size()) + " labels for " + std::to_string(images) +
                                    " images in " + images_path.filename().string());
  }
  return set;
}

}  // namespace tinynas
