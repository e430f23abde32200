#include <catch2/catch.hpp>

#include "base/error.h"
#include "base/rng.h"
#include "config/config.h"
#include "config/experiment.h"

using namespace tinynas;
using Catch::Matchers::Contains;

namespace {

// The message of the usage error that `action` must throw.
template <typename Action>
std::string usage_message(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::kUsage);
    return error.what();
  }
  FAIL("accepted");
  return "";
}

}  // namespace

TEST_CASE("an unknown key is named with its line and the nearest key") {
  Config config(experiment_schema());
  const auto message = [&](const std::string& yaml) {
    return usage_message([&] { config.apply_yaml(yaml, "my.yaml"); });
  };
  CHECK_THAT(message("seed: 3\ntrain:\n  step: 5\n"),
             Contains("my.yaml:3") && Contains("'train.step'") && Contains("did you mean 'train.steps'?"));
  CHECK_THAT(message("trian:\n  steps: 5\n"), Contains("my.yaml:1") && Contains("did you mean 'train'?"));
  CHECK_THAT(message("sram: 320k\n"), Contains("did you mean 'limits.sram'?"));
  CHECK_THAT(message("zzzzqqqqxxxx: 1\n"), Contains("--dry-run"));
}

TEST_CASE("a bad value is named with its line, what was got and what is expected") {
  struct Case {
    const char* yaml;
    const char* line;
    const char* got;
    const char* expected;
  };
  const Case cases[] = {
      {"limits:\n  sram: 320q", "f.yaml:2", "'320q'", "320k"},
      {"train: {steps: -3}", "f.yaml:1", "'-3'", "an integer from 1 to"},
      {"train: {steps: 2.5}", "f.yaml:1", "'2.5'", "an integer"},
      {"data: {val_fraction: 1.5}", "f.yaml:1", "'1.5'", "0.5"},
      {"data: {val_fraction: nan}", "f.yaml:1", "'nan'", "a number"},
      {"effort: hasty", "f.yaml:1", "'hasty'", "smoke, quick, standard, full"},
      {"augment:\n\n  flip: perhaps", "f.yaml:3", "'perhaps'", "true or false"},
      {"limits: {latency: 200}", "f.yaml:1", "'200'", "200ms"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.yaml);
    Config config(experiment_schema());
    CHECK_THAT(usage_message([&] { config.apply_yaml(c.yaml, "f.yaml"); }),
               Contains(c.line) && Contains(c.got) && Contains(c.expected));
  }
}

TEST_CASE("malformed structure is refused") {
  for (const char* yaml :
       {"- a\n- b", "just words", "train: 5", "train: [1, 2]", "seed: [1]", "seed: {a: 1}",
        "seed: 1\nseed: 2", "{", "a: b: c", "seed: 1\n seed: 2", "? [x]\n: 1", "train: {steps: }"}) {
    CAPTURE(yaml);
    Config config(experiment_schema());
    CHECK_THAT(usage_message([&] { config.apply_yaml(yaml, "f.yaml"); }), Contains("f.yaml"));
  }
}

TEST_CASE("an empty file and empty sections change nothing") {
  Config config(experiment_schema());
  const std::string before = config.to_yaml();
  for (const char* yaml : {"", "# only a comment\n", "train:\n  # steps: 5\n", "~"})
    config.apply_yaml(yaml, "f.yaml");
  CHECK(config.to_yaml() == before);
}

TEST_CASE("optional values can be unset again") {
  Config config(experiment_schema());
  config.set("limits.macs", "6M", "effort quick");
  CHECK(config.optional_integer("limits.macs") == 6000000);
  config.set("limits.macs", "none", "--max-macs");
  CHECK(!config.optional_integer("limits.macs"));
  CHECK(config.origin("limits.macs") == "--max-macs");
  CHECK_THROWS_AS(config.set("train.steps", "none", "--set"), Error);
}

