// The whole chain on real images: `tinynas search --effort smoke` on CIFAR-10.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/files.h"
#include "process.h"
#include "search/trial_store.h"

using namespace tinynas;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

constexpr double kSmokeSeconds = 90;  // the promise, on two quiet cores

fs::path data_root() {
  const char* root = std::getenv("TINYNAS_DATA");
  return root != nullptr ? fs::path(root) : fs::path("datasets/cache");
}

struct Scratch {
  fs::path path = fs::temp_directory_path() / ("tinynas_e2e_" + std::to_string(::getpid()));
  Scratch() {
    fs::remove_all(path);
    fs::create_directories(path);
    if (!fs::is_directory(data_root() / "cifar10")) {
      FAIL("CIFAR-10 is not in " << data_root() << ": run datasets/fetch cifar10 first");
    }
  }
  ~Scratch() { fs::remove_all(path); }
};

nlohmann::json read_json(const fs::path& path) { return nlohmann::json::parse(read_file(path)); }

std::vector<std::string> search_arguments(const fs::path& out, const std::vector<std::string>& more = {}) {
  std::vector<std::string> arguments = {"search", "--sram", "320k", "--flash", "1M",        "--effort",
                                        "smoke",  "--seed", "7",    "--out",   out.string()};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

std::vector<nlohmann::json> events(const fs::path& run, const std::string& kind) {
  std::vector<nlohmann::json> found;
  if (!fs::exists(run / "metrics.jsonl")) return found;
  std::istringstream lines(read_file(run / "metrics.jsonl"));
  for (std::string line; std::getline(lines, line);) {
    // The last line may still be being written.
    const nlohmann::json event = nlohmann::json::parse(line, nullptr, false);
    if (!event.is_discarded() && event.value("event", "") == kind) found.push_back(event);
  }
  return found;
}

bool stage_finished(const fs::path& run, const std::string& stage) {
  for (const nlohmann::json& event : events(run, "stage")) {
    if (event.at("stage") == stage) return true;
  }
  return false;
}

// What must not depend on when the run was done or how often it was interrupted.
nlohmann::json essence(const fs::path& run) {
  const nlohmann::json result = read_json(run / "result.json");
  return {{"chosen", read_json(run / "space.json").at("chosen")},
          {"candidates", read_json(run / "search.json").at("search").at("candidates")},
          {"arch", read_json(run / "arch.json")},
          {"accuracy", result.at("accuracy")},
          {"sram", result.at("sram")},
          {"flash", result.at("flash")}};
}

void check_result(const nlohmann::json& result) {
  for (const char* key : {"arch", "accuracy", "macs", "params", "sram", "flash", "latency_ms", "energy_mj",
                          "limits", "seed", "git_commit", "data_checksum", "wall_s", "caps", "search"}) {
    CAPTURE(key);
    CHECK(result.contains(key));
  }
  for (const char* key : {"supernet", "finetuned_fp32", "int8"}) {
    const double accuracy = result.at("accuracy").at(key).get<double>();
    CHECK(accuracy > 0.0);
    CHECK(accuracy <= 1.0);
  }
  for (const char* key : {"total", "arena", "input", "scratch", "stack"})
    CHECK(result.at("sram").contains(key));
  for (const char* key : {"total", "weights", "tables", "code"}) CHECK(result.at("flash").contains(key));
  CHECK(result.at("sram").at("total").get<int64_t>() <= 320 * 1024);
  CHECK(result.at("flash").at("total").get<int64_t>() <= 1024 * 1024);
  CHECK(result.at("macs").get<int64_t>() <= 2000000);  // smoke's cap, named among the caps
  CHECK(result.at("caps").dump().find("limits.macs") != std::string::npos);
  CHECK(result.at("verify").at("images").get<int64_t>() >= 100);
}

}  // namespace

