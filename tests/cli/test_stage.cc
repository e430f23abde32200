// The run directory and its stages, with stages that only write files.
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "cli/stage.h"
#include "config/experiment.h"

using namespace tinynas;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

struct TemporaryDirectory {
  fs::path path = fs::temp_directory_path() / ("tinynas_stage_test_" + std::to_string(::getpid()));
  TemporaryDirectory() {
    spdlog::set_level(spdlog::level::off);  // what stages say is not under test
    fs::remove_all(path);
    fs::create_directories(path);
  }
  ~TemporaryDirectory() { fs::remove_all(path); }
};

constexpr int kStages = 3;

// Three stages in a chain; each result depends on the seed, an option of its own and the stage before. They
// count how often they ran, and can be interrupted half way, after a first file was written.
struct FakeChain {
  std::vector<int> runs = std::vector<int>(kStages, 0);
  int interrupt_at = -1;
  int fail_at = -1;

  std::vector<Stage> stages() {
    static const char* keys[kStages] = {"train.steps", "search.generations", "finetune.steps"};
    std::vector<Stage> list;
    for (int i = 0; i < kStages; ++i) {
      const std::string name = "stage" + std::to_string(i);
      Stage stage;
      stage.name = name;
      stage.doc = "a test";
      stage.config_keys = {keys[i], "seed"};
      if (i > 0) stage.inputs = {"stage" + std::to_string(i - 1) + ".out"};
      stage.outputs = {name + ".out", name + ".dir"};
      stage.run = [this, i, name](Run& run) -> nlohmann::json {
        ++runs[static_cast<size_t>(i)];
        fs::create_directories(run.path(name + ".dir"));
        write_file_atomic(run.path(name + ".dir") / "part", "x" + std::to_string(i));
        if (interrupt_at == i) set_interrupted(true);
        check_interrupt();
        if (fail_at == i) throw io_error("no space left on device");
        const std::string before = i > 0 ? read_file(run.path("stage" + std::to_string(i - 1) + ".out")) : "";
        write_file_atomic(run.path(name + ".out"), hash_hex(before + run.config().formatted(keys[i]) +
                                                            run.config().formatted("seed")));
        return {{"number", i}};
      };
      list.push_back(std::move(stage));
    }
    return list;
  }
};

Config config_with(const std::vector<std::string>& assignments) {
  Config config(experiment_schema());
  for (const std::string& assignment : assignments) config.set_assignment(assignment, "--set");
  return config;
}

Config resumed(const fs::path& run, const std::vector<std::string>& assignments = {}) {
  ExperimentSources sources;
  sources.efforts_directory = "configs/efforts";
  sources.previous = run / "config.resolved.yaml";
  sources.assignments = assignments;
  return resolve_experiment(sources);
}

std::string all_outputs(const fs::path& run) {
  std::string text;
  for (int i = 0; i < kStages; ++i) {
    for (const char* kind : {".out", ".dir"}) {
      for (const std::string& file : files_of(run, "stage" + std::to_string(i) + kind)) {
        text += file + "=" + hash_file_hex(run / file) + "\n";
      }
    }
  }
  return text;
}

template <typename Action>
Error error_of(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  FAIL("nothing was thrown");
  throw;
}

}  // namespace

TEST_CASE("a finished run is not repeated") {
  TemporaryDirectory temporary;
  FakeChain chain;
  {
    Run run = Run::create(temporary.path / "r", config_with({}));
    run_stages(run, chain.stages());
    CHECK(run.record("stage1")->summary.at("number") == 1);
    CHECK(run.record("stage1")->wall_s >= 0);
  }
  Run run = Run::open(temporary.path / "r", resumed(temporary.path / "r"));
  run_stages(run, chain.stages());
  CHECK(chain.runs == std::vector<int>{1, 1, 1});
}

