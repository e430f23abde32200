#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include "fixtures.h"

using namespace tinynas;
using namespace tinynas::fixtures;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

std::multiset<std::vector<uint8_t>> images_of(const ImageSet& set) {
  std::multiset<std::vector<uint8_t>> images;
  for (int64_t i = 0; i < set.size(); ++i) images.emplace(set.image(i), set.image(i) + set.image_bytes());
  return images;
}

std::map<int32_t, int64_t> per_class(const ImageSet& set) {
  std::map<int32_t, int64_t> counts;
  for (const int32_t label : set.labels) ++counts[label];
  return counts;
}

struct SmallCifar10 {
  TemporaryFolder root;
  ImageSet train = random_images(200, 32, 32, 3, 10, 1);
  ImageSet test = random_images(40, 32, 32, 3, 10, 2);
  DatasetOptions options;
  SmallCifar10() {
    write_cifar10(root.path() / "cifar10", train, test, false);
    options.root = root.path();
  }
};

}  // namespace

TEST_CASE("train and validation partition the training part; the test part is left alone") {
  const SmallCifar10 small;
  const Dataset data = load_dataset(small.options);
  CHECK(data.name == "cifar10");
  CHECK(data.class_names.size() == 10);
  CHECK(data.train.size() == 180);
  CHECK(data.val.size() == 20);
  for (const auto& [label, count] : per_class(data.val)) CHECK(count == 2);
  auto both = images_of(data.train);
  both.merge(images_of(data.val));
  CHECK(both == images_of(small.train));
  CHECK(data.test.pixels == small.test.pixels);
  CHECK(data.test.labels == small.test.labels);
}

TEST_CASE("the split follows the seed, and the checksums tell data and splits apart") {
  const SmallCifar10 small;
  const Dataset first = load_dataset(small.options);
  const Dataset again = load_dataset(small.options);
  CHECK(again.val.pixels == first.val.pixels);
  CHECK(again.split_checksum == first.split_checksum);

  DatasetOptions other = small.options;
  other.seed = 2;
  const Dataset reseeded = load_dataset(other);
  CHECK(reseeded.val.pixels != first.val.pixels);
  CHECK(reseeded.checksum == first.checksum);
  CHECK(reseeded.split_checksum != first.split_checksum);

  // The official binary of the same images is the same data.
  const TemporaryFolder root;
  write_cifar10(root.path() / "cifar10", small.train, small.test, true);
  other = small.options;
  other.root = root.path();
  CHECK(load_dataset(other).checksum == first.checksum);

  ImageSet changed = small.test;
  changed.pixels[5] = static_cast<uint8_t>(changed.pixels[5] ^ 1);
  write_cifar10(root.path() / "cifar10", small.train, changed, true);
  CHECK(load_dataset(other).checksum != first.checksum);
}

TEST_CASE("a smoke run's subset is stratified and comes out of the same parts") {
  const SmallCifar10 small;
  DatasetOptions options = small.options;
  options.max_train_images = 100;
  options.max_test_images = 20;
  const Dataset data = load_dataset(options);
  CHECK(data.train.size() == 90);
  CHECK(data.val.size() == 10);
  CHECK(data.test.size() == 20);
  for (const auto& [label, count] : per_class(data.train)) CHECK(count == 9);
  for (const auto& [label, count] : per_class(data.test)) CHECK(count == 2);
  const auto all = images_of(small.train);
  for (const auto& image : images_of(data.train)) REQUIRE(all.count(image) == 1);
}

TEST_CASE("IDX data sets are loaded from their folder under the root") {
  const TemporaryFolder root;
  const ImageSet train = random_images(60, 28, 28, 1, 10, 1);
  const ImageSet test = random_images(10, 28, 28, 1, 10, 2);
  for (const auto& [prefix, set] : {std::pair{"train", train}, std::pair{"t10k", test}}) {
    write(root.path() / "mnist" / (std::string(prefix) + "-images-idx3-ubyte"), idx_images(set));
    write(root.path() / "mnist" / (std::string(prefix) + "-labels-idx1-ubyte"), idx_labels(set));
  }
  DatasetOptions options;
  options.name = "mnist";
  options.root = root.path();
  const Dataset data = load_dataset(options);
  CHECK(data.train.channels == 1);
  CHECK(data.train.size() == 54);
  CHECK(data.test.pixels == test.pixels);
}

TEST_CASE("a missing set says which fetch brings it; a damaged one names the file and how to fetch it anew") {
  const SmallCifar10 small;
  DatasetOptions options = small.options;
  options.name = "fashion-mnist";
  CHECK_THAT(data_error_naming(small.root.path() / "fashion-mnist", [&] { load_dataset(options); }),
             Contains("datasets/fetch fashion-mnist"));
  write(small.root.path() / "cifar10" / "data_batch_4.png", "not a PNG");
  CHECK_THAT(data_error_naming(small.root.path() / "cifar10" / "data_batch_4.png",
                               [&] { load_dataset(small.options); }),
             Contains("datasets/fetch cifar10"));
}

TEST_CASE("the data root comes from the environment") {
  const char* before = std::getenv("TINYNAS_DATA");
  const std::string saved = before == nullptr ? "" : before;
  ::setenv("TINYNAS_DATA", "/some/where", 1);
  CHECK(default_data_root() == "/some/where");
  ::unsetenv("TINYNAS_DATA");
  CHECK(default_data_root() == fs::current_path() / "datasets" / "cache");  // ctest runs in the repository
  if (before != nullptr) ::setenv("TINYNAS_DATA", saved.c_str(), 1);
}

TEST_CASE("data options are checked by name") {
  const auto bad = [](auto change) {
    DatasetOptions options;
    change(options);
    try {
      options.check();
    } catch (const Error& error) {
      CHECK(error.code() == ExitCode::kUsage);
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  CHECK_NOTHROW(DatasetOptions{}.check());
  CHECK_THAT(bad([](auto& o) { o.name = "cifar11"; }), Contains("data.name") && Contains("cifar11"));
  CHECK_THAT(bad([](auto& o) { o.name = "folder"; }), Contains("data.root"));
  CHECK_THAT(bad([](auto& o) { o.val_fraction = 0; }), Contains("data.val_fraction"));
  CHECK_THAT(bad([](auto& o) { o.val_fraction = 0.7; }), Contains("data.val_fraction"));
  CHECK_THAT(bad([](auto& o) { o.max_train_images = -1; }), Contains("data.max_train_images"));
  CHECK_THAT(bad([](auto& o) { o.max_test_images = -1; }), Contains("data.max_test_images"));
  CHECK_THAT(bad([](auto& o) { o.folder_size = 4; }), Contains("data.folder_size"));
}
