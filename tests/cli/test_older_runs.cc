// Run directories and packages that another version of tinynas wrote: what is wrong, and what to do.
#include <unistd.h>

#include <filesystem>
#include <functional>

#include "base/error.h"
#include "base/files.h"
#include "base/sha256.h"
#include "binary.h"
#include "cli/run.h"
#include "cli/stage_summary.h"
#include "config/experiment.h"

using namespace tinynas;
using namespace tinynas::testing;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

Config plain_config() {
  ExperimentSources sources;
  sources.efforts_directory = "configs/efforts";
  sources.assignments = {"limits.sram=320k", "limits.flash=1M"};
  return resolve_experiment(sources);
}

// A run directory with nothing finished.
struct OldRun {
  fs::path path = fs::temp_directory_path() / ("tinynas_older_runs_" + std::to_string(::getpid()));
  OldRun() {
    fs::remove_all(path);
    Run::create(path, plain_config());
  }
  ~OldRun() { fs::remove_all(path); }
};

Error error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  FAIL("passed");
  return usage_error("");
}

}  // namespace

TEST_CASE("a state of another format stops every stage before it does anything") {
  const OldRun old;
  nlohmann::json state = nlohmann::json::parse(read_file(old.path / "state.json"));
  state["format"] = "tinynas-state-0";
  write_file_atomic(old.path / "state.json", state.dump());
  for (const char* command : {"quantize ", "export ", "verify ", "report "}) {
    const Outcome outcome = run_tinynas(command + old.path.string());
    CAPTURE(command);
    CHECK(outcome.code == 2);
    CHECK_THAT(outcome.out, Contains("tinynas-state-0") &&
                                Contains("another version of tinynas made this run") &&
                                Contains("another --out") && !Contains("internal error"));
  }
}

TEST_CASE("an option that the run's version knew and this one does not is named") {
  const OldRun old;
  const fs::path file = old.path / "config.resolved.yaml";
  write_file_atomic(file, read_file(file) + "quantise_like_before: true\n");
  for (const char* command : {"quantize ", "report "}) {
    const Outcome outcome = run_tinynas(command + old.path.string());
    CHECK(outcome.code == 2);
    CHECK_THAT(outcome.out, Contains("config.resolved.yaml") && Contains("quantise_like_before"));
  }
}

TEST_CASE("a report of another version is refused by what it lacks") {
  const OldRun old;
  {
    Run run = Run::open(old.path, plain_config());
    run.finish("report", {});
  }
  write_file_atomic(old.path / "result.json",
                    R"({"name": "x", "effort": "quick", "seed": 1, "version": "0.0.1"})");
  const Outcome outcome = run_tinynas("report " + old.path.string());
  CHECK_THAT(outcome.out, !Contains("internal error") && Contains("tinynas"));
#ifdef TINYNAS_WITH_TORCH
  CHECK(outcome.code == 2);  // the stages before it come first
#else
  CHECK(outcome.code == 4);
  CHECK_THAT(outcome.out, Contains("key 'arch' not found; version 0.0.1") &&
                              Contains("report " + old.path.string() + " --again"));
#endif
}

TEST_CASE("a stage that reported less than is needed now is to be repeated") {
  const OldRun old;
  Run run = Run::open(old.path, plain_config());
  CHECK(error_of([&] { StageSummary(run, "quantize"); }).code() == ExitCode::kUsage);
  StageRecord record;
  record.summary = {{"val_accuracy_int8", 0.5}, {"data", {{"name", "x"}}}};
  record.wall_s = 3;
  run.finish("quantize", record);
  const StageSummary summary(run, "quantize");
  CHECK(summary.at("val_accuracy_int8") == 0.5);
  CHECK(summary.at("data.name") == "x");
  CHECK(summary.wall_s() == 3);
  for (const char* path : {"method", "data.checksum", "data.name.first"}) {
    const Error error = error_of([&] { summary.at(path); });
    CHECK(error.code() == ExitCode::kData);
    CHECK_THAT(error.what(),
               Contains(path) && Contains("tinynas quantize " + old.path.string() + " --again"));
  }
}

TEST_CASE("infer says which stage writes the model anew") {
  const OldRun old;
  write_file_atomic(old.path / "model.int8.json", R"({"format": "tinynas-int8-0"})");
  write_file_atomic(old.path / "model.int8.bin", "");
  write_file_atomic(old.path / "in.bin", "x");
  const Outcome outcome =
      run_tinynas("infer " + old.path.string() + " --input " + (old.path / "in.bin").string() + " --output " +
                  (old.path / "out.bin").string());
  CHECK(outcome.code == 4);
  CHECK_THAT(outcome.out,
             Contains("tinynas-int8-0") && Contains("tinynas quantize " + old.path.string() + " --again"));
}

TEST_CASE("verify of a package that another version wrote asks for a new export") {
  const OldRun old;
  fs::remove(old.path / "state.json");
  write_file_atomic(old.path / "report.json", R"({"format": "tinynas-package-1"})");
  write_file_atomic(old.path / "MANIFEST.sha256",
                    sha256_hex(read_file(old.path / "report.json")) + "  report.json\n");
  const Outcome outcome = run_tinynas("verify " + old.path.string());
  CHECK(outcome.code == 4);
  CHECK_THAT(outcome.out, Contains("tinynas-package-1") && Contains("export it again"));
}
