#include <catch2/catch.hpp>

#include "base/error.h"
#include "random_space.h"
#include "space/architecture.h"

using namespace tinynas;
using namespace tinynas::testing;
using Catch::Matchers::Contains;
using nlohmann::json;

TEST_CASE("spaces and architectures survive JSON text") {
  Rng rng(21);
  for (int round = 0; round < 100; ++round) {
    const SearchSpace space = random_any_space(rng);
    const Architecture architecture = sample(space, random_sub_space(space, rng), rng);
    const json written = to_json(space, architecture, 10);
    const ArchitectureFile read = architecture_from_json(json::parse(written.dump()), "arch.json");
    CHECK(read.architecture == architecture);
    CHECK(read.num_classes == 10);
    CHECK(to_json(read.space) == to_json(space));
    CHECK(to_json(space_from_json(json::parse(to_json(space).dump()), "space.json")) == to_json(space));
  }
}

TEST_CASE("errors name the file and the path inside it") {
  Rng rng(22);
  const SearchSpace space = random_space(rng);
  const json good = to_json(space, sample(space, random_sub_space(space, rng), rng), 10);
  const auto message = [&](auto spoil) -> std::string {
    json spoilt = good;
    spoil(spoilt);
    try {
      architecture_from_json(spoilt, "arch.json");
    } catch (const Error& error) {
      CHECK(error.code() == ExitCode::kUsage);
      return error.what();
    }
    return "accepted";
  };
  CHECK_THAT(message([](json& j) { j["stages"][0]["blocks"][0]["kernel"] = "x"; }),
             Contains("arch.json: stages[0].blocks[0].kernel: got \"x\""));
  CHECK_THAT(message([](json& j) { j["stages"][0]["blocks"][0]["kernel"] = 9; }),
             Contains("arch.json") && Contains("stage 0, block 0: kernel 9"));
  CHECK_THAT(message([](json& j) { j["space"]["stages"][0].erase("depths"); }),
             Contains("arch.json: space.stages[0].depths: is missing"));
  CHECK_THAT(message([](json& j) { j["space"]["width"] = 1; }),
             Contains("arch.json: space: unknown key \"width\"") && Contains("widths"));
  CHECK_THAT(message([](json& j) { j["format"] = "tinynas-arch-2"; }), Contains("tinynas-arch-1"));
  CHECK_THAT(message([](json& j) { j["space"]["divisor"] = 0; }),
             Contains("arch.json") && Contains("divisor"));
  CHECK_THAT(message([](json& j) { j = json::array(); }), Contains("arch.json") && Contains("an object"));
}

TEST_CASE("a space of square images and MBConv blocks is written as before there were others") {
  Rng rng(24);
  SearchSpace space = random_space(rng);
  for (StageSpec& stage : space.stages) stage.block_widths = {1.0};
  const json written = to_json(space);
  std::vector<std::string> keys;
  for (const auto& [key, value] : written.items()) keys.push_back(key);
  CHECK(keys == std::vector<std::string>{"divisor", "head_channels", "input_channels", "name", "resolutions",
                                         "stages", "stem", "widths"});
  CHECK(written["stem"]["kernel"].is_number_integer());
  CHECK(written["stages"][0].size() == 5);
}

TEST_CASE("mutated arch.json throws Error or gives a member of a valid space") {
  Rng rng(23);
  std::string good[2];
  for (std::string& text : good) {
    const SearchSpace space = &text == good ? random_space(rng) : random_ds_space(rng);
    text = to_json(space, sample(space, random_sub_space(space, rng), rng), 10).dump();
  }
  for (int round = 0; round < 10000; ++round) {
    std::string text = good[round % 2];
    for (int64_t edits = 1 + rng.below(3); edits > 0; --edits) {
      const auto at = static_cast<size_t>(rng.below(static_cast<int64_t>(text.size())));
      text[at] = rng.chance(0.7) ? static_cast<char>('0' + rng.below(10)) : static_cast<char>(rng.below(256));
    }
    const json parsed = json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (parsed.is_discarded()) continue;
    try {
      const ArchitectureFile file = architecture_from_json(parsed, "arch.json");
      file.space.check();
      validate(file.space, file.architecture);
    } catch (const Error& error) {
      CHECK(error.code() == ExitCode::kUsage);
    }
  }
}