TEST_CASE("smoke: the chain, its firmware, its repetition, and its interruption") {
  const Scratch scratch;
  const fs::path whole = scratch.path / "whole";
  const Outcome outcome = run_tinynas(search_arguments(whole, {"--json"}), scratch.path);
  INFO(outcome.log);
  REQUIRE(outcome.code == 0);
  check_result(nlohmann::json::parse(outcome.out));
  // CPU time, so that a busy machine does not fail the test: two cores for 90 seconds.
  CHECK(outcome.cpu_s < 2 * kSmokeSeconds);
  WARN("smoke took " << outcome.cpu_s << " CPU seconds");

  const std::string make = "make -C " + (whole / "firmware").string() + " test > " +
                           (scratch.path / "make.log").string() + " 2>&1";
  CHECK(std::system(make.c_str()) == 0);

  SECTION("the report is printed again from what is there, and nothing runs twice") {
    const Outcome report = run_tinynas({"report", whole.string()}, scratch.path);
    CHECK(report.code == 0);
    CHECK_THAT(report.out, Contains("What to hand over") && Contains("int8, test"));
    const Outcome again = run_tinynas({"search", "--resume", "--out", whole.string()}, scratch.path);
    CHECK(again.code == 0);
    CHECK(events(whole, "stage").size() == 8);
  }

  SECTION("another process with one worker and the same seed comes to the same") {
    const fs::path second = scratch.path / "second";
    REQUIRE(run_tinynas(search_arguments(second, {"--workers", "1", "--quiet"}), scratch.path).code == 0);
    CHECK(essence(second) == essence(whole));
  }

  SECTION("a full disk and Ctrl-C at several moments change nothing") {
    const fs::path cut = scratch.path / "cut";
    // The first checkpoint does not fit on the "disk".
    ProcessOptions full_disk;
    full_disk.max_file_bytes = 64 * 1024;
    const Outcome full = run_tinynas(search_arguments(cut), scratch.path, full_disk);
    INFO(full.log);
    CHECK(full.code == 1);
    CHECK_THAT(full.log, Contains(cut.string()) && Contains("is lost") && Contains("--resume"));

    int64_t evaluated_before = 0;
    const std::vector<std::function<bool()>> moments = {
        [&] { return fs::exists(cut / "train.state"); },    [&] { return stage_finished(cut, "train"); },
        [&] { return !events(cut, "generation").empty(); }, [&] { return stage_finished(cut, "evolve"); },
        [&] { return stage_finished(cut, "finetune"); },    [&] { return stage_finished(cut, "export"); },
    };
    for (const auto& moment : moments) {
      ProcessOptions options;
      options.interrupt_when = moment;
      const Outcome interrupted =
          run_tinynas({"search", "--resume", "--out", cut.string()}, scratch.path, options);
      INFO(interrupted.log);
      REQUIRE(interrupted.code == 130);
      CHECK_THAT(interrupted.log, Contains("--resume --out " + cut.string()));
      if (evaluated_before == 0 && !events(cut, "generation").empty())
        evaluated_before = TrialStore(cut / "trials.db").count();
    }
    REQUIRE(run_tinynas({"search", "--resume", "--out", cut.string()}, scratch.path).code == 0);
    CHECK(essence(cut) == essence(whole));
    for (const nlohmann::json& event : events(cut, "stage")) {
      const auto all = events(cut, "stage");
      CHECK(std::count_if(all.begin(), all.end(), [&](const nlohmann::json& other) {
              return other.at("stage") == event.at("stage");
            }) == 1);
    }
    // What was evaluated before the interruption came from the store afterwards (three reference networks
    // aside).
    REQUIRE(evaluated_before > 3);
    CHECK(read_json(cut / "search.json").at("search").at("cached").get<int64_t>() >= evaluated_before - 3);

    const Outcome changed =
        run_tinynas({"search", "--resume", "--out", cut.string(), "--seed", "8"}, scratch.path);
    CHECK(changed.code == 2);
    CHECK_THAT(changed.log, Contains("--seed") && Contains("seed is 8"));
  }
}

