#include <spdlog/spdlog.h>

#include <iostream>
#include <memory>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/experiment_flags.h"
#include "cli/many_boards.h"
#include "cli/quantization_methods.h"
#include "cli/session.h"
#include "cli/stages.h"
#include "cli/verify_firmware.h"
#include "export/manifest.h"

namespace tinynas {
namespace {

struct StageFlags {
  ExperimentFlags experiment;
  OutputFlags output;
  std::string run;
  bool again = false;
  bool dry_run = false;
  bool compare = false;  // quantize alone
};

// Every quantisation method beside the run's own model; the stage and what came after it stay as they are.
void print_quantization_methods(Workbench& bench, const Run& run, bool json) {
  nlohmann::json comparison = compare_quantization_methods(bench, run);
  write_json_file(run.path("quantization_methods.json"), comparison);
  comparison["directory"] = run.directory().string();
  std::cout << (json ? comparison.dump(1) + "\n" : render_quantization_methods(comparison)) << std::flush;
}

// The stage's result: the report for `report`, the stage's own figures otherwise.
void print_stage(const Run& run, const std::string& stage, bool json) {
  if (stage == "report")
    print_result(run, json);
  else
    print_summary(run, stage, json);
}

void run_stage_command(const std::string& stage, const StageFlags& flags, bool may_create) {
  flags.output.apply();
  const std::filesystem::path directory = flags.run;
  if (stage == "verify" && !is_run(directory) && is_package(directory))
    return verify_firmware(directory, flags.output.json);
  const bool create = may_create && !is_run(directory);
  if (!create && !is_run(directory)) {
    throw usage_error(directory.string() + (stage == "verify" ? ": is neither a run directory nor a package"
                                                              : ": is not a run directory"));
  }
  const Config config =
      resolve_experiment(flags.experiment.sources(create ? std::nullopt : std::optional(directory)));
  check_makes_sense(config);
  if (flags.dry_run) return print_config(config, flags.output.json);
  if (!board_names(config).empty()) {
    if (stage == "report") return print_boards_result(Run::open(directory, config), flags.output.json);
    refuse_stage_of_one_board(directory, config, stage);
  }
  Run run = create ? Run::create(directory, config) : Run::open(directory, config);
  // A report that is there can be read without LibTorch.
  if (stage == "report" && !can_train() && run.record("report") != nullptr)
    return print_stage(run, stage, flags.output.json);
  Workbench bench(run.config());
  with_advice(run, [&] { run_one_stage(run, all_stages(bench), stage, flags.again); });
  if (flags.compare) return print_quantization_methods(bench, run, flags.output.json);
  print_stage(run, stage, flags.output.json);
}

void add_stage_command(CLI::App& app, Action& action, const std::string& stage, const std::string& doc) {
  const auto flags = std::make_shared<StageFlags>();
  const bool first = stage == "space";  // it may begin a run, and so takes the whole experiment
  CLI::App* command = app.add_subcommand(stage, doc);
  const bool quantizes = stage == "quantize";
  command->footer("Example:\n  tinynas " + stage + " runs/mine" + (first ? " --sram 320k --flash 1M" : "") +
                  (quantizes ? "\n  tinynas quantize runs/mine --compare" : ""));
  command
      ->add_option("run", flags->run, first ? "run directory; made when it does not exist" : "run directory")
      ->required();
  if (first)
    flags->experiment.add_all(*command);
  else
    flags->experiment.add_for_run(*command);
  command->add_flag("--again", flags->again,
                    "repeat the stage although it is finished; later stages are then stale");
  if (quantizes) {
    command->add_flag(
        "--compare", flags->compare,
        "int8 accuracy on the validation images, and the loss against fp32, of every method: a table, "
        "and quantization_methods.json; the run keeps the model it has");
  }
  command->add_flag("--dry-run", flags->dry_run, "print the resolved configuration and stop");
  flags->output.add(*command);
  command->callback(
      [&action, flags, stage, first] { action = [=] { run_stage_command(stage, *flags, first); }; });
}

}  // namespace

void add_stage_commands(CLI::App& app, Action& action) {
  add_stage_command(app, action, "space", "Stage 1: which width and resolution to search in");
#ifdef TINYNAS_WITH_TORCH
  add_stage_command(app, action, "train", "Stage 2: train the supernet");
  add_stage_command(app, action, "evolve", "Stage 3: search the architecture");
  add_stage_command(app, action, "finetune", "Stage 4: train the winner alone");
#endif
  add_stage_command(app, action, "quantize", "Stage 5: int8 weights and activations");
  add_stage_command(app, action, "export", "Stage 6: write the C package for the firmware");
  add_stage_command(
      app, action, "verify",
      "Stage 7: compare the compiled package with the interpreter, bit for bit, on every compiler "
      "and emulated core that is installed; takes a package alone (a folder firmware) as well");
  add_stage_command(app, action, "report", "Stage 8: test accuracy, and everything the run came to");
}

}  // namespace tinynas
