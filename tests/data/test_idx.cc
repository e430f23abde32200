#include "data/idx.h"
#include "fixtures.h"

using namespace tinynas;
using namespace tinynas::fixtures;
using Catch::Matchers::Contains;

TEST_CASE("IDX images and labels are read back") {
  const ImageSet set = random_images(7, 5, 3, 1, 4, 1);
  const ImageSet images = parse_idx_images(idx_images(set), "x");
  CHECK(images.pixels == set.pixels);
  CHECK(images.height == 5);
  CHECK(images.width == 3);
  CHECK(images.channels == 1);
  CHECK(parse_idx_labels(idx_labels(set), 4, "x") == set.labels);
}

TEST_CASE("a wrong IDX file is an error that names it, what was got and what was expected") {
  const ImageSet set = random_images(7, 5, 3, 1, 4, 1);
  const std::string images = idx_images(set);
  const std::string labels = idx_labels(set);
  const auto images_error = [](const std::string& bytes) {
    return data_error_naming("some/file", [&] { parse_idx_images(bytes, "some/file"); });
  };
  CHECK_THAT(images_error(""), Contains("0 bytes"));
  CHECK_THAT(images_error(labels + labels), Contains("0x00000801") && Contains("0x00000803"));
  CHECK_THAT(images_error(images.substr(0, images.size() - 1)), Contains("120 bytes") && Contains("121"));
  CHECK_THAT(images_error(images + "x"), Contains("122 bytes") && Contains("121"));
  std::string huge = images;  // a count whose product with the sides passes 32 bits
  for (size_t i = 4; i < 8; ++i) huge[i] = '\xff';
  CHECK_THAT(images_error(huge), Contains(std::to_string(16 + 0xffffffffULL * 15)));
  CHECK_THAT(data_error_naming("some/file", [&] { parse_idx_labels(labels, 3, "some/file"); }),
             Contains("label 3 of image 3") && Contains("0 to 2"));
}

TEST_CASE("labels and images must agree in count") {
  const TemporaryFolder folder;
  write(folder.path() / "train-images-idx3-ubyte", idx_images(random_images(7, 5, 3, 1, 4, 1)));
  write(folder.path() / "train-labels-idx1-ubyte", idx_labels(random_images(6, 5, 3, 1, 4, 1)));
  CHECK_THAT(data_error_naming(folder.path() / "train-labels-idx1-ubyte",
                               [&] { read_idx(folder.path(), "train", 4); }),
             Contains("6 labels for 7 images"));
}