TEST_CASE("nothing fits: exit code 3 names the limit, the excess and the smallest network") {
  const Scratch scratch;
  const Outcome outcome = run_tinynas({"search", "--sram", "4k", "--flash", "1M", "--effort", "smoke",
                                       "--out", (scratch.path / "r").string()},
                                      scratch.path);
  INFO(outcome.log);
  CHECK(outcome.code == 3);
  CHECK_THAT(outcome.log, Contains("sram") && Contains("4.0 KiB") && Contains("smallest"));
}

TEST_CASE("bad or missing data: exit code 4 names the file and what brings it") {
  const Scratch scratch;
  const std::vector<std::string> limits = {"search",  "--sram", "320k",
                                           "--flash", "1M",     "--effort",
                                           "smoke",   "--out",  (scratch.path / "r").string()};
  const auto with_data = [&](const fs::path& data) {
    std::vector<std::string> arguments = limits;
    arguments.insert(arguments.end(), {"--data", data.string()});
    return run_tinynas(arguments, scratch.path);
  };
  const Outcome missing = with_data(scratch.path / "nowhere");
  INFO(missing.log);
  CHECK(missing.code == 4);
  CHECK_THAT(missing.log, Contains("nowhere") && Contains("datasets/fetch"));

  fs::create_directories(scratch.path / "photos/train/cat");
  fs::create_directories(scratch.path / "photos/train/dog");
  write_file_atomic(scratch.path / "photos/train/cat/1.png", "\x89PNG\r\n\x1a\n and then nothing of use");
  write_file_atomic(scratch.path / "photos/train/dog/1.jpg", "\xff\xd8\xff and then nothing of use");
  fs::remove_all(scratch.path / "r");
  const Outcome corrupt = with_data(scratch.path / "photos");
  INFO(corrupt.log);
  CHECK(corrupt.code == 4);
  CHECK_THAT(corrupt.log, Contains("photos/train"));
}

namespace {

// Budgets so small that only the plumbing is tested.
const std::vector<std::string> kTiny = {"--effort", "smoke",
                                        "--seed",   "7",
                                        "--set",    "data.max_train_images=400",
                                        "--set",    "data.max_test_images=100",
                                        "--set",    "train.steps=6",
                                        "--set",    "train.checkpoint_every=2",
                                        "--set",    "finetune.steps=4",
                                        "--set",    "space_optimisation.short_training_steps=1",
                                        "--set",    "search.val_images=40",
                                        "--set",    "comparison.networks=1",
                                        "--set",    "quantize.images=16",
                                        "--set",    "verify.images=5"};

std::vector<std::string> with_tiny(std::vector<std::string> arguments) {
  arguments.insert(arguments.end(), kTiny.begin(), kTiny.end());
  return arguments;
}

}  // namespace

