#include <iostream>
#include <memory>
#include <optional>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/experiment_flags.h"
#include "cli/many_boards.h"
#include "cli/session.h"
#include "cli/stages.h"
#ifdef TINYNAS_WITH_TORCH
#include "cli/rank_study.h"
#endif

namespace tinynas {
namespace {

struct RankFlags {
  ExperimentFlags experiment;
  OutputFlags output;
  std::string run;
  std::string out;
  std::string predictor = "ridge";
  int networks = 24;
  int predictor_networks = 100;
  std::optional<int64_t> steps;
  std::optional<int> most;
  bool again = false;
};

#ifdef TINYNAS_WITH_TORCH
RankOptions options_of(const RankFlags& flags) {
  RankOptions options;
  options.networks = flags.networks;
  options.predictor = flags.predictor;
  options.predictor_networks = flags.predictor_networks;
  options.steps = flags.steps;
  options.most = flags.most;
  options.again = flags.again;
  options.directory = flags.out;
  options.check();
  return options;
}

void rank(const RankFlags& flags) {
  flags.output.apply();
  const RankOptions options = options_of(flags);
  const std::filesystem::path directory = flags.run;
  if (!is_run(directory)) throw usage_error(directory.string() + ": is not a run directory");
  const Config config = resolve_experiment(flags.experiment.sources(directory));
  check_makes_sense(config);
  if (!board_names(config).empty()) refuse_stage_of_one_board(directory, config, "rank");
  Run run = Run::open(directory, config);
  if (run.record("train") == nullptr) {
    throw usage_error(directory.string() + ": has no trained supernet; first: tinynas train " +
                      directory.string());
  }
  Workbench bench(run.config());
  try {
    const nlohmann::json study = study_ranks(bench, run, options);
    std::cout << (flags.output.json ? study.dump(1) + "\n" : render_ranks(study)) << std::flush;
  } catch (const Error& error) {
    if (error.code() != ExitCode::kInterrupted) throw;
    throw Error(error.code(), "interrupted; what is done is kept; the same command goes on");
  }
}
#else
void rank(const RankFlags&) { require_torch("rank"); }
#endif

}  // namespace

void add_rank_command(CLI::App& app, Action& action) {
  const auto flags = std::make_shared<RankFlags>();
  CLI::App* command = app.add_subcommand(
      "rank", "Train sub-networks alone: how well did the supernet rank them, beside #params?");
  command->footer(
      "Examples:\n"
      "  tinynas rank runs/mine                         24 networks, each trained as the winner is, from "
      "scratch\n"
      "  tinynas rank runs/mine --networks 48 --most 8  eight of them in this sitting\n"
      "  tinynas rank runs/mine --steps 500 --out short");
  command->add_option("run", flags->run, "run directory with a trained supernet")->required();
  command
      ->add_option("--networks", flags->networks, "how many; half of them within +-15 % MACs of each other")
      ->type_name("N")
      ->capture_default_str();
  command->add_option("--steps", flags->steps, "training steps of each (default: finetune.steps, by effort)")
      ->type_name("N");
  command->add_option("--predictor", flags->predictor, "ridge or mlp")
      ->type_name("NAME")
      ->capture_default_str();
  command
      ->add_option("--predictor-networks", flags->predictor_networks,
                   "other networks that the supernet measures for the predictor to learn from")
      ->type_name("N")
      ->capture_default_str();
  command->add_option("--most", flags->most, "networks trained in this sitting; the same command goes on")
      ->type_name("N");
  command->add_option("--out", flags->out, "folder of rank.csv, rank.svg and rank.json (default: RUN/rank)")
      ->type_name("DIR");
  command->add_flag("--again", flags->again, "begin anew where the folder holds ranks of other settings");
  flags->experiment.add_for_run(*command);
  flags->output.add(*command);
  command->callback([&action, flags] { action = [flags] { rank(*flags); }; });
}

}  // namespace tinynas