TEST_CASE("interrupted at any stage, a run goes on to the same outputs without repeating what was finished") {
  TemporaryDirectory temporary;
  std::string expected;
  {
    FakeChain chain;
    Run run = Run::create(temporary.path / "whole", config_with({"seed=5"}));
    run_stages(run, chain.stages());
    expected = all_outputs(run.directory());
  }
  for (int at = 0; at < kStages; ++at) {
    CAPTURE(at);
    const fs::path directory = temporary.path / ("cut" + std::to_string(at));
    FakeChain chain;
    chain.interrupt_at = at;
    {
      Run run = Run::create(directory, config_with({"seed=5"}));
      CHECK(error_of([&] { run_stages(run, chain.stages()); }).code() == ExitCode::kInterrupted);
    }
    set_interrupted(false);
    chain.interrupt_at = -1;
    Run run = Run::open(directory, resumed(directory));
    CHECK(run.unfinished_seconds("stage" + std::to_string(at)) > 0);
    run_stages(run, chain.stages());
    CHECK(all_outputs(directory) == expected);
    for (int i = 0; i < kStages; ++i) CHECK(chain.runs[static_cast<size_t>(i)] == (i == at ? 2 : 1));
  }
}

TEST_CASE("a stage that fails leaves the ones before it finished") {
  TemporaryDirectory temporary;
  FakeChain chain;
  chain.fail_at = 2;
  Run run = Run::create(temporary.path / "r", config_with({}));
  CHECK(error_of([&] { run_stages(run, chain.stages()); }).code() == ExitCode::kFailure);
  CHECK(run.record("stage1") != nullptr);
  CHECK(run.record("stage2") == nullptr);
  chain.fail_at = -1;
  run_stages(run, chain.stages());
  CHECK(chain.runs == std::vector<int>{1, 1, 2});
}

TEST_CASE("a changed option of a finished stage is refused and named; of a later stage it is taken") {
  TemporaryDirectory temporary;
  const fs::path directory = temporary.path / "r";
  FakeChain chain;
  chain.interrupt_at = 1;
  {
    Run run = Run::create(directory, config_with({"train.steps=10"}));
    CHECK_THROWS_AS(run_stages(run, chain.stages()), Error);
  }
  set_interrupted(false);
  chain.interrupt_at = -1;
  {
    Run run = Run::open(directory, resumed(directory, {"train.steps=11"}));
    const Error error = error_of([&] { run_stages(run, chain.stages()); });
    CHECK(error.code() == ExitCode::kUsage);
    CHECK_THAT(error.what(), Contains("train.steps") && Contains("11") && Contains("10") &&
                                 Contains("stage0") && Contains("--set"));
  }
  Run run = Run::open(directory, resumed(directory, {"finetune.steps=12", "workers=7"}));
  CHECK(run.config().integer("train.steps") == 10);  // the refused value left no trace
  run_stages(run, chain.stages());
  CHECK(chain.runs == std::vector<int>{1, 2, 1});
}

TEST_CASE("an option that a finished stage was run without, by another version, names the stage to repeat") {
  TemporaryDirectory temporary;
  const fs::path directory = temporary.path / "r";
  FakeChain chain;
  {
    Run run = Run::create(directory, config_with({}));
    run_stages(run, chain.stages());
  }
  nlohmann::json state = nlohmann::json::parse(read_file(directory / "state.json"));
  REQUIRE(state["stages"]["stage0"]["config"].erase("train.steps") == 1);
  write_file_atomic(directory / "state.json", state.dump());
  Run run = Run::open(directory, resumed(directory));
  const Error error = error_of([&] { run_stages(run, chain.stages()); });
  CHECK(error.code() == ExitCode::kUsage);
  CHECK_THAT(error.what(), Contains("did not have train.steps") &&
                               Contains("tinynas stage0 " + directory.string() + " --again"));
  CHECK(chain.runs == std::vector<int>{1, 1, 1});
}

