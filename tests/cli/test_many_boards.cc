#include <catch2/catch.hpp>
#include <filesystem>

#include "base/error.h"
#include "base/files.h"
#include "binary.h"
#include "cli/many_boards.h"
#include "cli/workbench.h"
#include "config/experiment.h"

using namespace tinynas;
using namespace tinynas::testing;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

Config config_with(const std::vector<std::string>& assignments) {
  ExperimentSources sources;
  sources.efforts_directory = "configs/efforts";
  sources.assignments = assignments;
  return resolve_experiment(sources);
}

}  // namespace

TEST_CASE("boards are a list of names, none of them empty or twice") {
  CHECK(board_names(config_with({})).empty());
  CHECK(board_names(config_with({"boards=stm32f746"})) == std::vector<std::string>{"stm32f746"});
  CHECK(board_names(config_with({"boards=stm32f746, stm32f446"})) ==
        std::vector<std::string>{"stm32f746", "stm32f446"});
  for (const char* wrong : {"boards=a,,b", "boards=a,b,a", "boards=,"})
    CHECK_THROWS_WITH(board_names(config_with({wrong})), Contains(": boards: got"));
}

TEST_CASE("each board has its own limits, kernels and constraint, and the shared caps") {
  const Config config = config_with({"boards=stm32f746,stm32f446", "limits.macs=5M"});
  const Workbench bench(config);
  REQUIRE(bench.boards().size() == 2);
  CHECK(bench.board() == nullptr);
  SearchSpace space;
  space.name = "s";
  space.stages = {{16, 2, {3, 5}, {3, 4}, {1, 2}}};
  space.widths = {1.0};
  space.resolutions = {32};
  const std::vector<Constraint> constraints = bench.constraints(space, 10);
  REQUIRE(constraints.size() == 2);
  for (size_t i = 0; i < 2; ++i) {
    const Config one = config_of_board(config, bench.boards()[i].name);
    const Workbench alone(one);
    CHECK(constraints[i].limits().sram_bytes == bench.boards()[i].sram_bytes);
    CHECK(constraints[i].limits().flash_bytes == bench.boards()[i].flash_bytes);
    CHECK(constraints[i].limits().macs == 5000000);
    CHECK(constraints[i].key() == alone.constraint(space, 10).key());
  }
  CHECK(constraints[0].key() != constraints[1].key());
}

TEST_CASE("boards beside a single chip, and boards that are none, are refused before anything is made") {
  const fs::path out = fs::temp_directory_path() / ("tinynas_boards_" + std::to_string(::getpid()));
  const auto outcome = [&](const std::string& arguments) {
    return run_tinynas("search --out " + out.string() + " " + arguments);
  };
  const Outcome beside = outcome("--boards stm32f746,stm32f446 --sram 320k");
  CHECK(beside.code == 2);
  CHECK_THAT(beside.out,
             Contains("--boards: boards: every board has its own memory") && Contains("limits.sram"));
  CHECK_THAT(outcome("--boards stm32f746,stm32f446 --board rp2040").out, Contains("but board is given too"));
  const Outcome unknown = outcome("--boards stm32f746,stm32f4466");
  CHECK(unknown.code == 2);
  CHECK_THAT(unknown.out, Contains("--boards: boards") && Contains("stm32f4466"));
  CHECK_THAT(outcome("--boards stm32f746,rp2040 --max-energy 1mJ").out, Contains("limits.energy"));
  CHECK_FALSE(fs::exists(out));
  const Outcome dry = outcome("--boards stm32f746,stm32f446 --dry-run");
  CHECK(dry.code == 0);
  CHECK_THAT(dry.out, Contains("boards: stm32f746,stm32f446"));
}

TEST_CASE("stages of one board are refused on the run of several, with the commands that work") {
  const fs::path out = fs::temp_directory_path() / ("tinynas_boards_" + std::to_string(::getpid()));
  fs::remove_all(out);
  { Run::create(out, config_with({"boards=stm32f746,stm32f446"})); }
  const Outcome outcome = run_tinynas("quantize " + out.string());
  CHECK(outcome.code == 2);
  CHECK_THAT(outcome.out, Contains("serves several boards") &&
                              Contains("tinynas quantize " + (out / "stm32f446").string()));
  const Outcome report = run_tinynas("report " + out.string());
  CHECK(report.code == 2);
  CHECK_THAT(report.out, Contains("not finished"));
  fs::remove_all(out);
}

TEST_CASE("the table of boards has a row for each, and says what has no limit or latency") {
  const nlohmann::json result = nlohmann::json::parse(R"({
    "name": "cifar10", "effort": "quick", "seed": 3, "directory": "runs/b",
    "space": {"chosen": {"width": 0.5, "resolution": 32}}, "wall_s": {"space": 2, "train": 60},
    "boards": [
      {"board": "one", "directory": "runs/b/one", "arch": "w0.50-r32:k3e1", "accuracy": {"int8": 0.8123, "finetuned_fp32": 0.82},
       "macs": 5000000, "params": 1000, "sram_bytes": 102400, "sram_limit_bytes": 204800, "flash_bytes": 51200,
       "flash_limit_bytes": null, "latency_ms": 12.34, "evaluated": 64, "cached": 3, "wall_s": 100},
      {"board": "two", "directory": "runs/b/two", "arch": "w0.50-r32:k5e1", "accuracy": {"int8": 0.7, "finetuned_fp32": 0.71},
       "macs": 1000000, "params": 1000, "sram_bytes": 10240, "sram_limit_bytes": 20480, "flash_bytes": 5120,
       "flash_limit_bytes": 10240, "latency_ms": null, "evaluated": 64, "cached": 3, "wall_s": 30}]})");
  const std::string text = render_boards(result);
  for (const char* part : {"winner for each of 2 boards", "81.23 %", "100.0 KiB   50 %", "12.3 ms",
                           "runs/b/two", "w0.50-r32:k5e1", "3:12"}) {
    CAPTURE(part);
    CHECK_THAT(text, Contains(part));
  }
}
