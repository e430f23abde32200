// Image data sets in memory, and the split that the search works on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace tinynas {

// n images of height x width x channels, uint8, NHWC, and a label in [0, classes) for each.
struct ImageSet {
  int height = 0;
  int width = 0;
  int channels = 0;
  std::vector<uint8_t> pixels;
  std::vector<int32_t> labels;

  int64_t size() const { return static_cast<int64_t>(labels.size()); }
  int64_t image_bytes() const { return int64_t{height} * width * channels; }
  const uint8_t* image(int64_t index) const { return pixels.data() + index * image_bytes(); }
};

struct Dataset {
  std::string name;
  std::vector<std::string> class_names;
  ImageSet train;        // without the validation images
  ImageSet val;          // held out of the training part, stratified by class: what the search may look at
  ImageSet test;         // touched once, at the end
  std::string checksum;  // content hash of all pixels and labels
  std::string split_checksum;  // checksum + the split's settings: the trial store's key
};

struct DatasetOptions {
  std::string name = "cifar10";  // cifar10, mnist, fashion-mnist, or folder
  // $TINYNAS_DATA (default datasets/cache), or the image folder itself. Empty = default_data_root().
  std::filesystem::path root;
  double val_fraction = 0.1;  // of the training part; seeded, stratified
  // 0 = all; otherwise a seeded, stratified subset of the training part, chosen before the split (smoke
  // runs).
  int64_t max_train_images = 0;
  int64_t max_test_images = 0;  // 0 = all
  uint64_t seed = 1;
  int folder_size = 64;  // folder: images are squeezed to this square

  // Throws Error(kUsage) naming the field.
  void check() const;
};

// Throws Error(kData) naming the file, what was got and what was expected; for a missing set it says which
// `datasets/fetch` brings it.
Dataset load_dataset(const DatasetOptions& options);

// $TINYNAS_DATA, or datasets/cache under the current directory's repository.
std::filesystem::path default_data_root();

// The set at another resolution (R x R, antialiased); the same set when the size agrees.
ImageSet resample(const ImageSet& set, int resolution);

}  // namespace tinynas
