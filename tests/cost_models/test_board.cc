#include <unistd.h>
#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/rng.h"
#include "cost_models/costs.h"
#include "graph/lower.h"

using namespace tinynas;
using Catch::Matchers::Contains;

namespace {

// A board file that is there during a test.
class BoardFile {
 public:
  explicit BoardFile(const std::string& content)
      : path_(std::filesystem::temp_directory_path() /
              ("tinynas_board_" + std::to_string(::getpid()) + ".yaml")) {
    write_file_atomic(path_, content);
  }
  ~BoardFile() { std::filesystem::remove(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

const Measurements& measurements() {
  static const Measurements loaded = load_measurements("configs/measurements");
  return loaded;
}

std::string error_of(const std::string& content) {
  const BoardFile file(content);
  try {
    load_board(file.path(), measurements());
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::kUsage);
    CHECK_THAT(error.what(), Contains(file.path().string()));
    return error.what();
  }
  return "accepted";
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("the boards of configs/boards load, say where each fact comes from, and can be estimated for") {
  const std::vector<Board> boards = load_boards("configs/boards");
  std::set<std::string> names;
  SearchSpace space;
  space.stages = {{16, 1, {3}, {1}, {1}}, {24, 2, {3}, {6}, {2}}};
  space.widths = {1.0};
  space.resolutions = {32};
  const Graph graph = lower(space, largest(space, {1.0, 32}), 10);
  for (const Board& board : boards) {
    CAPTURE(board.name);
    names.insert(board.name);
    CHECK(std::filesystem::exists("configs/boards/" + board.name + ".yaml"));
    for (const char* fact :
         {"part", "core", "isa", "clock", "memory", "flash", "flash_reserve", "price_class"}) {
      REQUIRE(board.sources.count(fact) == 1);
      CHECK(board.sources.at(fact).size() > 5);
    }
    CHECK(board.sources.count("active_power_mw") == (board.active_power_mw > 0 ? 1 : 0));
    CHECK(board.latency_models.size() == 2);
    for (const LatencyModel& model : board.latency_models) CHECK(model.source.size() > 20);
    CostOptions options;
    options.board = &board;
    CHECK(*estimate(graph, options).latency_ms > 0);
  }
  CHECK(names == std::set<std::string>{"apollo4", "corstone300", "esp32s3", "imxrt1062", "nrf52840", "rp2040",
                                       "rp2350", "stm32f412", "stm32f446", "stm32f746", "stm32f765",
                                       "stm32f767", "stm32h743", "stm32l4r5", "stm32u575"});
  const Board f746 = load_board("configs/boards/stm32f746.yaml");
  CHECK(f746.sram_bytes == 320 * 1024);
  CHECK(f746.flash_bytes == 1024 * 1024);
  CHECK(f746.clock_hz == 216e6);
  CHECK(f746.latency_model(Runtime::kTflm)->basis == LatencyBasis::kPublished);
  const Board h743 = load_board("configs/boards/stm32h743.yaml");
  CHECK(h743.sram_bytes == 512 * 1024);
  const std::vector<MemorySpan> spans = arena_spans(h743.memory);
  REQUIRE(spans.size() == 4);
  CHECK(spans[1].name == "SRAM1 + SRAM2 + SRAM3");
  CHECK(spans[1].size_bytes == 288 * 1024);
}

TEST_CASE("spans are the runs of adjacent regions, in whatever order the file has them") {
  Rng rng(102);
  for (int round = 0; round < 200; ++round) {
    // A row of regions with a gap after some; every stretch between gaps is one span.
    std::vector<MemoryRegion> memory;
    std::vector<int64_t> sizes{0};
    int64_t base = 0x20000000;
    for (int64_t count = 1 + rng.below(6); count > 0; --count) {
      const int64_t size = 1024 * (1 + rng.below(64));
      memory.push_back({"R" + std::to_string(memory.size()), "sram", base, size, 0, "fast"});
      sizes.back() += size;
      base += size;
      if (rng.below(2) == 0) {
        base += 4096;
        sizes.push_back(0);
      }
    }
    memory.push_back({"ITCM", "itcm", base, 1 << 20, 0, "fast"});  // adjacent, and no place for an arena
    for (size_t i = memory.size(); i > 1; --i) {
      std::swap(memory[i - 1], memory[static_cast<size_t>(rng.below(static_cast<int64_t>(i)))]);
    }
    if (sizes.back() == 0) sizes.pop_back();
    std::sort(sizes.rbegin(), sizes.rend());
    std::vector<int64_t> got;
    for (const MemorySpan& span : arena_spans(memory)) got.push_back(span.size_bytes);
    CHECK(got == sizes);
  }
}

TEST_CASE("board errors name the file and the key") {
  const std::string good = read_file("configs/boards/stm32f746.yaml");
  CHECK(error_of(good) == "accepted");
  CHECK_THAT(error_of(replaced(good, "clock:", "clokc:")), Contains("\"clokc\", did you mean \"clock\"?"));
  CHECK_THAT(error_of(replaced(good, "size: 64k", "size: 64q")),
             Contains("memory[1]") && Contains("size") && Contains("64q"));
  CHECK_THAT(error_of(replaced(good, "size: 64k", "size: 0")),
             Contains("memory[1]") && Contains("more than 0"));
  CHECK_THAT(error_of(replaced(good, "size: 64k", "size: 128k")), Contains("DTCM and SRAM1 overlap"));
  CHECK_THAT(error_of(replaced(good, "size: 240k", "size: 8G")), Contains("memory[2]") && Contains("32-bit"));
  CHECK_THAT(error_of(replaced(good, "kind: dtcm", "kind: tcm")), Contains("got 'tcm'") && Contains("dtcm"));
  CHECK_THAT(error_of(replaced(good, "base: 0x20000000", "base: here")),
             Contains("base") && Contains("'here'"));
  CHECK_THAT(error_of(replaced(good, "reserve: 4k", "reserve: 65k")), Contains("reserve"));
  CHECK_THAT(error_of(replaced(good, "flash_reserve: 16k", "flash_reserve: 1M")), Contains("flash_reserve"));
  CHECK_THAT(error_of(replaced(good, "clock: 216M", "clock: 0")), Contains("clock"));
  CHECK_THAT(error_of(replaced(good, "clock: 216M", "clock: 216MHz")),
             Contains("clock: got '216MHz', expected the Hz without their unit, '216M'"));
  CHECK_THAT(error_of(good + "---\nname: second\n"), Contains("expected one document, got more behind it"));
  CHECK_THAT(error_of(good + "xyzzyx: 1\n"), Contains("unknown key \"xyzzyx\", expected part, "));
  CHECK_THAT(error_of(replaced(good, "active_power_mw: 337", "active_power_mw: .nan")),
             Contains("active_power_mw"));
  // Every fact needs its source, and no source may be of a fact that is not there.
  CHECK_THAT(error_of(replaced(good, "  clock: \"ST", "  core: \"ST")),
             Contains("sources") && Contains("core"));
  CHECK_THAT(error_of(replaced(good, "  flash: \"", "  flush: \"")), Contains("\"flush\""));
  CHECK_THAT(error_of("- a\n- b\n"), Contains("mapping"));
  CHECK_THAT(error_of("a: [b\n"), Contains("YAML"));
  CHECK_THROWS_WITH(load_board("no/such.yaml"), Contains("no/such.yaml"));
  CHECK_THROWS_WITH(load_boards("no/such"), Contains("no/such"));
}

TEST_CASE("mutated board files throw Error or load") {
  Rng rng(101);
  std::string good = read_file("configs/boards/stm32f746.yaml");
  good += "measured:\n  - runtime: tinynas\n    source: s\n    kernels: k\n    rows:\n";
  for (const char* row : {"1e6, latency_ms: 2", "2e6, latency_ms: 4", "3e6, latency_ms: 5"}) {
    good += std::string("      - {from: a, macs: ") + row + "}\n";
  }
  REQUIRE(error_of(good) == "accepted");
  for (int round = 0; round < 400; ++round) {
    std::string text = good;
    for (int64_t edits = 1 + rng.below(4); edits > 0; --edits) {
      text[static_cast<size_t>(rng.below(static_cast<int64_t>(text.size())))] =
          static_cast<char>(rng.below(256));
    }
    const BoardFile file(text);
    try {
      const Board board = load_board(file.path(), measurements());
      CHECK(board.clock_hz > 0);
    } catch (const Error& error) {
      CHECK(error.code() == ExitCode::kUsage);
    }
  }
}
