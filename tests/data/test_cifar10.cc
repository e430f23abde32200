#include "data/cifar10.h"
#include "fixtures.h"

using namespace tinynas;
using namespace tinynas::fixtures;
using Catch::Matchers::Contains;

TEST_CASE("the official binary and the PNG strips give the same images") {
  const ImageSet train = random_images(20, 32, 32, 3, 10, 1);
  const ImageSet test = random_images(4, 32, 32, 3, 10, 2);
  const TemporaryFolder folder;
  write_cifar10(folder.path() / "binary", train, test, true);
  write_cifar10(folder.path() / "strips", train, test, false);
  for (const char* form : {"binary", "strips"}) {
    const Cifar10 read = read_cifar10(folder.path() / form);
    CHECK(read.train.pixels == train.pixels);
    CHECK(read.train.labels == train.labels);
    CHECK(read.test.pixels == test.pixels);
    CHECK(read.test.labels == test.labels);
    CHECK(read.train.height == 32);
    CHECK(read.train.channels == 3);
  }
}

TEST_CASE("a damaged or missing CIFAR-10 file is named") {
  const ImageSet train = random_images(20, 32, 32, 3, 10, 1);
  const ImageSet test = random_images(4, 32, 32, 3, 10, 2);
  const TemporaryFolder folder;
  const auto fails = [&](const std::string& file) {
    return data_error_naming(folder.path() / file, [&] { read_cifar10(folder.path()); });
  };
  SECTION("strips") {
    write_cifar10(folder.path(), train, test, false);
    std::string strip = cifar10_strip(train, 0, 4);
    strip[strip.size() / 2] = static_cast<char>(strip[strip.size() / 2] ^ 1);
    write(folder.path() / "data_batch_3.png", strip);
    CHECK_THAT(fails("data_batch_3.png"), Contains("damaged PNG"));
    write(folder.path() / "data_batch_3.png", png(train.pixels.data(), 32, 32, 3 /* RGB */));
    CHECK_THAT(fails("data_batch_3.png"), Contains("32 pixels wide") && Contains("1024"));
    write(folder.path() / "data_batch_3.png", cifar10_strip(train, 8, 3));
    CHECK_THAT(fails("train_lables.json"), Contains("20 labels for 19 images"));
    std::filesystem::remove(folder.path() / "data_batch_3.png");
    CHECK_THAT(fails("data_batch_3.png"), Contains("does not exist"));
  }
  SECTION("labels") {
    write_cifar10(folder.path(), train, test, false);
    write(folder.path() / "test_lables.json", "[0,1,2,10]");
    CHECK_THAT(fails("test_lables.json"), Contains("label 10 of image 3"));
    write(folder.path() / "test_lables.json", "[0,1,2,\"cat\"]");
    CHECK_THAT(fails("test_lables.json"), Contains("\"cat\""));
    write(folder.path() / "test_lables.json", "[0,1,");
    CHECK_THAT(fails("test_lables.json"), Contains("not a JSON array"));
  }
  SECTION("binary") {
    write_cifar10(folder.path(), train, test, true);
    const std::string batch = cifar10_binary(train, 0, 4);
    write(folder.path() / "data_batch_2.bin", batch.substr(1));
    CHECK_THAT(fails("data_batch_2.bin"), Contains("12291 bytes") && Contains("3073"));
    write(folder.path() / "data_batch_2.bin", "\x0b" + batch.substr(1));
    CHECK_THAT(fails("data_batch_2.bin"), Contains("label 11 of image 0"));
  }
}
