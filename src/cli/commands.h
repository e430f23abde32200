// The subcommands of tinynas, each in a file of its own (command_<name>.cc).
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

namespace tinynas {

// What the chosen subcommand does once parsing is over. Throws Error; returning means exit code 0.
using Action = std::function<void()>;

// Each adds its subcommand to `app` and, when it is chosen, sets `action`.
void add_search_command(CLI::App& app, Action& action);
void add_stage_commands(CLI::App& app, Action& action);
void add_compile_command(CLI::App& app, Action& action);
void add_infer_command(CLI::App& app, Action& action);
void add_estimate_command(CLI::App& app, Action& action);
void add_boards_command(CLI::App& app, Action& action);
void add_calibrate_command(CLI::App& app, Action& action);
void add_rank_command(CLI::App& app, Action& action);
void add_spaces_command(CLI::App& app, Action& action);

// Parses, runs, reports errors on standard error and returns the exit code (README.md, "Exit codes").
int run_cli(int argc, const char* const* argv);

}  // namespace tinynas
