#include "data/cifar10.h"

#include <tbb/parallel_for.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "data/data_file.h"
#include "data/image_file.h"

namespace tinynas {
namespace {

namespace fs = std::filesystem;

constexpr int kSide = 32;
constexpr size_t kPlane = size_t{kSide} * kSide;
constexpr size_t kImageBytes = kPlane * 3;
constexpr int kClasses = 10;
const char* const kBatches[] = {"data_batch_1", "data_batch_2", "data_batch_3",
                                "data_batch_4", "data_batch_5", "test_batch"};
constexpr size_t kTest = 5;  // its index above

ImageSet empty_set() {
  ImageSet set;
  set.height = set.width = kSide;
  set.channels = 3;
  return set;
}

void check_label(int64_t label, size_t index, const fs::path& path) {
  if (label >= 0 && label < kClasses) return;
  throw bad_file(path, "label " + std::to_string(label) + " of image " + std::to_string(index) +
                           "; expected 0 to " + std::to_string(kClasses - 1));
}

void append(ImageSet* set, const ImageSet& part) {
  set->pixels.insert(set->pixels.end(), part.pixels.begin(), part.pixels.end());
  set->labels.insert(set->labels.end(), part.labels.begin(), part.labels.end());
}

void label_images(ImageSet* set, const fs::path& labels_path, const fs::path& images) {
  set->labels = parse_cifar10_labels(read_data_file(labels_path), labels_path);
  const size_t count = set->pixels.size() / kImageBytes;
  if (set->labels.size() != count) {
    throw bad_file(labels_path, std::to_string(set->labels.size()) + " labels for " + std::to_string(count) +
                                    " images in " + images.string());
  }
}

}  // namespace

const std::vector<std::string>& cifar10_class_names() {
  static const std::vector<std::string> names = {"airplane", "automobile", "bird",  "cat",  "deer",
                                                 "dog",      "frog",       "horse", "ship", "truck"};
  return names;
}

ImageSet parse_cifar10_binary(std::string_view bytes, const fs::path& path) {
  constexpr size_t kRecord = 1 + kImageBytes;
  if (bytes.empty() || bytes.size() % kRecord != 0) {
    throw bad_file(path, "file has " + std::to_string(bytes.size()) + " bytes; expected a multiple of " +
                             std::to_string(kRecord) + " (a label and 32 x 32 x 3 pixels each)");
  }
  const size_t count = bytes.size() / kRecord;
  ImageSet set = empty_set();
  set.labels.resize(count);
  set.pixels.resize(count * kImageBytes);
  for (size_t i = 0; i < count; ++i) {
    const auto* record = reinterpret_cast<const uint8_t*>(bytes.data()) + i * kRecord;
    check_label(record[0], i, path);
    set.labels[i] = record[0];
    uint8_t* pixel = set.pixels.data() + i * kImageBytes;
    for (size_t p = 0; p < kPlane; ++p, pixel += 3) {
      pixel[0] = record[1 + p];
      pixel[1] = record[1 + kPlane + p];
      pixel[2] = record[1 + 2 * kPlane + p];
    }
  }
  return set;
}

ImageSet parse_cifar10_strip(std::string_view bytes, const fs::path& path) {
  RgbImage strip = decode_png(bytes, path);
  if (strip.width != static_cast<int>(kPlane)) {
    throw bad_file(path, "strip is " + std::to_string(strip.width) + " pixels wide; expected " +
                             std::to_string(kPlane) + " (one 32 x 32 image a row)");
  }
  ImageSet set = empty_set();
  set.pixels = std::move(strip.rgb);
  return set;
}

std::vector<int32_t> parse_cifar10_labels(std::string_view bytes, const fs::path& path) {
  const auto json = nlohmann::json::parse(bytes, nullptr, /*allow_exceptions=*/false);
  if (!json.is_array()) throw bad_file(path, "not a JSON array of labels");
  std::vector<int32_t> labels;
  labels.reserve(json.size());
  for (const auto& entry : json) {
    if (!entry.is_number_integer()) {
      throw bad_file(path, "label of image " + std::to_string(labels.size()) + " is " +
                               entry.dump(-1, ' ', true) + ", expected an integer");
    }
    check_label(entry.get<int64_t>(), labels.size(), path);
    labels.push_back(entry.get<int32_t>());
  }
  return labels;
}

Cifar10 read_cifar10(const fs::path& folder) {
  const bool binary = fs::exists(folder / "data_batch_1.bin");
  ImageSet batches[std::size(kBatches)];
  tbb::parallel_for(size_t{0}, std::size(kBatches), [&](size_t i) {
    const fs::path path = folder / (std::string(kBatches[i]) + (binary ? ".bin" : ".png"));
    const std::string bytes = read_data_file(path);
    batches[i] = binary ? parse_cifar10_binary(bytes, path) : parse_cifar10_strip(bytes, path);
  });
  Cifar10 sets{empty_set(), std::move(batches[kTest])};
  for (size_t i = 0; i < kTest; ++i) {
    append(&sets.train, batches[i]);
    batches[i] = {};
  }
  if (!binary) {  // the package spells them like this
    label_images(&sets.train, folder / "train_lables.json", folder / "data_batch_*.png");
    label_images(&sets.test, folder / "test_lables.json", folder / "test_batch.png");
  }
  return sets;
}

}  // namespace tinynas
