// Mutated files must be read or refused with an Error, never crash. Worth most under the sanitize preset.
#include <functional>

#include "data/cifar10.h"
#include "data/idx.h"
#include "data/image_file.h"
#include "fixtures.h"

using namespace tinynas;
using namespace tinynas::fixtures;

namespace {

// Returns how many of the mutants were refused.
int fuzz(const std::string& bytes, int rounds, const std::function<void(const std::string&)>& parse) {
  int refused = 0;
  for (int round = 0; round < rounds; ++round) {
    const std::string mutant = mutate(bytes, static_cast<uint64_t>(round));
    try {
      parse(mutant);
    } catch (const Error& error) {
      ++refused;
      REQUIRE(error.code() == ExitCode::kData);
      REQUIRE_THAT(error.what(), Catch::Matchers::Contains("the/file"));
    }
  }
  return refused;
}

}  // namespace

TEST_CASE("mutated files are read or refused, never crash") {
  const ImageSet small = random_images(6, 7, 5, 1, 10, 1);
  CHECK(fuzz(idx_images(small), 4000, [](const std::string& b) { parse_idx_images(b, "the/file"); }) > 1000);
  CHECK(fuzz(idx_labels(small), 4000, [](const std::string& b) { parse_idx_labels(b, 10, "the/file"); }) >
        1000);
  const ImageSet cifar = random_images(3, 32, 32, 3, 10, 2);
  CHECK(fuzz(cifar10_strip(cifar, 0, 3), 1500,
             [](const std::string& b) { parse_cifar10_strip(b, "the/file"); }) > 500);
  CHECK(fuzz(cifar10_binary(cifar, 0, 3), 1500,
             [](const std::string& b) { parse_cifar10_binary(b, "the/file"); }) > 500);
  CHECK(fuzz(json_labels(cifar), 4000, [](const std::string& b) { parse_cifar10_labels(b, "the/file"); }) >
        1000);
  const ImageSet picture = random_images(1, 24, 24, 3, 1, 3);
  const std::string jpeg_bytes = jpeg(picture.pixels.data(), 24, 24, 3, 80);
  CHECK(fuzz(jpeg_bytes, 3000, [](const std::string& b) { decode_image(b, "the/file"); }) > 1000);
}
