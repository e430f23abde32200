#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <filesystem>
#include <new>
#include <set>

#include "base/error.h"
#include "base/interrupt.h"
#include "cli/commands.h"
#include "cli/result.h"
#include "config/schema.h"

namespace tinynas {
namespace {

constexpr const char* kExitCodes =
    "Exit codes: 0 done, 1 the machine failed (disk full, out of memory), 2 bad usage or configuration,\n"
    "3 nothing fits the limits, 4 bad or missing data, 5 verification failed, 130 interrupted (--resume goes "
    "on).";

// Results own standard output; everything said on the way goes to standard error.
void log_to_stderr() {
  auto logger = spdlog::stderr_color_mt("tinynas");
  logger->set_pattern("%v");
  spdlog::set_default_logger(logger);
}

int code_of(ExitCode code) { return static_cast<int>(code); }

void print_error(const std::string& message) {
  std::fflush(stdout);
  std::fprintf(stderr, "tinynas: %s\n", message.c_str());
}

// CLI11 only says that a subcommand is missing; a misspelt one deserves its name and the nearest there is.
void refuse_unknown_command(const CLI::App& app, int argc, const char* const* argv) {
  if (argc < 2 || argv[1][0] == '-') return;
  const std::string given = argv[1];
  std::string nearest;
  for (const CLI::App* command : app.get_subcommands({})) {
    if (command->get_name() == given) return;
    if (nearest.empty() || edit_distance(given, command->get_name()) < edit_distance(given, nearest)) {
      nearest = command->get_name();
    }
  }
  throw usage_error("unknown command '" + given + "'; did you mean '" + nearest +
                    "'? `tinynas --help` lists all");
}

// After a failure of the machine: the commands that work on a run can go on.
std::string advice(const CLI::App& app) {
  static const std::set<std::string> without_run = {"compile", "infer",     "estimate",
                                                    "boards",  "calibrate", "spaces"};
  for (const CLI::App* command : app.get_subcommands()) {
    if (without_run.contains(command->get_name())) return "";
  }
  return "; finished stages are kept, --resume goes on";
}

}  // namespace

int run_cli(int argc, const char* const* argv) {
  log_to_stderr();
  CLI::App app(
      "tinynas: from a data set and a chip to firmware.\n\n"
      "  tinynas search --sram 320k --flash 1M\n"
      "  tinynas search --board stm32f746 --effort standard --out runs/mine\n"
      "  tinynas search --resume\n");
  app.footer(kExitCodes);
  app.set_version_flag("--version", version_text());
  app.require_subcommand(1);
  Action action;
  add_search_command(app, action);
  add_stage_commands(app, action);
  add_rank_command(app, action);
  add_compile_command(app, action);
  add_infer_command(app, action);
  add_estimate_command(app, action);
  add_boards_command(app, action);
  add_calibrate_command(app, action);
  add_spaces_command(app, action);
  try {
    refuse_unknown_command(app, argc, argv);
    app.parse(argc, argv);
  } catch (const Error& error) {
    print_error(error.what());
    return code_of(error.code());
  } catch (const CLI::ParseError& error) {
    // CLI11 has exit codes of its own; ours are a contract.
    return app.exit(error) == 0 ? code_of(ExitCode::kDone) : code_of(ExitCode::kUsage);
  }
  install_interrupt_handler();
  try {
    action();
    return code_of(ExitCode::kDone);
  } catch (const Error& error) {
    print_error(error.what());
    return code_of(error.code());
  } catch (const std::filesystem::filesystem_error& error) {
    print_error(error.what() + advice(app));
  } catch (const std::bad_alloc&) {
    print_error("out of memory" + advice(app));
  } catch (const std::exception& error) {
    print_error(std::string("internal error: ") + error.what() + advice(app));
  }
  return code_of(ExitCode::kFailure);
}

}  // namespace tinynas
