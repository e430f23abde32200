// Small data sets and pictures made in the test itself.
#pragma once

#include <catch2/catch.hpp>
#include <cstdint>
#include <filesystem>
#include <string>

#include "base/error.h"
#include "data/dataset.h"

namespace tinynas::fixtures {

// A fresh folder, removed at the end of the test.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// Creates the folders above it too.
void write(const std::filesystem::path& path, const std::string& content);

// n images of random pixels, labels i % classes.
ImageSet random_images(int64_t n, int height, int width, int channels, int classes, uint64_t seed);

// Uncompressed pixels to files. `png_format` is libpng's (PNG_FORMAT_RGB, PNG_FORMAT_GRAY, PNG_FORMAT_RGBA
// ...).
std::string png(const uint8_t* pixels, int width, int height, unsigned png_format);
std::string jpeg(const uint8_t* pixels, int width, int height, int channels, int quality);

std::string idx_images(const ImageSet& set);
std::string idx_labels(const ImageSet& set);
std::string cifar10_binary(const ImageSet& set, int64_t first, int64_t count);
std::string cifar10_strip(const ImageSet& set, int64_t first, int64_t count);
std::string json_labels(const ImageSet& set);

// `train` has 5 * n images, `test` n: writes the files of a CIFAR-10 folder in one of the two forms.
void write_cifar10(const std::filesystem::path& folder, const ImageSet& train, const ImageSet& test,
                   bool binary);

// Flips, overwrites, removes, repeats or appends a few bytes.
std::string mutate(std::string bytes, uint64_t seed);

// What `call` throws must be an Error with kData whose message names `path`; returns the message.
template <typename Call>
std::string data_error_naming(const std::filesystem::path& path, Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::kData);
    CHECK_THAT(error.what(), Catch::Matchers::Contains(path.string()));
    return error.what();
  }
  FAIL("no error; expected one that names " << path);
  return "";
}

}  // namespace tinynas::fixtures
