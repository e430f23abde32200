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

std::string replaced(const std::string& from, const std::string& to, std::string text = kSpace) {
  const size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

const char* const kDsSpace = R"(name: words
block: ds
input_channels: 1
columns: 10
divisor: 4
stem: {channels: 64, kernel: [10, 4], stride: [2, 1]}
stages:
  - {channels: 32, stride: 1, kernels: [3], depths: [1]}
  - channels: {min: 32, max: 64, step: 4}
    stride: 1
    kernels: [3, 5]
    depths: [0, 1, 2]
widths: [0.5, 1.0]
resolutions: [49]
)";

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

TEST_CASE("a DS space file holds rows and columns, elastic channels and skippable stages") {
  const SearchSpace space = parse_space(kDsSpace, "s.yaml");
  CHECK(space.block == BlockKind::kDepthwiseSeparable);
  CHECK(space.input_columns(49) == 10);
  CHECK(space.stem.kernel == 10);
  CHECK(space.stem.kernel_columns() == 4);
  CHECK(space.stem.stride == 2);
  CHECK(space.stem.stride_columns() == 1);
  CHECK_FALSE(space.stages[0].elastic_channels());
  CHECK(space.stages[1].min_channels == 32);
  CHECK(space.stages[1].channels == 64);
  CHECK(space.stages[1].channel_step == 4);
  CHECK(space.stages[1].depths.front() == 0);
}

TEST_CASE("errors of a DS space file name the file, the line and the key") {
  const auto message = [](const std::string& from, const std::string& to) {
    return message_of(replaced(from, to, kDsSpace));
  };
  CHECK_THAT(message("block: ds", "block: dscnn"),
             Contains("s.yaml:2: block: got 'dscnn', expected mbconv or ds"));
  CHECK_THAT(message("step: 4", "step: 3"),
             Contains("s.yaml:9: stages[1].channels.min: got 32") && Contains("a multiple of the step 3"));
  CHECK_THAT(message("step: 4", "step: 0"), Contains("s.yaml:9: stages[1].channels.step: got 0"));
  CHECK_THAT(message("step: 4", "stp: 4"), Contains("s.yaml:9: stages[1].channels.stp: unknown key"));
  CHECK_THAT(message("depths: [1]}", "depths: [1, 2]}"),
             Contains("s.yaml:12: stages[1].depths: several depths"));
  CHECK_THAT(message("depths: [1]}", "depths: [1], expansions: [1]}"),
             Contains("s.yaml:8: stages[0].expansions: unknown key"));
  CHECK_THAT(message("[10, 4]", "[10, 4, 1]"),
             Contains("s.yaml:6: stem.kernel: expected an integer, or [rows, columns]"));
  CHECK_THAT(message("[10, 4]", "[10, 0]"), Contains("s.yaml:6: stem.kernel"));
  CHECK_THAT(message("[2, 1]", "[2, x]"), Contains("s.yaml:6: stem.stride: got 'x'"));
  CHECK_THAT(message("columns: 10", "columns: ten"), Contains("s.yaml:4: columns: got 'ten'"));
}

