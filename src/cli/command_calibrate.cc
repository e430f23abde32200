#include <fmt/format.h>

#include <iostream>
#include <memory>

#include "base/error.h"
#include "base/files.h"
#include "cli/commands.h"
#include "cli/experiment_flags.h"
#include "cli/paths.h"
#include "cli/workbench.h"
#include "cost_models/calibration.h"
#include "graph/network_file.h"

namespace tinynas {
namespace {

struct CalibrateFlags {
  std::string board;
  std::string measurements;
  std::string out;  // empty = <name of the board's file>-calibrated.yaml
  std::string runtime = "tinynas";
  OutputFlags output;
};

nlohmann::json rows_json(const std::vector<MeasuredLatency>& rows, const LinearFit& fit) {
  nlohmann::json json = nlohmann::json::array();
  for (size_t i = 0; i < rows.size(); ++i) {
    json.push_back({{"from", rows[i].from},
                    {"macs", rows[i].macs},
                    {"measured_ms", rows[i].latency_ms},
                    {"fitted_ms", fit.fitted[i]},
                    {"residual_ms", rows[i].latency_ms - fit.fitted[i]}});
  }
  return json;
}

void print(const LatencyModel& model, const std::vector<MeasuredLatency>& rows, const LinearFit& fit,
           const std::string& out) {
  const LatencyGroup& group = model.groups.front();
  std::cout << fmt::format("{} measurements, r2 {}, fixed cost {:.3g} ms; {}\n", rows.size(),
                           group.quality.r2 ? fmt::format("{:.4f}", *group.quality.r2) : "not defined",
                           group.fixed_ms, model.describe(group.quality));
  std::cout << fmt::format("{:<40} {:>14} {:>14} {:>14} {:>14} {:>9}\n", "network", "MACs", "measured",
                           "fitted", "residual", "relative");
  for (size_t i = 0; i < rows.size(); ++i) {
    const double residual = rows[i].latency_ms - fit.fitted[i];
    std::cout << fmt::format("{:<40} {:>14.0f} {:>11.3f} ms {:>11.3f} ms {:>+11.3f} ms {:>+7.1f} %\n",
                             rows[i].from, rows[i].macs, rows[i].latency_ms, fit.fitted[i], residual,
                             100 * residual / rows[i].latency_ms);
  }
  std::cout << "written to " << out << "; use it with --board " << out << std::endl;
}

void calibrate(const CalibrateFlags& flags) {
  flags.output.apply();
  const Runtime runtime = runtime_from_name(flags.runtime, "--runtime");
  const std::filesystem::path board_file = find_config("boards", flags.board, "--board");
  const Measurements measurements = load_measurements(measurements_directory());
  const Board board = load_board(board_file, measurements);
  const std::vector<MeasuredLatency> rows = read_user_measurements(
      flags.measurements, board, measurements,
      [](const auto& file, auto resolution) { return load_network(file, resolution).graph; });
  const LinearFit fit = fit_measured(rows, flags.measurements);
  // By the file's name, which has no folder in it; the name inside the file may be anything.
  const std::string out = flags.out.empty() ? board_file.stem().string() + "-calibrated.yaml" : flags.out;
  std::error_code none;  // of files that are not there
  if (std::filesystem::equivalent(out, flags.measurements, none))
    throw usage_error("--out: got '" + out + "', which holds the measurements; expected another file");
  const std::string source = fmt::format("{} measurements of {}", rows.size(),
                                         std::filesystem::path(flags.measurements).filename().string());
  write_file_atomic(out, calibrated_board(board_file, runtime, rows, source, measurements.kernels_hash));
  const Board calibrated = load_board(out, measurements);
  const LatencyModel& model = *calibrated.latency_model(runtime);
  if (flags.output.json) {
    nlohmann::json json = to_json(model);
    json["board"] = board.name;
    json["out"] = out;
    json["rows"] = rows_json(rows, fit);
    std::cout << json.dump(1) << std::endl;
  } else {
    print(model, rows, fit, out);
  }
}

}  // namespace

void add_calibrate_command(CLI::App& app, Action& action) {
  const auto flags = std::make_shared<CalibrateFlags>();
  CLI::App* command = app.add_subcommand(
      "calibrate", "Fits a board's latency model to your own measurements and writes a board file");
  command->add_option("--board", flags->board, "chip of `tinynas boards`, or a board file")
      ->type_name("NAME|FILE")
      ->required();
  command
      ->add_option(
          "--measurements", flags->measurements,
          "table (CSV) with the columns file,latency_ms[,resolution], file a network relative to the table, "
          "or macs,latency_ms; at least three rows of different work")
      ->type_name("FILE")
      ->required();
  command
      ->add_option("--out", flags->out,
                   "board file to write (default: <name of the board's file>-calibrated.yaml, here)")
      ->type_name("FILE");
  command->add_option("--runtime", flags->runtime, "runtime that was measured: tinynas or tflm")
      ->capture_default_str();
  command->footer(
      "Example:\n"
      "  tinynas calibrate --board stm32f746 --measurements measured.csv --out my-board.yaml\n"
      "  tinynas search --board my-board.yaml --max-latency 200ms");
  flags->output.add(*command);
  command->callback([&action, flags] { action = [flags] { calibrate(*flags); }; });
}

}  // namespace tinynas