TEST_CASE("assignments on the command line") {
  Config config(experiment_schema());
  config.set_assignment("train.steps=7", "--set");
  CHECK(config.integer("train.steps") == 7);
  config.set_assignment("name=a=b", "--set");
  CHECK(config.text("name") == "a=b");
  CHECK_THAT(usage_message([&] { config.set_assignment("train.steps", "--set"); }), Contains("KEY=VALUE"));
  CHECK_THAT(usage_message([&] { config.set_assignment("train.stpes=5", "--set"); }),
             Contains("--set train.stpes=5") && Contains("did you mean 'train.steps'?"));
}

// A value of the option that a person might choose, drawn at random.
static std::string random_text(const OptionSpec& option, Rng& rng) {
  const double low = std::max(option.min, 0.0);
  const double high = std::min(option.max, 1e6);
  const auto whole = [&] {
    return std::to_string(static_cast<int64_t>(low) + rng.below(static_cast<int64_t>(high - low) + 1));
  };
  if (option.optional && rng.chance(0.2)) return "none";
  switch (option.kind) {
    case OptionKind::kFlag:
      return rng.chance(0.5) ? "true" : "false";
    case OptionKind::kInteger:
      return whole();
    case OptionKind::kReal:
      return std::to_string(low + (high - low) * rng.uniform());
    case OptionKind::kText: {
      static const std::vector<std::string> words = {"plain", "with space", "a: b", "# c", "\"quoted\"",
                                                     "true",  "12",         "-",    "/a/b"};
      return rng.pick(words);
    }
    case OptionKind::kChoice:
      return rng.pick(option.choices);
    case OptionKind::kBytes:
      return whole() + (rng.chance(0.5) ? "k" : "");
    case OptionKind::kCount:
      return whole() + (rng.chance(0.5) ? "M" : "");
    case OptionKind::kDuration:
      return whole() + "us";
    case OptionKind::kEnergy:
      return whole() + "uJ";
  }
  return "";
}

TEST_CASE("the resolved file reads back as the same configuration") {
  Rng rng(11);
  for (int round = 0; round < 200; ++round) {
    Config config(experiment_schema());
    for (const OptionSpec& option : experiment_schema().options()) {
      if (rng.chance(0.6)) config.set(option.key, random_text(option, rng), "--set\nwith a line break");
    }
    Config again(experiment_schema());
    const std::string yaml = config.to_yaml();
    INFO(yaml);
    again.apply_yaml(yaml, "config.resolved.yaml");
    REQUIRE(again.to_json() == config.to_json());
  }
}

TEST_CASE("mutated YAML throws Error or is accepted, and never anything else") {
  Config seed_config(experiment_schema());
  const std::string yaml = seed_config.to_yaml();
  Rng rng(13);
  for (int round = 0; round < 1500; ++round) {
    std::string mutant = yaml.substr(0, static_cast<size_t>(rng.below(static_cast<int64_t>(yaml.size()))));
    const int64_t edits = 1 + rng.below(8);
    for (int64_t i = 0; i < edits && !mutant.empty(); ++i) {
      const auto at = static_cast<size_t>(rng.below(static_cast<int64_t>(mutant.size())));
      static const std::string spice = "{}[]:,&*!|>'\"%@`#-?\n\t \0\xff\x80";
      if (rng.chance(0.5))
        mutant[at] = spice[static_cast<size_t>(rng.below(static_cast<int64_t>(spice.size())))];
      else
        mutant.erase(at, static_cast<size_t>(rng.below(20)));
    }
    Config config(experiment_schema());
    try {
      config.apply_yaml(mutant, "fuzz.yaml");
    } catch (const Error& error) {
      REQUIRE(error.code() == ExitCode::kUsage);
    }
  }
  Config config(experiment_schema());
  CHECK_THROWS_AS(config.apply_yaml(std::string(100000, '['), "deep.yaml"), Error);
  CHECK_THROWS_AS(config.apply_yaml("train: &x {train: *x}", "cycle.yaml"), Error);
}

TEST_CASE("edit distance") {
  CHECK(edit_distance("steps", "steps") == 0);
  CHECK(edit_distance("step", "steps") == 1);
  CHECK(edit_distance("stpes", "steps") == 1);
  CHECK(edit_distance("", "abc") == 3);
}
