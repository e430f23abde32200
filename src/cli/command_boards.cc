#include <fmt/format.h>

#include <iostream>
#include <memory>

#include "base/units.h"
#include "cli/commands.h"
#include "cli/experiment_flags.h"
#include "cli/paths.h"
#include "cost_models/board.h"

namespace tinynas {
namespace {

nlohmann::json memory_json(const Board& board) {
  nlohmann::json regions = nlohmann::json::array();
  for (const MemoryRegion& region : board.memory) {
    regions.push_back({{"name", region.name},
                       {"kind", region.kind},
                       {"base", region.base},
                       {"size_bytes", region.size_bytes},
                       {"reserve_bytes", region.reserve_bytes},
                       {"speed", region.speed}});
  }
  nlohmann::json spans = nlohmann::json::array();
  for (const MemorySpan& span : arena_spans(board.memory)) {
    spans.push_back({{"name", span.name},
                     {"base", span.base},
                     {"size_bytes", span.size_bytes},
                     {"reserve_bytes", span.reserve_bytes}});
  }
  return {{"regions", regions}, {"spans", spans}};
}

nlohmann::json board_json(const Board& board) {
  nlohmann::json latency = nlohmann::json::array();
  for (const LatencyModel& model : board.latency_models) latency.push_back(to_json(model));
  return {{"name", board.name},
          {"part", board.part},
          {"core", board.core},
          {"isa", board.isa},
          {"memory", memory_json(board)},
          {"sram_bytes", board.sram_bytes},
          {"flash_bytes", board.flash_bytes},
          {"sram_reserve_bytes", board.sram_reserve_bytes},
          {"flash_reserve_bytes", board.flash_reserve_bytes},
          {"clock_hz", board.clock_hz},
          {"active_power_mw",
           board.active_power_mw > 0 ? nlohmann::json(board.active_power_mw) : nlohmann::json()},
          {"price_class", board.price_class},
          {"sources", board.sources},
          {"latency", latency}};
}

// "kernel-instructions +- 22 %"; of groups by backbone, the widest known.
std::string latency_text(const LatencyModel* model) {
  if (model == nullptr) return "none";
  std::optional<double> widest;
  for (const LatencyGroup& group : model->groups) {
    if (group.quality.error_band) widest = std::max(widest.value_or(0), *group.quality.error_band);
  }
  const std::string band = widest ? fmt::format(" +- {:.0f} %", 100 * *widest) : "";
  return name_of(model->basis) + band;
}

std::string other_spans(const Board& board) {
  std::string text;
  const std::vector<MemorySpan> spans = arena_spans(board.memory);
  for (size_t i = 1; i < spans.size(); ++i) text += "+" + format_bytes(spans[i].size_bytes);
  return text;
}

void boards(const OutputFlags& output) {
  output.apply();
  nlohmann::json list = nlohmann::json::array();
  std::string table =
      fmt::format("{:<12} {:<14} {:>11} {:>10} {:>8}  {:<22} {:<28} {:<16} {}\n", "board", "core", "SRAM",
                  "Flash", "clock", "price, approximately", "latency: tinynas", "tflm", "further SRAM");
  for (const Board& board : load_boards(home_directory() / "configs" / "boards")) {
    list.push_back(board_json(board));
    table += fmt::format("{:<12} {:<14} {:>11} {:>10} {:>4.0f} MHz  {:<22} {:<28} {:<16} {}\n", board.name,
                         board.core, format_bytes(board.sram_bytes), format_bytes(board.flash_bytes),
                         board.clock_hz / 1e6, board.price_class,
                         latency_text(board.latency_model(Runtime::kTinynas)),
                         latency_text(board.latency_model(Runtime::kTflm)), other_spans(board));
  }
  table +=
      "SRAM: the largest run of adjacent regions, because an arena is one array. Uncalibrated: --max-latency "
      "needs\n"
      "--accept-uncalibrated, or `tinynas calibrate`. --json has every region, source, fit and "
      "coefficient.\n";
  std::cout << (output.json ? list.dump(1) + "\n" : table) << std::flush;
}

}  // namespace

void add_boards_command(CLI::App& app, Action& action) {
  const auto output = std::make_shared<OutputFlags>();
  CLI::App* command = app.add_subcommand("boards", "Chips that --board knows (configs/boards)");
  command->footer("Example:\n  tinynas boards --json");
  output->add(*command);
  command->callback([&action, output] { action = [output] { boards(*output); }; });
}

}  // namespace tinynas