TEST_CASE("values out of range are errors at the line of their key") {
  const auto says = [](const std::string& from, const std::string& to, const std::string& expected) {
    CAPTURE(to);
    CHECK_THAT(message_of(replaced(from, to)), Contains(expected));
  };
  says("[16, 32]", "[16, 32000]", "s.yaml:11: resolutions: got 32000, expected 1 to 2048");
  says("[16, 32]", "[0, 32]", "s.yaml:11: resolutions: got 0");
  says("[16, 32]", "[]", "s.yaml:11: resolutions: is empty");
  says("[16, 32]", "[16, 99999999999]", "s.yaml:11: resolutions: got '99999999999', expected an integer");
  says("[16, 32]", "[16, 32.5]", "s.yaml:11: resolutions: got '32.5'");
  says("[0.5, 1.0]", "[.nan, 1.0]", "s.yaml:10: widths: got nan");
  says("[0.5, 1.0]", "[1.0, .nan]", "s.yaml:10: widths: got nan");
  says("[0.5, 1.0]", "[0.5, .inf]", "s.yaml:10: widths: got inf");
  says("[0.5, 1.0]", "[-0.5, 1.0]", "s.yaml:10: widths: got -0.5");
  says("[0.5, 1.0]", "[]", "s.yaml:10: widths: is empty");
  says("[0.5, 1.0]", "[0.5, 0.5]", "s.yaml:10: widths: must ascend");
  says("channels: 16", "channels: 0", "s.yaml:5: stages[1].channels: got 0");
  says("channels: 16", "channels: {min: 8, max: 16, step: 8}",
       "s.yaml:5: stages[1].channels: expected an integer");
  says("    stride: 1\n", "    stride: 0\n", "s.yaml:6: stages[1].stride: got 0");
  says("kernels: [3]", "kernels: [4]", "s.yaml:7: stages[1].kernels: got 4, expected odd");
  says("expansions: [6]", "expansions: []", "s.yaml:8: stages[1].expansions: is empty");
  says("depths: [2]", "depths: [2]\n    widths: [0.5]",
       "s.yaml:10: stages[1].widths: expected 1 as the last");
  says("depths: [2]", "depths: [2]\n    widths: [x, 1]", "s.yaml:10: stages[1].widths: got 'x'");
  says("depths: [2]", "depths: [0, 2]", "s.yaml:9: stages[1].depths: got 0");
  says("stride: 1}", "stride: 1, kernel_h: 3}", "s.yaml:2: stem.kernel_h: unknown key");
  says("channels: 8, kernel: 3", "channels: 8, kernel: 0", "s.yaml:2: stem.kernel: got 0");
}

TEST_CASE("nesting without end is an error, not the end of the stack") {
  CHECK(message_of("stages: " + std::string(100000, '[')) != "accepted");
  CHECK(message_of("stages: " + std::string(100000, '{')) != "accepted");
  CHECK(message_of("a: &a [1]\nname: *a\n") != "accepted");
}

TEST_CASE("the spaces that come with tinynas are valid and as large as they say") {
  const SearchSpace imagenet = load_space("configs/spaces/mbconv.yaml");
  CHECK(imagenet.name == "mbconv");
  CHECK(imagenet.widths.size() * imagenet.resolutions.size() == 108);
  CHECK(imagenet.stages.size() == 7);
  const SearchSpace small = load_space("configs/spaces/mbconv-32.yaml");
  CHECK(small.name == "mbconv-32");
  const SearchSpace words = load_space("configs/spaces/dscnn-kws.yaml");
  CHECK(words.name == "dscnn-kws");
  CHECK(words.input_columns(49) == 10);
  const SearchSpace chain = load_space("configs/spaces/dscnn-32.yaml");
  CHECK(chain.name == "dscnn-32");
  for (const SearchSpace& space : {imagenet, small, words, chain}) {
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
  const std::string texts[] = {read_file("configs/spaces/mbconv-32.yaml"),
                               read_file("configs/spaces/dscnn-32.yaml"),
                               read_file("configs/spaces/dscnn-kws.yaml"), kDsSpace};
  const std::string marks = "[]{}:,-&*!|>'\"#%\n\t 0123456789.e";
  Rng rng(1);
  int rejected = 0;
  for (int round = 0; round < 6000; ++round) {
    std::string damaged = texts[round % 4];
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
      const SearchSpace space = parse_space(damaged, "damaged.yaml");
      space.check();
      // What was accepted can be searched.
      const SubSpace sub_space{space.widths.back(), space.resolutions.front()};
      validate(space, sample(space, sub_space, rng));
      validate(space, largest(space, sub_space));
    } catch (const Error& error) {
      CHECK_THAT(error.what(), Catch::StartsWith("damaged.yaml:"));
      ++rejected;
    }
  }
  CHECK(rejected > 1500);
}
