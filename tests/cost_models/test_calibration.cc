#include "cost_models/calibration.h"

#include <unistd.h>

#include <catch2/catch.hpp>

#include "../graph/reference_networks.h"
#include "base/error.h"
#include "base/files.h"
#include "base/rng.h"
#include "cost_models/costs.h"
#include "graph/lower.h"

using namespace tinynas;
using namespace tinynas::testing;
using Catch::Matchers::Contains;

namespace {

namespace fs = std::filesystem;

class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("tinynas_calibration_" + std::to_string(::getpid()))) {
    fs::create_directories(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  fs::path write(const std::string& name, const std::string& text) const {
    write_file_atomic(path_ / name, text);
    return path_ / name;
  }

 private:
  fs::path path_;
};

const Measurements& measurements() {
  static const Measurements loaded = load_measurements("configs/measurements");
  return loaded;
}

// "<percent of width>.net": MobileNetV2 of that width; others do not exist.
Graph load(const fs::path& file, std::optional<int> resolution) {
  if (file.extension() != ".net") throw usage_error(file.string() + ": is no network");
  const ReferenceNetwork net =
      mobilenet_v2(std::stod(file.stem().string()) / 100, resolution.value_or(96), 1280);
  return lower(net.space, net.architecture, 10);
}

double latency_ms(const Board& board, const Graph& graph) {
  CostOptions options;
  options.board = &board;
  return *estimate(graph, options).latency_ms;
}

std::string error_of(const Folder& folder, const std::string& table) {
  const Board board = load_board("configs/boards/stm32f746.yaml", measurements());
  const fs::path csv = folder.write("bad.csv", table);
  try {
    read_user_measurements(csv, board, measurements(), load);
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::kUsage);
    CHECK_THAT(error.what(), Contains("bad.csv"));
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("a calibrated board predicts what was measured, and says that it was") {
  const Folder folder;
  const fs::path board_file = "configs/boards/stm32f746.yaml";
  const Board board = load_board(board_file, measurements());
  CHECK(board.latency_model(Runtime::kTinynas)->basis == LatencyBasis::kUncalibrated);
  // A board that takes 0.6 of the modelled time and 3 ms for each inference.
  std::string table = "file,resolution,latency_ms\n";
  for (const int percent : {20, 35, 50, 75}) {
    for (const int resolution : {64, 96}) {
      const Graph graph = load(std::to_string(percent) + ".net", resolution);
      table += std::to_string(percent) + ".net," + std::to_string(resolution) + "," +
               std::to_string(0.6 * latency_ms(board, graph) + 3) + "\n";
    }
  }
  const auto rows = read_user_measurements(folder.write("mine.csv", table), board, measurements(), load);
  REQUIRE(rows.size() == 8);
  const fs::path out = folder.write("my.yaml", calibrated_board(board_file, Runtime::kTinynas, rows,
                                                                "mine.csv", measurements().kernels_hash));
  const Board mine = load_board(out, measurements());
  const LatencyModel& model = *mine.latency_model(Runtime::kTinynas);
  CHECK(model.basis == LatencyBasis::kMeasured);
  CHECK_THAT(model.source, Contains("mine.csv"));
  CHECK(model.groups[0].fixed_ms == Approx(3).epsilon(1e-3));
  CHECK(*model.groups[0].quality.error_band < 1e-3);
  const Graph unseen = load("60.net", 80);
  CHECK(latency_ms(mine, unseen) == Approx(0.6 * latency_ms(board, unseen) + 3).epsilon(1e-3));
  // Everything else is the board's, and the other runtime keeps its model.
  CHECK(mine.name == board.name);
  CHECK(mine.sram_bytes == board.sram_bytes);
  CHECK(mine.sources == board.sources);
  CHECK(mine.latency_model(Runtime::kTflm)->basis == LatencyBasis::kPublished);

  // Once more for the other runtime, by MACs: both are kept.
  const fs::path by_macs = folder.write("macs.csv", "macs,latency_ms\n1e6,11\n2e6,21\n5e6,51\n");
  const auto more = read_user_measurements(by_macs, mine, measurements(), load);
  const fs::path both = folder.write(
      "both.yaml", calibrated_board(out, Runtime::kTflm, more, "macs.csv", measurements().kernels_hash));
  const Board calibrated = load_board(both, measurements());
  CHECK(calibrated.latency_model(Runtime::kTinynas)->basis == LatencyBasis::kMeasured);
  CHECK(calibrated.latency_model(Runtime::kTflm)->basis == LatencyBasis::kMeasured);
  CHECK(calibrated.latency_model(Runtime::kTflm)->groups[0].fixed_ms == Approx(1));

  // Calibrated against kernels that are no longer these.
  Measurements other = measurements();
  other.kernels_hash = "another";
  CHECK_THROWS_WITH(load_board(out, other), Contains("my.yaml") && Contains("calibrate again"));
}

TEST_CASE("errors of measurements name the file and the line") {
  const Folder folder;
  CHECK(error_of(folder, "macs,latency_ms\n1e6,2\n2e6,3\n3e6,4\n") == "accepted");
  CHECK_THAT(error_of(folder, "macs,latency_ms\n1e6,2\n2e6,3\n"), Contains("at least 3"));
  // Two amounts of work lie on a line whatever was measured, one on every line.
  CHECK_THAT(error_of(folder, "macs,latency_ms\n10e6,100\n10e6,100\n50e6,400\n"),
             Contains("3 measurements of 2 different amounts of work"));
  CHECK_THAT(error_of(folder, "macs,latency_ms\n1e6,2\n1e6,2\n1e6,2\n"),
             Contains("3 measurements of 1 different amounts of work"));
  CHECK_THAT(error_of(folder, "macs,latency_ms\n1e306,1e307\n5e306,5e307\n9e306,1e308\n2e307,1.7e308\n"),
             Contains("too large"));
  for (const char* falling : {"1e6,9\n2e6,7\n3e6,5\n", "1e6,5\n2e6,5\n3e6,5\n", "1e6,8\n4e6,3\n2e6,8\n"}) {
    CHECK_THAT(error_of(folder, std::string("macs,latency_ms\n") + falling),
               Contains("do not grow with the work"));
  }
  // The slope is above 0 and explains less than nothing: relative errors weigh the small ones.
  CHECK_THAT(error_of(folder, "macs,latency_ms\n1e6,2\n2e6,9\n3e6,60\n4e6,60\n"), Contains("r2 -0.70"));
  CHECK_THAT(error_of(folder, "latency_ms\n1\n2\n3\n"), Contains("one of the two"));
  CHECK_THAT(error_of(folder, "file,macs,latency_ms\na,1,1\n"), Contains("one of the two"));
  CHECK_THAT(error_of(folder, "macs,latency\n1e6,2\n"), Contains("did you mean \"latency_ms\""));
  for (const char* bad : {"nan", "-3", "0", "inf", "fast"}) {
    const std::string value(bad);
    CHECK_THAT(error_of(folder, "macs,latency_ms\n1e6,2\n2e6," + value + "\n3e6,4\n"),
               Contains("bad.csv:3: latency_ms: got '" + value + "'"));
    CHECK_THAT(error_of(folder, "macs,latency_ms\n1e6,2\n2e6,3\n" + value + ",4\n"),
               Contains("bad.csv:4: macs"));
  }
  CHECK_THAT(error_of(folder, "file,latency_ms\n20.net,2\nx.json,3\n35.net,4\n"),
             Contains("bad.csv:3") && Contains("is no network"));
  CHECK_THAT(error_of(folder, "file,resolution,latency_ms\n20.net,64.5,2\n"),
             Contains("bad.csv:2: resolution"));
}

TEST_CASE("mutated measurements throw Error or are read") {
  const Folder folder;
  Rng rng(331);
  const std::string good = "macs,latency_ms\n1e6,2\n2e6,3\n3e6,4.5\n4e6,5\n";
  for (int round = 0; round < 300; ++round) {
    std::string text = good;
    for (int64_t edits = 1 + rng.below(4); edits > 0; --edits) {
      text[static_cast<size_t>(rng.below(static_cast<int64_t>(text.size())))] =
          static_cast<char>(rng.below(256));
    }
    error_of(folder, text);
  }
}