TEST_CASE(
    "one supernet, a winner for every board, interrupted and gone on with; and how its ranks are judged") {
  const Scratch scratch;
  const std::vector<std::string> boards = {"stm32f446", "nrf52840"};
  const auto arguments = [&](const fs::path& out) {
    return with_tiny({"search", "--boards", "stm32f446,nrf52840", "--out", out.string(), "--json", "--set",
                      "search.predictor=ridge", "--set", "search.proxy=naswot"});
  };
  const fs::path whole = scratch.path / "whole";
  const Outcome outcome = run_tinynas(arguments(whole), scratch.path);
  INFO(outcome.log);
  REQUIRE(outcome.code == 0);
  const nlohmann::json result = nlohmann::json::parse(outcome.out);
  CHECK(result.at("format") == "tinynas-boards-1");
  REQUIRE(result.at("boards").size() == 2);
  CHECK(fs::exists(whole / "trials.db"));
  for (size_t i = 0; i < boards.size(); ++i) {
    const fs::path folder = whole / boards[i];
    const nlohmann::json& row = result.at("boards")[i];
    const nlohmann::json own = read_json(folder / "result.json");
    CHECK(row.at("board") == boards[i]);
    CHECK(row.at("accuracy") == own.at("accuracy"));
    CHECK(row.at("sram_bytes") <= row.at("sram_limit_bytes"));
    CHECK(row.at("flash_bytes") <= row.at("flash_limit_bytes"));
    CHECK(fs::exists(folder / "firmware" / "Makefile"));
    CHECK_FALSE(fs::exists(folder / "trials.db"));  // shared
    CHECK(read_file(folder / "supernet.safetensors") == read_file(whole / "supernet.safetensors"));
    CHECK(own.at("search").at("predictor").at("measured") == own.at("search").at("evaluated"));
    CHECK(own.at("search").at("proxy").at("proxy") == "naswot");
  }
  // Both boards draw the same first networks: the second finds some of them measured.
  CHECK(result.at("boards")[1].at("cached").get<int>() > 0);

  {  // interrupted at the second board, and gone on with, it comes to the same
    const fs::path cut = scratch.path / "cut";
    ProcessOptions interrupting;
    interrupting.interrupt_when = [&] { return stage_finished(cut / boards[1], "train"); };
    const Outcome stopped = run_tinynas(arguments(cut), scratch.path, interrupting);
    CHECK(stopped.code == 130);
    CHECK_THAT(stopped.log, Contains("--resume --out " + cut.string()));
    const Outcome resumed =
        run_tinynas({"search", "--resume", "--out", cut.string(), "--json"}, scratch.path);
    INFO(resumed.log);
    REQUIRE(resumed.code == 0);
    for (const std::string& board : boards) CHECK(essence(cut / board) == essence(whole / board));
    const Outcome report = run_tinynas({"report", cut.string()}, scratch.path);
    CHECK_THAT(report.out, Contains("stm32f446") && Contains("nrf52840") && Contains("int8 test"));
  }

  {  // rank trains networks alone over several sittings, and keeps each
    const std::string run = (whole / boards[0]).string();
    const std::vector<std::string> rank = {
        "rank", run, "--networks", "6", "--steps", "3", "--predictor-networks", "12", "--json"};
    std::vector<std::string> two = rank;
    two.insert(two.end(), {"--most", "2"});
    const Outcome first = run_tinynas(two, scratch.path);
    INFO(first.log);
    REQUIRE(first.code == 0);
    const nlohmann::json begun = nlohmann::json::parse(first.out);
    CHECK(begun.at("trust").at("run") == 2);
    CHECK_THAT(read_file(fs::path(run) / "rank" / "rank.csv"), Contains("not run"));
    const Outcome second = run_tinynas(rank, scratch.path);
    INFO(second.log);
    REQUIRE(second.code == 0);
    const nlohmann::json done = nlohmann::json::parse(second.out);
    CHECK(done.at("trust").at("run") == 6);
    for (size_t i = 0; i < 2; ++i) CHECK(done.at("networks")[i] == begun.at("networks")[i]);
    CHECK_THAT(read_file(fs::path(run) / "rank" / "rank.csv"), !Contains("not run"));
    CHECK_THAT(read_file(fs::path(run) / "rank" / "rank.svg"), Contains("6 of 6 networks run"));
    // In one sitting, elsewhere: the same figures.
    std::vector<std::string> elsewhere = rank;
    elsewhere.insert(elsewhere.end(), {"--out", (scratch.path / "elsewhere").string()});
    const Outcome at_once = run_tinynas(elsewhere, scratch.path);
    REQUIRE(at_once.code == 0);
    CHECK(nlohmann::json::parse(at_once.out).at("networks") == done.at("networks"));
    const Outcome other = run_tinynas({"rank", run, "--networks", "6", "--steps", "4"}, scratch.path);
    CHECK(other.code == 2);
    CHECK_THAT(other.log, Contains("other settings") && Contains("--again"));
    CHECK(run_tinynas({"rank", whole.string()}, scratch.path).code == 2);
  }
}
