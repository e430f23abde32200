#include "cli/many_boards.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <iostream>
#include <set>

#include "base/error.h"
#include "base/units.h"
#include "cli/options.h"
#include "cli/result.h"
#include "cli/stages.h"
#include "cli/workbench.h"

namespace tinynas {
namespace {

constexpr const char* kShared[] = {"space", "train"};  // stages that all boards have in common

bool is_shared(const Stage& stage) {
  return std::find(std::begin(kShared), std::end(kShared), stage.name) != std::end(kShared);
}

// A board is done with in a scope of its own: its images are not held while the next one's are.
void run_shared_stages(Run& parent) {
  Workbench bench(parent.config());
  std::vector<Stage> shared;
  for (Stage& stage : all_stages(bench)) {
    if (is_shared(stage)) shared.push_back(std::move(stage));
  }
  run_stages(parent, shared);
}

Config config_in_folder(const Config& config, const std::string& board) {
  Config one = config_of_board(config, board);
  if (!config.optional_text("search.trials"))
    one.set("search.trials", "../trials.db", config.origin("boards"));
  return one;
}

// The board's own stage, which takes what the parent's left instead of making it.
void adopt(Stage& stage, const Run& parent) {
  stage.run = [&parent, name = stage.name, outputs = stage.outputs](Run& run) {
    for (const std::string& output : outputs) {
      std::filesystem::copy_file(parent.path(output), run.path(output),
                                 std::filesystem::copy_options::overwrite_existing);
    }
    if (name == "train") remove_work_of_other_weights(run);
    return parent.record(name)->summary;
  };
}

Run open_board(const Run& parent, const std::string& folder, const Config& config) {
  const std::filesystem::path directory = parent.path(folder);
  return is_run(directory) ? Run::open(directory, config) : Run::create(directory, config);
}

void search_board(const Run& parent, const std::string& board) {
  const Config config = config_in_folder(parent.config(), board);
  Workbench bench(config);
  spdlog::info("== board {}", bench.board()->name);
  Run run = open_board(parent, bench.board()->name, config);
  // What the parent made anew since is taken anew.
  for (const char* name : kShared) {
    const StageRecord* record = run.record(name);
    if (record != nullptr && record->outputs != parent.record(name)->outputs) run.forget(name);
  }
  std::vector<Stage> stages = all_stages(bench);
  for (Stage& stage : stages) {
    if (is_shared(stage)) adopt(stage, parent);
  }
  run_stages(run, stages);
}

nlohmann::json row_of(const std::string& board, const std::filesystem::path& directory,
                      const std::string& given_name) {
  const nlohmann::json result = read_json_file(directory / "result.json");
  const nlohmann::json& limits = result.at("limits");
  const nlohmann::json& latency = result.at("latency_ms");
  return {{"board", board},
          {"directory", directory.string()},
          {"arch", result.at("arch").at("encoding")},
          {"accuracy", result.at("accuracy")},
          {"macs", result.at("macs")},
          {"params", result.at("params")},
          {"sram_bytes", result.at("sram").at("total")},
          {"sram_limit_bytes", limits.at("sram_bytes")},
          {"flash_bytes", result.at("flash").at("total")},
          {"flash_limit_bytes", limits.at("flash_bytes")},
          {"latency_ms", latency.value(given_name, nlohmann::json())},
          {"evaluated", result.at("search").at("evaluated")},
          {"cached", result.at("search").value("cached", nlohmann::json())},
          {"wall_s", result.at("wall_s").at("total")}};
}

}  // namespace

void check_boards(const Config& config) {
  const std::string where = config.origin("boards") + ": boards: ";
  for (const char* key : {"board", "limits.sram", "limits.flash"}) {
    if (config.value(key).is_null()) continue;
    throw usage_error(where + "every board has its own memory, but " + key + " is given too (" +
                      config.origin(key) + "); leave it out, or search for one --board");
  }
  std::set<std::string> names;
  for (const std::string& given : board_names(config)) {
    const Board board = board_by_name(given, config.origin("boards") + ": boards");
    if (!names.insert(board.name).second) throw usage_error(where + "two boards are called " + board.name);
    check_experiment(config_of_board(config, given), &board);
  }
}

void refuse_stage_of_one_board(const std::filesystem::path& directory, const Config& config,
                               const std::string& command) {
  if (command == "space" || command == "train") return;
  std::string commands;
  for (const std::string& board : board_names(config)) {
    commands += "\n  tinynas " + command + " " +
                (directory / board_by_name(board, config.origin("boards") + ": boards").name).string();
  }
  throw usage_error(directory.string() + ": serves several boards; `tinynas " + command +
                    "` works on the folder of one:" + commands);
}

void search_boards(Run& parent) {
  run_shared_stages(parent);
  const std::vector<std::string> given = board_names(parent.config());
  nlohmann::json rows = nlohmann::json::array();
  for (const std::string& board : given) {
    search_board(parent, board);
    const std::string name = board_by_name(board, "boards").name;
    rows.push_back(row_of(name, parent.path(name), board));
  }
  const Config& config = parent.config();
  write_json_file(
      parent.path("result.json"),
      {{"format", "tinynas-boards-1"},
       {"directory", parent.directory().string()},
       {"name", config.optional_text("name").value_or(config.text("data.name"))},
       {"effort", config.text("effort")},
       {"seed", config.integer("seed")},
       {"version", version_text()},
       {"space", parent.record("space")->summary},
       {"wall_s", {{"space", parent.record("space")->wall_s}, {"train", parent.record("train")->wall_s}}},
       {"boards", rows}});
}

std::string render_boards(const nlohmann::json& result) {
  const nlohmann::json& chosen = result.at("space").at("chosen");
  const nlohmann::json& rows = result.at("boards");
  const auto bytes = [](const nlohmann::json& value) { return format_bytes(value.get<int64_t>()); };
  const auto share = [](const nlohmann::json& used, const nlohmann::json& limit) {
    if (limit.is_null()) return std::string("-");
    return fmt::format("{:.0f} %", 100 * used.get<double>() / limit.get<double>());
  };
  std::string text = fmt::format(
      "\ntinynas: {}, effort {}, seed {}: one supernet (width {}, input {}x{}), a winner for each of {} "
      "boards\n\n"
      "  {:<20} {:>9} {:>9} {:>9} {:>11} {:>6} {:>11} {:>6} {:>10}  {}\n",
      result.at("name").get<std::string>(), result.at("effort").get<std::string>(),
      result.at("seed").get<int64_t>(), chosen.at("width").get<double>(), chosen.at("resolution").get<int>(),
      chosen.at("resolution").get<int>(), rows.size(), "board", "int8 test", "fp32 test", "MACs", "SRAM",
      "used", "Flash", "used", "latency", "directory");
  double total_s =
      result.at("wall_s").at("space").get<double>() + result.at("wall_s").at("train").get<double>();
  for (const nlohmann::json& row : rows) {
    const nlohmann::json& latency = row.at("latency_ms");
    text += fmt::format("  {:<20} {:>7.2f} % {:>7.2f} % {:>9} {:>11} {:>6} {:>11} {:>6} {:>10}  {}\n",
                        row.at("board").get<std::string>(), 100 * row.at("accuracy").at("int8").get<double>(),
                        100 * row.at("accuracy").at("finetuned_fp32").get<double>(),
                        format_count(row.at("macs").get<int64_t>()), bytes(row.at("sram_bytes")),
                        share(row.at("sram_bytes"), row.at("sram_limit_bytes")), bytes(row.at("flash_bytes")),
                        share(row.at("flash_bytes"), row.at("flash_limit_bytes")),
                        latency.is_null() ? "-" : fmt::format("{:.1f} ms", latency.get<double>()),
                        row.at("directory").get<std::string>());
    total_s += row.at("wall_s").get<double>();
  }
  text += "\n";
  for (const nlohmann::json& row : rows)
    text +=
        fmt::format("  {:<20} {}\n", row.at("board").get<std::string>(), row.at("arch").get<std::string>());
  text += fmt::format(
      "\n  used: of the board's memory, reserve included. Latencies are modelled (`tinynas boards`).\n"
      "  Time: space {}, supernet {}, all boards together {}. `tinynas report DIRECTORY` has all of one "
      "board.\n",
      format_seconds(result.at("wall_s").at("space").get<double>()),
      format_seconds(result.at("wall_s").at("train").get<double>()), format_seconds(total_s));
  return text;
}

void print_boards_result(const Run& parent, bool json) {
  const std::filesystem::path file = parent.path("result.json");
  if (!std::filesystem::exists(file)) {
    throw usage_error(parent.directory().string() +
                      ": its boards are not finished; go on with: tinynas search " + "--resume --out " +
                      parent.directory().string());
  }
  const nlohmann::json result = read_json_file(file);
  std::cout << (json ? result.dump(1) + "\n" : render_boards(result)) << std::flush;
}

}  // namespace tinynas
