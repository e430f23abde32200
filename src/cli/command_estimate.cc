#include <spdlog/spdlog.h>

#include <iostream>
#include <memory>

#include "base/error.h"
#include "base/units.h"
#include "cli/commands.h"
#include "cli/experiment_flags.h"
#include "cli/model_file.h"
#include "cli/network_costs.h"
#include "cli/paths.h"
#include "cli/run.h"
#include "cli/workbench.h"
#include "export/manifest.h"
#include "tflite/tflite.h"

namespace tinynas {
namespace {

struct EstimateFlags {
  OutputFlags output;
  std::string file;
  std::optional<int> resolution;
  std::optional<std::string> board;  // none = all
  std::string runtime = "tinynas";
  std::string accounting = "plan";
  std::string schedule = "auto";
  std::string input = "resident";
  std::string objective = "sram";
  double max_extra_macs = 0;
  std::optional<std::string> arena;
  bool asks_for_a_plan = false;  // any of the above was given
};

PlanOptions plan_options(const EstimateFlags& flags) {
  PlanOptions plan = PlanOptions::of(runtime_from_name(flags.runtime, "--runtime"));
  plan.schedule = schedule_from_name(flags.schedule, "--schedule");
  plan.input = input_kind_from_name(flags.input, "--input");
  plan.objective = plan_objective_from_name(flags.objective, "--objective");
  plan.max_extra_macs = flags.max_extra_macs;
  if (flags.arena) plan.sram_limit_bytes = parse_bytes(*flags.arena, "--arena");
  if (plan.objective == PlanObjective::kMacs && !plan.sram_limit_bytes)
    throw usage_error("--objective macs: needs --arena, the bytes that the arena may have");
  plan.check();
  return plan;
}

// As the flags say; a package, unless they say something, as it was planned.
PlanOptions plan_of(const EstimateFlags& flags) {
  const std::filesystem::path folder = flags.file;
  if (is_run(folder) || !is_package(folder) || flags.asks_for_a_plan) return plan_options(flags);
  return read_manifest(folder).plan;
}

// A run directory stands for the architecture in it, a package for its model.
std::filesystem::path network_file(const std::filesystem::path& given) {
  if (!std::filesystem::is_directory(given)) return given;
  if (std::filesystem::is_regular_file(given / "arch.json")) return given / "arch.json";
  if (const auto file = model_file_in(given)) return *file;
  throw usage_error(
      given.string() +
      ": is a folder without a network: expected a run directory with arch.json, a package with "
      "model.tflite, or a network file");
}

NetworkFile load(const std::filesystem::path& file, std::optional<int> resolution) {
  if (!is_tflite(file)) return load_network(file, resolution);
  if (resolution) throw usage_error(file.string() + ": --resolution: the shapes of a .tflite file are fixed");
  const ModelFile loaded = load_model(file);
  for (const std::string& note : loaded.notes) spdlog::info("{}", note);
  return {"TensorFlow Lite, int8", loaded.model.graph, std::nullopt};
}

void estimate_file(const EstimateFlags& flags) {
  flags.output.apply();
  if (flags.file.empty()) throw usage_error("estimate: got '', expected a network file or a run directory");
  const PlanOptions plan = plan_of(flags);
  NetworkFile network = load(network_file(flags.file), flags.resolution);
  std::vector<Board> boards;
  if (flags.board)
    boards.push_back(board_by_name(*flags.board, "--board"));
  else
    boards = load_boards(home_directory() / "configs" / "boards");
  const NetworkCosts costs = network_costs(flags.file, std::move(network), plan, boards);
  if (flags.output.json) {
    std::cout << to_json(costs, flags.accounting).dump(1) << std::endl;
  } else {
    std::cout << render(costs, flags.accounting, flags.board.has_value()) << std::flush;
  }
}

}  // namespace

void add_estimate_command(CLI::App& app, Action& action) {
  const auto flags = std::make_shared<EstimateFlags>();
  CLI::App* command =
      app.add_subcommand("estimate", "What a network file costs: MACs, SRAM, Flash, latency, energy");
  command->footer(
      "Examples:\n"
      "  tinynas estimate runs/mine                                   # the winner of a run\n"
      "  tinynas estimate firmware --board stm32f746                  # a package that compile or search "
      "wrote\n"
      "  tinynas estimate mcunet-320k.json --board stm32f746          # does it fit, and by how much\n"
      "  tinynas estimate ofa.json --resolution 176 --accounting mcunet\n"
      "  tinynas estimate arch.json --runtime tflm --json | jq .sram\n"
      "  tinynas estimate mcunet-320k.json --schedule stream --input rows             # as a camera "
      "delivers\n"
      "  tinynas estimate mcunet-320k.json --schedule stream --input reread --max-extra-macs 0.2");
  command
      ->add_option("file", flags->file,
                   "arch.json, a run directory, a package, a network file of MCUNet or Once-for-All, a "
                   ".tflite file, or a "
                   "graph (model.int8.json)")
      ->required()
      ->type_name("FILE");
  command
      ->add_option("--resolution", flags->resolution, "rows and columns of the input instead of the file's")
      ->type_name("R");
  add_text(*command, "--board", flags->board,
           "one chip (`tinynas boards`, or a file); all of them without it")
      ->type_name("NAME");
  command
      ->add_option(
          "--runtime", flags->runtime,
          "whose memory: tinynas (ours), or tflm (TensorFlow Lite Micro's interpreter with CMSIS-NN)")
      ->check(CLI::IsMember({"tinynas", "tflm"}))
      ->capture_default_str();
  command
      ->add_option("--accounting", flags->accounting,
                   "peak_activation_bytes: plan (the memory plan's) or mcunet (input + output + residual, as "
                   "papers count)")
      ->check(CLI::IsMember({"plan", "mcunet"}))
      ->capture_default_str();
  command
      ->add_option("--schedule", flags->schedule,
                   "layer (one operator after another), stream (row by row where that takes less), or auto: "
                   "layer where it keeps to --arena, or no limit is given")
      ->check(CLI::IsMember({"layer", "stream", "auto"}))
      ->capture_default_str()
      ->group("Schedule");
  command
      ->add_option(
          "--input", flags->input,
          "resident (all of it in the arena), rows (they arrive once, in order), or reread (rows can "
          "be fetched again)")
      ->check(CLI::IsMember({"resident", "rows", "reread"}))
      ->capture_default_str()
      ->group("Schedule");
  command
      ->add_option("--max-extra-macs", flags->max_extra_macs,
                   "MACs that vertical strips may compute again, of all: 0.2 = 20 %")
      ->check(refuse_no_share)
      ->capture_default_str()
      ->group("Schedule");
  command
      ->add_option(
          "--objective", flags->objective,
          "sram: the smallest arena with --max-extra-macs; macs: the fewest extra MACs within --arena")
      ->check(CLI::IsMember({"sram", "macs"}))
      ->capture_default_str()
      ->group("Schedule");
  add_text(*command, "--arena", flags->arena,
           "bytes that the arena may have, for auto and --objective macs: 64k")
      ->type_name("BYTES")
      ->group("Schedule");
  flags->output.add(*command);
  command->callback([&action, flags, command] {
    for (const char* flag :
         {"--runtime", "--schedule", "--input", "--max-extra-macs", "--objective", "--arena"})
      flags->asks_for_a_plan |= command->count(flag) > 0;
    action = [flags] { estimate_file(*flags); };
  });
}

}  // namespace tinynas
