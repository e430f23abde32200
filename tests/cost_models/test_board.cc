#include <unistd.h>
#include <catch2/catch.hpp>

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

std::string error_of(const std::string& content) {
  const BoardFile file(content);
  try {
    load_board(file.path());
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

TEST_CASE("the boards of configs/boards load and can be estimated for") {
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
    CHECK_THAT(board.latency_source, Contains("op-count model"));
    CHECK_THAT(board.core, Contains("cortex-m"));
    CostOptions options;
    options.board = &board;
    CHECK(*estimate(graph, options).latency_ms > 0);
  }
  CHECK(names.size() == boards.size());
  CHECK(names.count("stm32f746") == 1);
  const Board f746 = load_board("configs/boards/stm32f746.yaml");
  CHECK(f746.sram_bytes == 320 * 1024);
  CHECK(f746.flash_bytes == 1024 * 1024);
  CHECK(f746.clock_hz == 216e6);
}

TEST_CASE("board errors name the file and the key") {
  const std::string good = read_file("configs/boards/stm32f746.yaml");
  CHECK(error_of(good) == "accepted");
  CHECK_THAT(error_of(replaced(good, "clock:", "clokc:")), Contains("\"clokc\", did you mean \"clock\"?"));
  CHECK_THAT(error_of(replaced(good, "sram: 320k", "sram: 320q")), Contains("sram") && Contains("320q"));
  CHECK_THAT(error_of(replaced(good, "sram: 320k", "sram: 2k")), Contains("sram_reserve"));
  CHECK_THAT(error_of(replaced(good, "  add: ", "  sum: ")),
             Contains("cycles_per_unit") && Contains("\"sum\""));
  CHECK_THAT(error_of(replaced(good, "  conv2d: 5.47", "  conv2d: -1")),
             Contains("conv2d") && Contains("-1"));
  CHECK_THAT(error_of(replaced(good, "  conv2d: 5.47\n", "")), Contains("conv2d: is missing"));
  CHECK_THAT(error_of("- a\n- b\n"), Contains("mapping"));
  CHECK_THAT(error_of("a: [b\n"), Contains("YAML"));
  CHECK_THROWS_WITH(load_board("no/such.yaml"), Contains("no/such.yaml"));
  CHECK_THROWS_WITH(load_boards("no/such"), Contains("no/such"));
}

TEST_CASE("mutated board files throw Error or load") {
  Rng rng(101);
  const std::string good = read_file("configs/boards/stm32f746.yaml");
  for (int round = 0; round < 400; ++round) {
    std::string text = good;
    for (int64_t edits = 1 + rng.below(4); edits > 0; --edits) {
      text[static_cast<size_t>(rng.below(static_cast<int64_t>(text.size())))] =
          static_cast<char>(rng.below(256));
    }
    const BoardFile file(text);
    try {
      const Board board = load_board(file.path());
      CHECK(board.clock_hz > 0);
    } catch (const Error& error) {
      CHECK(error.code() == ExitCode::kUsage);
    }
  }
}
