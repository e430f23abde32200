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

void boards(const OutputFlags& output) {
  output.apply();
  nlohmann::json list = nlohmann::json::array();
  std::string table = fmt::format("{:<18} {:<12} {:>11} {:>11} {:>9}  {}\n", "board", "core", "SRAM", "Flash",
                                  "clock", "latency model");
  for (const Board& board : load_boards(home_directory() / "configs" / "boards")) {
    list.push_back({{"name", board.name},
                    {"core", board.core},
                    {"sram_bytes", board.sram_bytes},
                    {"flash_bytes", board.flash_bytes},
                    {"sram_reserve_bytes", board.sram_reserve_bytes},
                    {"flash_reserve_bytes", board.flash_reserve_bytes},
                    {"clock_hz", board.clock_hz},
                    {"active_power_mw", board.active_power_mw},
                    {"latency_source", board.latency_source}});
    table += fmt::format("{:<18} {:<12} {:>11} {:>11} {:>5.0f} MHz  {}\n", board.name, board.core,
                         format_bytes(board.sram_bytes), format_bytes(board.flash_bytes),
                         board.clock_hz / 1e6, board.latency_source);
  }
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
