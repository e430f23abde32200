#include <catch2/catch.hpp>

#include "base/error.h"
#include "base/files.h"
#include "base/rng.h"
#include "space/architecture.h"
#include "space/space_file.h"

using namespace tinynas;
using Catch::Matchers::Contains;

namespace {

const char* const kSpace = R"(name: tiny
stem: {channels: 8, kernel: 3, stride: 1}
stages:
  - {channels: 8, stride: 2, kernels: [3, 5], expansions: [1, 3], depths: [1, 2]}
  - channels: 16
    stride: 1
    kernels: [3]
    expansions: [6]
    depths: [2]
widths: [0.5, 1.0]
resolutions: [16, 32]
)";

std::string replaced(const std::string& from, const std::string& to) {
  std::string text = kSpace;
  const size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

std::string message_of(const std::string& yaml) {
  try {
    parse_space(yaml, "s.yaml");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::kUsage);
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("a space file holds every field; what may be left out has the documented default") {
  const SearchSpace space = parse_space(kSpace, "s.yaml");
  CHECK(space.name == "tiny");
  CHECK(space.input_channels == 3);
  CHECK(space.stem.stride == 1);
  REQUIRE(space.stages.size() == 2);
  CHECK(space.stages[0].kernels == std::vector<int>{3, 5});
  CHECK(space.stages[1].expansions == std::vector<int>{6});
  CHECK(space.head_channels == 0);
  CHECK(space.divisor == 8);
  CHECK(space.widths == std::vector<double>{0.5, 1.0});
  CHECK(parse_space(std::string(kSpace) + "head_channels: 64\n", "s").head_channels == 64);
}

TEST_CASE("the spaces that come with tinynas are valid and as large as they say") {
  const SearchSpace imagenet = load_space("configs/spaces/mbconv.yaml");
  CHECK(imagenet.name == "mbconv");
  CHECK(imagenet.widths.size() * imagenet.resolutions.size() == 108);
  CHECK(imagenet.stages.size() == 7);
  const SearchSpace small = load_space("configs/spaces/mbconv-32.yaml");
  CHECK(small.name == "mbconv-32");
  for (const SearchSpace& space : {imagenet, small}) {
    for (const double width : space.widths) {
      CHECK_NOTHROW(validate(space, largest(space, {width, space.resolutions.front()})));
    }
  }
}

TEST_CASE("errors of a space file name the file, the line and the key") {
  CHECK_THAT(message_of(replaced("stem:", "stemm:")),
             Contains("s.yaml:2: stemm: unknown key; did you mean 'stem'?"));
  CHECK_THAT(message_of(replaced("kernels: [3]", "kernals: [3]")),
             Contains("s.yaml:7: stages[1].kernals") && Contains("did you mean 'kernels'?"));
  CHECK_THAT(message_of(replaced("name: tiny\n", "")), Contains("name: is missing"));
  CHECK_THAT(message_of(replaced("    stride: 1\n", "")), Contains("s.yaml:5: stages[1].stride: is missing"));
  CHECK_THAT(message_of(replaced("stride: 2", "stride: two")),
             Contains("s.yaml:4: stages[0].stride: got 'two', expected an integer"));
  CHECK_THAT(message_of(replaced("[0.5, 1.0]", "1.0")), Contains("widths: expected a list"));
  CHECK_THAT(message_of(replaced("[16, 32]", "[32, 16]")), Contains("s.yaml") && Contains("resolutions"));
  CHECK_THAT(message_of(replaced("widths", "stem: {}\nwidths")), Contains("stem: stands here a second time"));
  CHECK_THAT(message_of(replaced("[3, 5]", "[3, 5")), Contains("s.yaml:"));
  CHECK_THAT(message_of(""), Contains("expected a mapping"));
  CHECK_THROWS_AS(load_space("configs/spaces/none.yaml"), Error);
}

TEST_CASE("a damaged space file is an error or another valid space, never a crash") {
  const std::string text = read_file("configs/spaces/mbconv-32.yaml");
  const std::string marks = "[]{}:,-&*!|>'\"#%\n\t 0123456789.e";
  Rng rng(1);
  int rejected = 0;
  for (int round = 0; round < 2000; ++round) {
    std::string damaged = text;
    for (int64_t n = 1 + rng.below(4); n > 0; --n) {
      const auto at = static_cast<size_t>(rng.below(static_cast<int64_t>(damaged.size())));
      switch (rng.below(3)) {
        case 0:
          damaged[at] = static_cast<char>(rng.below(256));
          break;
        case 1:
          damaged.erase(at, static_cast<size_t>(rng.below(20)));
          break;
        default:
          damaged.insert(at, 1, marks[static_cast<size_t>(rng.below(static_cast<int64_t>(marks.size())))]);
          break;
      }
    }
    try {
      parse_space(damaged, "damaged").check();
    } catch (const Error&) {
      ++rejected;
    }
  }
  CHECK(rejected > 500);
}