TEST_CASE("a damaged output is made again, and what followed it stays where the result is the same") {
  TemporaryDirectory temporary;
  FakeChain chain;
  Run run = Run::create(temporary.path / "r", config_with({}));
  run_stages(run, chain.stages());
  write_file_atomic(run.path("stage1.out"), "scribble");
  run_stages(run, chain.stages());
  CHECK(chain.runs == std::vector<int>{1, 2, 1});
  write_file_atomic(run.path("stage0.dir") / "build.log", "somebody worked here");
  run_stages(run, chain.stages());
  CHECK(chain.runs == std::vector<int>{1, 2, 1});
  fs::remove_all(run.path("stage0.dir"));
  run_stages(run, chain.stages());
  CHECK(chain.runs == std::vector<int>{2, 2, 1});
}

TEST_CASE("one stage alone needs the stages before it and makes later ones stale") {
  TemporaryDirectory temporary;
  FakeChain chain;
  const fs::path directory = temporary.path / "r";
  {
    Run run = Run::create(directory, config_with({}));
    CHECK_THAT(error_of([&] { run_one_stage(run, chain.stages(), "stage1", false); }).what(),
               Contains("'stage0' first"));
    run_stages(run, chain.stages());
    run_one_stage(run, chain.stages(), "stage1", false);
    CHECK(chain.runs == std::vector<int>{1, 1, 1});
    run_one_stage(run, chain.stages(), "stage1", true);
    CHECK(chain.runs == std::vector<int>{1, 2, 1});
    CHECK(run.record("stage2") == nullptr);
    run_stages(run, chain.stages());
  }
  Run run = Run::open(directory, resumed(directory, {"search.generations=3"}));
  run_one_stage(run, chain.stages(), "stage1", false);
  CHECK(chain.runs == std::vector<int>{1, 3, 2});
}

TEST_CASE("two processes do not share a run") {
  TemporaryDirectory temporary;
  Run run = Run::create(temporary.path / "r", config_with({}));
  const Error error = error_of([&] { Run::open(temporary.path / "r", config_with({})); });
  CHECK(error.code() == ExitCode::kUsage);
  CHECK_THAT(error.what(), Contains("another tinynas process"));
}

TEST_CASE("a run is never overwritten") {
  TemporaryDirectory temporary;
  CHECK(new_run_directory(temporary.path, "a") == temporary.path / "a");
  { Run run = Run::create(temporary.path / "a", config_with({})); }
  CHECK(new_run_directory(temporary.path, "a") == temporary.path / "a-2");
  CHECK_THROWS_AS(Run::create(temporary.path / "a", config_with({})), Error);
  CHECK(newest_run(temporary.path) == temporary.path / "a");
  CHECK_THROWS_AS(newest_run(temporary.path / "none"), Error);
}

TEST_CASE("who set an option survives going on") {
  TemporaryDirectory temporary;
  const fs::path directory = temporary.path / "r";
  Config config(experiment_schema());
  config.set("limits.macs", "6M", "effort quick, x.yaml:3");
  config.set("seed", "4", "--seed");
  { Run run = Run::create(directory, config); }
  Run run = Run::open(directory, resumed(directory, {"seed=5"}));
  CHECK(run.config().origin("limits.macs") == "effort quick, x.yaml:3");
  CHECK(set_by_effort(run.config(), "limits.macs"));
  CHECK(run.config().origin("seed") == "--set seed=5");
}

TEST_CASE("a damaged state is an error that names the file") {
  TemporaryDirectory temporary;
  const fs::path directory = temporary.path / "r";
  { Run run = Run::create(directory, config_with({})); }
  const std::string good = read_file(directory / "state.json");
  for (const std::string& bad : {std::string("{"), std::string("[]"), std::string("{\"format\": 1}"),
                                 good.substr(0, good.size() / 2)}) {
    write_file_atomic(directory / "state.json", bad);
    const Error error = error_of([&] { Run::open(directory, config_with({})); });
    CHECK(error.code() == ExitCode::kUsage);
    CHECK_THAT(error.what(), Contains("state.json"));
  }
}
