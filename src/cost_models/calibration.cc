#include "cost_models/calibration.h"

#include <spdlog/fmt/fmt.h>

#include "base/error.h"
#include "base/files.h"
#include "base/yaml_document.h"
#include "cost_models/csv.h"

namespace tinynas {
namespace {

double kernel_ms(const Graph& graph, const LatencyModel& kernels) {
  const LatencyGroup& group = kernels.group_of(graph);
  double total = group.fixed_ms;
  for (const PlanStep& step : plan_memory(graph).order) {
    const Op& op = graph.ops[static_cast<size_t>(step.op)];
    total += group.operator_ms(graph, op, step, macs(graph, op));
  }
  return total;
}

std::optional<int> resolution_of(const CsvTable& table, size_t row) {
  if (!table.has("resolution") || table.text(row, "resolution").empty()) return std::nullopt;
  const double value = table.positive(row, "resolution");
  constexpr double kMost = 65535;  // rows and columns of a tensor (Graph::check)
  if (value > kMost || value != static_cast<int>(value)) {
    throw usage_error(table.place(row) + ": resolution: got '" + table.text(row, "resolution") +
                      "', expected an integer from 1 to 65535");
  }
  return static_cast<int>(value);
}

// 17 digits give the same number back.
std::string exact(double value) { return fmt::format("{:.17g}", value); }

}  // namespace

std::vector<MeasuredLatency> read_user_measurements(const std::filesystem::path& csv, const Board& board,
                                                    const Measurements& measurements,
                                                    const NetworkLoader& load) {
  const CsvTable table = read_csv(csv);
  table.require_columns({"file", "resolution", "macs", "latency_ms"}, {"latency_ms"});
  if (table.has("file") == table.has("macs")) {
    throw usage_error(csv.string() + ": expected the column file or the column macs, one of the two");
  }
  const LatencyModel kernels =
      kernel_model(fit_kernels(measurements, board.core, board.isa), Runtime::kTinynas, board.clock_hz);
  std::vector<MeasuredLatency> rows;
  for (size_t row = 0; row < table.rows(); ++row) {
    MeasuredLatency measured;
    measured.latency_ms = table.positive(row, "latency_ms");
    if (table.has("macs")) {
      measured.from = std::filesystem::path(table.place(row)).filename().string();
      measured.macs = table.positive(row, "macs");
    } else {
      measured.from = table.text(row, "file");
      try {
        const Graph graph = load(csv.parent_path() / measured.from, resolution_of(table, row));
        measured.macs = static_cast<double>(macs(graph));
        measured.kernel_ms = kernel_ms(graph, kernels);
      } catch (const Error& error) {
        throw usage_error(table.place(row) + ": file: " + error.what());
      }
    }
    rows.push_back(measured);
  }
  // Says now, and of this file, what the board file would say later.
  fit_measured(rows, csv.string());
  return rows;
}

std::string calibrated_board(const std::filesystem::path& board_file, Runtime runtime,
                             const std::vector<MeasuredLatency>& rows, const std::string& source,
                             const std::string& kernels_hash) {
  YAML::Node root = read_yaml_document(
      read_given_file(board_file, kMostYamlBytes, ExitCode::kUsage), board_file.string());
  YAML::Node kept(YAML::NodeType::Sequence);
  if (root["measured"]) {
    for (const YAML::Node& node : root["measured"]) {
      if (node["runtime"].as<std::string>() != name_of(runtime)) kept.push_back(node);
    }
  }
  YAML::Node measured;
  measured["runtime"] = name_of(runtime);
  measured["source"] = source;
  measured["kernels"] = kernels_hash;
  for (const MeasuredLatency& row : rows) {
    YAML::Node node;
    node["from"] = row.from;
    node["macs"] = exact(row.macs);
    if (row.kernel_ms) node["kernel_ms"] = exact(*row.kernel_ms);
    node["latency_ms"] = exact(row.latency_ms);
    measured["rows"].push_back(node);
  }
  kept.push_back(measured);
  root["measured"] = kept;
  YAML::Emitter out;
  out << root;
  return "# Written by tinynas calibrate from " + board_file.filename().string() +
         ". The coefficients are fitted to `measured` whenever this file is read.\n" + out.c_str() + "\n";
}

}  // namespace tinynas
