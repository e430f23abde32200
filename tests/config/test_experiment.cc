#include <catch2/catch.hpp>
#include <filesystem>

#include "base/error.h"
#include "base/files.h"
#include "config/experiment.h"

using namespace tinynas;
using Catch::Matchers::Contains;

namespace {

struct TemporaryFile {
  std::filesystem::path path;
  explicit TemporaryFile(const std::string& content) {
    path = std::filesystem::temp_directory_path() /
           ("tinynas_config_test_" + std::to_string(::getpid()) + ".yaml");
    write_file_atomic(path, content);
  }
  ~TemporaryFile() { std::filesystem::remove(path); }
};

}  // namespace

TEST_CASE("effort preset < config file < --set < flags") {
  const TemporaryFile file("effort: smoke\ntrain: {steps: 11, batch_size: 22}\nfinetune: {steps: 33}\n");
  ExperimentSources sources;
  sources.efforts_directory = "configs/efforts";
  sources.config_file = file.path;
  sources.assignments = {"train.batch_size=44", "finetune.steps=55", "limits.sram=1k"};
  sources.flags = {{"--sram", "limits.sram", "320k"}};
  const Config config = resolve_experiment(sources);
  CHECK(config.text("effort") == "smoke");
  CHECK(config.integer("data.max_train_images") == 2000);  // the preset that the file named
  CHECK(config.integer("train.steps") == 11);
  CHECK(config.integer("train.batch_size") == 44);
  CHECK(config.integer("finetune.steps") == 55);
  CHECK(config.optional_integer("limits.sram") == 320 * 1024);
  CHECK(config.origin("limits.sram") == "--sram");
  CHECK(set_by_effort(config, "limits.macs"));
  CHECK(!set_by_effort(config, "train.steps"));
}

TEST_CASE("a flag names another effort than the file, and its preset stays below the file") {
  const TemporaryFile file("effort: smoke\ntrain: {steps: 11}\n");
  ExperimentSources sources;
  sources.efforts_directory = "configs/efforts";
  sources.config_file = file.path;
  sources.flags = {{"--effort", "effort", "standard"}};
  const Config config = resolve_experiment(sources);
  CHECK(config.text("effort") == "standard");
  CHECK(config.integer("data.max_train_images") == 0);
  CHECK(config.integer("train.steps") == 11);
}

TEST_CASE("a run that goes on starts from its own configuration and not from the preset") {
  ExperimentSources first;
  first.efforts_directory = "configs/efforts";
  first.flags = {{"--effort", "effort", "smoke"}, {"--max-macs", "limits.macs", "none"}};
  const Config before = resolve_experiment(first);
  const TemporaryFile resolved(before.to_yaml());
  ExperimentSources second;
  second.efforts_directory = "configs/efforts";
  second.previous = resolved.path;
  CHECK(resolve_experiment(second).to_json() == before.to_json());
  second.assignments = {"train.steps=9"};
  CHECK(resolve_experiment(second).integer("train.steps") == 9);
}

TEST_CASE("every file in configs/ is a valid experiment") {
  for (const auto& entry : std::filesystem::directory_iterator("configs")) {
    if (entry.path().extension() != ".yaml") continue;
    CAPTURE(entry.path());
    ExperimentSources sources;
    sources.efforts_directory = "configs/efforts";
    sources.config_file = entry.path();
    CHECK_NOTHROW(resolve_experiment(sources));
  }
  for (const char* effort : {"smoke", "quick", "standard", "full"}) {
    ExperimentSources sources;
    sources.efforts_directory = "configs/efforts";
    sources.flags = {{"--effort", "effort", effort}};
    CHECK_NOTHROW(resolve_experiment(sources));
  }
}

TEST_CASE("a missing config file is a usage error that names it") {
  ExperimentSources sources;
  sources.efforts_directory = "configs/efforts";
  sources.config_file = "no/such.yaml";
  try {
    resolve_experiment(sources);
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::kUsage);
    CHECK_THAT(error.what(), Contains("no/such.yaml"));
  }
}
