#include <spdlog/spdlog.h>

#include <iostream>
#include <memory>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/experiment_flags.h"
#include "cli/many_boards.h"
#include "cli/session.h"
#include "cli/stages.h"

namespace tinynas {
namespace {

constexpr const char* kRuns = "runs";

struct SearchFlags {
  ExperimentFlags experiment;
  OutputFlags output;
  std::string out;
  bool resume = false;
  bool dry_run = false;
};

std::string run_name(const Config& config) {
  return config.optional_text("name").value_or(config.text("data.name")) + "-" + config.text("effort") +
         "-s" + config.formatted("seed");
}

// The directory of the run that goes on; nothing for a new run.
std::optional<std::filesystem::path> run_to_resume(const SearchFlags& flags) {
  if (!flags.resume) return std::nullopt;
  if (!flags.out.empty()) {
    // Interrupted before it began: the same command line starts it.
    if (!std::filesystem::exists(flags.out)) return std::nullopt;
    return flags.out;
  }
  const std::filesystem::path newest = newest_run(kRuns);
  spdlog::info("--resume: going on with {}, the newest run", newest.string());
  return newest;
}

Run open_run(const SearchFlags& flags, const std::optional<std::filesystem::path>& previous,
             const Config& config) {
  if (previous) return Run::open(*previous, config);
  return Run::create(
      flags.out.empty() ? new_run_directory(kRuns, run_name(config)) : std::filesystem::path(flags.out),
      config);
}

void search(const SearchFlags& flags) {
  flags.output.apply();
  const std::optional<std::filesystem::path> previous = run_to_resume(flags);
  if (previous && !is_run(*previous)) throw usage_error(previous->string() + ": is not a run directory");
  const Config config = resolve_experiment(flags.experiment.sources(previous));
  check_makes_sense(config);
  if (flags.dry_run) return print_config(config, flags.output.json);
  require_torch("search");
  Run run = open_run(flags, previous, config);
  spdlog::info("tinynas: effort {}, seed {}, run directory {}", config.text("effort"),
               config.formatted("seed"), run.directory().string());
  if (!board_names(config).empty()) {
    with_advice(run, [&] { search_boards(run); });
    return print_boards_result(run, flags.output.json);
  }
  Workbench bench(run.config());
  with_advice(run, [&] { run_stages(run, all_stages(bench)); });
  print_result(run, flags.output.json);
}

}  // namespace

void add_search_command(CLI::App& app, Action& action) {
  const auto flags = std::make_shared<SearchFlags>();
  CLI::App* command =
      app.add_subcommand("search", "Every stage, from the data to the firmware and its report");
  command->footer(
      "Examples:\n"
      "  tinynas search --sram 320k --flash 1M                     CIFAR-10, effort quick\n"
      "  tinynas search --board stm32f746 --max-latency 200ms      a board of `tinynas boards`\n"
      "  tinynas search --boards stm32f746,stm32f446              one supernet, a winner for each board\n"
      "  tinynas search --sram 64k --flash 256k --data photos/     photos/train/<class>/*.jpg\n"
      "  tinynas search --config configs/mnist.yaml --sram 32k --flash 128k --set train.steps=1000\n"
      "  tinynas search --resume                                   go on with the newest run");
  flags->experiment.add_all(*command);
  command
      ->add_option("--out", flags->out,
                   "run directory (default: runs/<data>-<effort>-s<seed>, never an existing one)")
      ->type_name("DIR")
      ->group("Run");
  command
      ->add_flag("--resume", flags->resume,
                 "go on with --out, or with the newest run; finished stages are not repeated")
      ->group("Run");
  command->add_flag("--dry-run", flags->dry_run, "print the resolved configuration and stop")->group("Run");
  flags->output.add(*command);
  command->callback([&action, flags] { action = [flags] { search(*flags); }; });
}

}  // namespace tinynas
