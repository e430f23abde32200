#include "data/dataset.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "base/error.h"
#include "base/hash.h"
#include "data/cifar10.h"
#include "data/idx.h"
#include "data/image_folder.h"
#include "data/split.h"

namespace tinynas {
namespace {

namespace fs = std::filesystem;

const char* const kNames[] = {"cifar10", "mnist", "fashion-mnist", "folder"};

// Change it when the same options begin to mean another split: stored figures must not be taken for new ones.
constexpr char kSplitVersion[] = "split 1";

void hash_set(Hasher* hasher, const ImageSet& set) {
  const int64_t shape[] = {set.size(), set.height, set.width, set.channels};
  hasher->add(shape, sizeof shape);
  hasher->add(set.pixels.data(), set.pixels.size());
  hasher->add(set.labels.data(), set.labels.size() * sizeof set.labels[0]);
}

std::string split_checksum(const std::string& checksum, const DatasetOptions& options) {
  return hash_hex(checksum + "|" + kSplitVersion + "|" + std::to_string(options.val_fraction) + "|" +
                  std::to_string(options.max_train_images) + "|" + std::to_string(options.max_test_images) +
                  "|" + std::to_string(options.seed));
}

// Everything that is in the files: train holds the whole training part.
Dataset load_all(const DatasetOptions& options) {
  Dataset data;
  data.name = options.name;
  if (options.name == "folder") {
    ImageFolder folder = read_image_folder(options.root, options.folder_size, options.seed);
    data.class_names = std::move(folder.class_names);
    data.train = std::move(folder.train);
    data.test = std::move(folder.test);
    return data;
  }
  const fs::path folder = (options.root.empty() ? default_data_root() : options.root) / options.name;
  if (!fs::is_directory(folder)) {
    throw data_error(folder.string() + ": no such data set; fetch it with: datasets/fetch " + options.name +
                     " (it goes to $TINYNAS_DATA, or datasets/cache of the repository)");
  }
  try {
    if (options.name == "cifar10") {
      Cifar10 sets = read_cifar10(folder);
      data.train = std::move(sets.train);
      data.test = std::move(sets.test);
      data.class_names = cifar10_class_names();
    } else {
      data.class_names =
          options.name == "mnist"
              ? std::vector<std::string>{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}
              : std::vector<std::string>{"t-shirt/top", "trouser", "pullover", "dress", "coat",
                                         "sandal",      "shirt",   "sneaker",  "bag",   "ankle boot"};
      data.train = read_idx(folder, "train", static_cast<int>(data.class_names.size()));
      data.test = read_idx(folder, "t10k", static_cast<int>(data.class_names.size()));
    }
  } catch (const Error& error) {
    if (error.code() != ExitCode::kData) throw;
    throw data_error(std::string(error.what()) + "\n  To fetch it anew: rm -r " + folder.string() +
                     " && datasets/fetch " + options.name);
  }
  return data;
}

void check_shapes(const Dataset& data, const DatasetOptions& options) {
  const auto fail = [&](const std::string& message) {
    throw data_error("data set " + options.name + ": " + message);
  };
  const auto shape = [](const ImageSet& set) {
    return std::to_string(set.height) + " x " + std::to_string(set.width) + " x " +
           std::to_string(set.channels);
  };
  if (shape(data.train) != shape(data.test)) {
    fail("training images are " + shape(data.train) + ", test images " + shape(data.test));
  }
  const auto classes = static_cast<int64_t>(data.class_names.size());
  if (data.train.size() < 2 * classes || data.test.size() < 1) {
    fail(std::to_string(data.train.size()) + " training and " + std::to_string(data.test.size()) +
         " test images; expected at least two for each of " + std::to_string(classes) +
         " classes, and one to test");
  }
}

void keep_at_most(ImageSet* set, int64_t limit, const Rng& rng) {
  if (limit == 0 || set->size() <= limit) return;
  *set = take(*set, stratified_choice(set->labels, limit, rng).chosen);
}

void hold_out_validation(Dataset* data, double fraction, const Rng& rng) {
  const auto wanted = static_cast<int64_t>(std::llround(fraction * static_cast<double>(data->train.size())));
  const Split split = stratified_choice(data->train.labels, std::max<int64_t>(wanted, 1), rng);
  data->val = take(data->train, split.chosen);
  data->train = take(data->train, split.rest);
}

}  // namespace

void DatasetOptions::check() const {
  if (std::find(std::begin(kNames), std::end(kNames), name) == std::end(kNames)) {
    throw usage_error("data.name is \"" + name + "\", expected cifar10, mnist, fashion-mnist or folder");
  }
  if (name == "folder" && root.empty())
    throw usage_error("data.root is empty, expected the image folder (--data DIR)");
  if (!(val_fraction > 0 && val_fraction <= 0.5)) {
    throw usage_error("data.val_fraction is " + std::to_string(val_fraction) +
                      ", expected above 0 and at most 0.5");
  }
  if (max_train_images < 0 || max_train_images == 1) {
    throw usage_error("data.max_train_images is " + std::to_string(max_train_images) +
                      ", expected 0 (all) or 2 or more");
  }
  if (max_test_images < 0) {
    throw usage_error("data.max_test_images is " + std::to_string(max_test_images) +
                      ", expected 0 (all) or more");
  }
  if (folder_size < 8 || folder_size > 1024) {
    throw usage_error("data.folder_size is " + std::to_string(folder_size) + ", expected 8 to 1024");
  }
}

Dataset load_dataset(const DatasetOptions& options) {
  options.check();
  Dataset data = load_all(options);
  check_shapes(data, options);
  Hasher hasher;
  hash_set(&hasher, data.train);
  hash_set(&hasher, data.test);
  data.checksum = hasher.hex();
  data.split_checksum = split_checksum(data.checksum, options);

  const Rng rng(options.seed);
  keep_at_most(&data.train, options.max_train_images, rng.fork("train subset"));
  keep_at_most(&data.test, options.max_test_images, rng.fork("test subset"));
  hold_out_validation(&data, options.val_fraction, rng.fork("validation"));
  return data;
}

fs::path default_data_root() {
  if (const char* root = std::getenv("TINYNAS_DATA"); root != nullptr && *root != '\0') return root;
  for (fs::path folder = fs::current_path();; folder = folder.parent_path()) {
    if (fs::exists(folder / "datasets" / "fetch")) return folder / "datasets" / "cache";
    if (folder == folder.parent_path()) return fs::current_path() / "datasets" / "cache";
  }
}

}  // namespace tinynas
