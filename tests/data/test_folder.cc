#include <png.h>

#include "data/image_folder.h"
#include "fixtures.h"

using namespace tinynas;
using namespace tinynas::fixtures;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

std::string flat_png(uint8_t value, int width, int height) {
  const std::vector<uint8_t> pixels(static_cast<size_t>(width * height * 3), value);
  return png(pixels.data(), width, height, PNG_FORMAT_RGB);
}

// Classes "cat" (pixels 10 + i) and "dog" (pixels 100 + i), n pictures each.
void write_part(const fs::path& part, int n) {
  for (int i = 0; i < n; ++i) {
    const std::string name = std::string(1, static_cast<char>('a' + i)) + ".png";
    write(part / "cat" / name, flat_png(static_cast<uint8_t>(10 + i), 12 + i, 9));
    write(part / "dog" / name, flat_png(static_cast<uint8_t>(100 + i), 8, 20));
  }
}

}  // namespace

TEST_CASE("a folder of pictures is read in sorted order, resized") {
  const TemporaryFolder folder;
  write_part(folder.path() / "train", 3);
  write_part(folder.path() / "test", 1);
  const std::vector<uint8_t> flat(16 * 16 * 3, 33);
  write(folder.path() / "train" / "cat" / "d.JPG", jpeg(flat.data(), 16, 16, 3, 95));
  write(folder.path() / "train" / "cat" / "notes.txt", "not a picture");
  write(folder.path() / "train" / ".hidden", "");
  const ImageFolder read = read_image_folder(folder.path(), 8, 1);
  CHECK(read.class_names == std::vector<std::string>{"cat", "dog"});
  CHECK(read.train.labels == std::vector<int32_t>{0, 0, 0, 0, 1, 1, 1});
  CHECK(read.test.labels == std::vector<int32_t>{0, 1});
  REQUIRE(read.train.image_bytes() == 8 * 8 * 3);
  const int expected[] = {10, 11, 12, 33, 100, 101, 102};
  for (int64_t i = 0; i < 7; ++i) {
    for (int64_t p = 0; p < 8 * 8 * 3; ++p)
      REQUIRE(std::abs(read.train.image(i)[p] - expected[i]) <= (i == 3 ? 1 : 0));
  }
}

TEST_CASE("without test/ a seeded, stratified 15 % is held out") {
  const TemporaryFolder folder;
  write_part(folder.path() / "train", 20);
  const ImageFolder read = read_image_folder(folder.path(), 8, 1);
  CHECK(read.test.labels == std::vector<int32_t>{0, 0, 0, 1, 1, 1});
  CHECK(read.train.size() == 34);
  CHECK(read_image_folder(folder.path(), 8, 1).test.pixels == read.test.pixels);
  CHECK(read_image_folder(folder.path(), 8, 2).test.pixels != read.test.pixels);
}

TEST_CASE("val/ is the test part where there is no test/, as in ImageNet") {
  const TemporaryFolder folder;
  write_part(folder.path() / "train", 3);
  write_part(folder.path() / "val", 2);
  const ImageFolder read = read_image_folder(folder.path(), 8, 1);
  CHECK(read.train.size() == 6);
  CHECK(read.test.labels == std::vector<int32_t>{0, 0, 1, 1});
  write_part(folder.path() / "test", 1);
  CHECK(read_image_folder(folder.path(), 8, 1).test.size() == 2);
}

TEST_CASE("what is wrong with a folder is named") {
  const TemporaryFolder folder;
  const auto fails = [&](const fs::path& path) {
    return data_error_naming(path, [&] { read_image_folder(folder.path(), 8, 1); });
  };
  CHECK_THAT(fails(folder.path()), Contains("no folder train/"));
  write(folder.path() / "train" / "cat" / "a.png", flat_png(1, 9, 9));
  CHECK_THAT(fails(folder.path() / "train"), Contains("1 class folders"));
  fs::create_directories(folder.path() / "train" / "dog");
  CHECK_THAT(fails(folder.path() / "train" / "dog"), Contains("no *.jpg"));
  write(folder.path() / "train" / "dog" / "a.jpg", flat_png(1, 9, 9).substr(0, 50));
  CHECK_THAT(fails(folder.path() / "train" / "dog" / "a.jpg"), Contains("PNG"));
  write(folder.path() / "train" / "dog" / "a.jpg", flat_png(1, 9, 9));
  write(folder.path() / "test" / "bird" / "a.png", flat_png(1, 9, 9));
  CHECK_THAT(fails(folder.path() / "test" / "bird"), Contains("no such class in train/"));
}
