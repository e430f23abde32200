#include <fmt/format.h>

#include <iostream>
#include <memory>

#include "base/units.h"
#include "cli/commands.h"
#include "cli/experiment_flags.h"
#include "cli/paths.h"
#include "cli/workbench.h"
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

std::string band_text(const FitQuality& quality) {
  return quality.error_band ? fmt::format("+- {:.0f} %", 100 * *quality.error_band) : "band not known";
}

// "kernel-instructions +- 22 %"; "published: mbconv +- 8 %, dscnn band not known" by backbone.
std::string latency_text(const LatencyModel* model) {
  if (model == nullptr) return "none";
  std::string text = name_of(model->basis);
  if (model->groups.size() == 1) return text + " " + band_text(model->groups.front().quality);
  for (size_t i = 0; i < model->groups.size(); ++i) {
    text += fmt::format("{}{} {}", i == 0 ? ": " : ", ", model->backbone_name(i),
                        band_text(model->groups[i].quality));
  }
  return text;
}

std::string fit_text(const LatencyModel& model, size_t index) {
  const FitQuality& quality = model.groups[index].quality;
  std::string text =
      fmt::format("    {:<7} {}, r2 {}, {} rows", model.backbone_name(index), band_text(quality),
                  quality.r2 ? fmt::format("{:.4f}", *quality.r2) : "not known", quality.rows);
  if (quality.most_macs > 0) {
    text += fmt::format(", networks of {} to {} MACs", format_count(static_cast<int64_t>(quality.least_macs)),
                        format_count(static_cast<int64_t>(quality.most_macs)));
  }
  return text + "\n";
}

// Everything about one board that its file and the fits say.
std::string describe(const Board& board) {
  std::string text = fmt::format("{}: {}\n", board.name, board.part);
  const auto line = [&](const char* fact, const std::string& value) {
    text += fmt::format("  {:<16} {}\n", fact, value);
    const auto source = board.sources.find(fact);
    if (source != board.sources.end()) text += fmt::format("  {:<16}   source: {}\n", "", source->second);
  };
  std::string isa;
  for (const std::string& feature : board.isa) isa += (isa.empty() ? "" : ", ") + feature;
  line("core", board.core);
  line("isa", isa);
  line("clock", fmt::format("{:.0f} MHz", board.clock_hz / 1e6));
  line("memory", fmt::format("{} for an arena, reserve {}", format_bytes(board.sram_bytes),
                             format_bytes(board.sram_reserve_bytes)));
  for (const MemoryRegion& region : board.memory) {
    text += fmt::format("  {:<16}   {} ({}) at {:#010x}, {}, {}, reserve {}\n", "", region.name, region.kind,
                        region.base, format_bytes(region.size_bytes), region.speed,
                        format_bytes(region.reserve_bytes));
  }
  line("flash", fmt::format("{}, reserve {}", format_bytes(board.flash_bytes),
                            format_bytes(board.flash_reserve_bytes)));
  line("active_power_mw", board.active_power_mw > 0 ? fmt::format("{:.0f} mW", board.active_power_mw)
                                                    : "not known: no energy is modelled");
  line("price_class", board.price_class);
  for (const LatencyModel& model : board.latency_models) {
    text +=
        fmt::format("  latency of {}: {}; {}\n", name_of(model.runtime), name_of(model.basis), model.source);
    for (size_t i = 0; i < model.groups.size(); ++i) text += fit_text(model, i);
  }
  return text;
}

std::string other_spans(const Board& board) {
  std::string text;
  const std::vector<MemorySpan> spans = arena_spans(board.memory);
  for (size_t i = 1; i < spans.size(); ++i) text += "+" + format_bytes(spans[i].size_bytes);
  return text;
}

void one_board(const std::string& name, const OutputFlags& output) {
  const Board board = board_by_name(name, "boards");
  std::cout << (output.json ? board_json(board).dump(1) + "\n" : describe(board)) << std::flush;
}

void boards(const OutputFlags& output) {
  nlohmann::json list = nlohmann::json::array();
  std::string table =
      fmt::format("{:<12} {:<14} {:>11} {:>10} {:>8}  {:<22} {:<30} {:<12} {}\n", "board", "core", "SRAM",
                  "Flash", "clock", "price, approximately", "latency: tinynas", "further SRAM", "tflm");
  for (const Board& board : load_boards(home_directory() / "configs" / "boards")) {
    list.push_back(board_json(board));
    table += fmt::format("{:<12} {:<14} {:>11} {:>10} {:>4.0f} MHz  {:<22} {:<30} {:<12} {}\n", board.name,
                         board.core, format_bytes(board.sram_bytes), format_bytes(board.flash_bytes),
                         board.clock_hz / 1e6, board.price_class,
                         latency_text(board.latency_model(Runtime::kTinynas)), other_spans(board),
                         latency_text(board.latency_model(Runtime::kTflm)));
  }
  table +=
      "SRAM: the largest run of adjacent regions, because an arena is one array. Uncalibrated: --max-latency "
      "needs\n"
      "--accept-uncalibrated, or `tinynas calibrate`. `tinynas boards NAME` has every "
      "region, source and fit,\n--json the coefficients.\n";
  std::cout << (output.json ? list.dump(1) + "\n" : table) << std::flush;
}

}  // namespace

void add_boards_command(CLI::App& app, Action& action) {
  struct Flags {
    std::optional<std::string> board;
    OutputFlags output;
  };
  const auto flags = std::make_shared<Flags>();
  CLI::App* command =
      app.add_subcommand("boards", "Chips that --board knows (configs/boards), or one of them");
  command->footer(
      "Examples:\n  tinynas boards\n  tinynas boards stm32f746      # regions, sources, what its latencies "
      "rest "
      "on\n  tinynas boards --json");
  add_text(*command, "board", flags->board, "one chip, or a board file; all of them without it")
      ->type_name("NAME|FILE");
  flags->output.add(*command);
  command->callback([&action, flags] {
    action = [flags] {
      flags->output.apply();
      if (flags->board) return one_board(*flags->board, flags->output);
      boards(flags->output);
    };
  });
}

}  // namespace tinynas
