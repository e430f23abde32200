#include <fmt/format.h>

#include <iostream>
#include <memory>

#include "base/error.h"
#include "base/rng.h"
#include "base/units.h"
#include "cli/commands.h"
#include "cli/experiment_flags.h"
#include "cli/fit_advice.h"
#include "cli/model_file.h"
#include "cli/network_costs.h"
#include "cli/workbench.h"
#include "cost_models/best_schedule.h"
#include "cost_models/package_bounds.h"
#include "export/package.h"
#include "export/process.h"
#include "export/toolchain.h"
#include "tflite/tflite.h"

namespace tinynas {
namespace {

struct CompileFlags {
  OutputFlags output;
  std::string model;
  std::string sram;
  std::string flash;
  std::string board;
  std::string out;
  std::string kernels;  // empty: the board's, or those of a Cortex-M4
  std::string name = "model";
  std::string schedule = "auto";
  std::string input = "resident";
  double max_extra_macs = 0;
  uint64_t seed = 1;
};

// Flags come before the board; one of the two must say how much there is.
Limits limits_of(const CompileFlags& flags, const Board* board) {
  Limits limits;
  if (board != nullptr) {
    limits.sram_bytes = board->sram_bytes;
    limits.flash_bytes = board->flash_bytes;
  }
  if (!flags.sram.empty()) limits.sram_bytes = parse_bytes(flags.sram, "--sram");
  if (!flags.flash.empty()) limits.flash_bytes = parse_bytes(flags.flash, "--flash");
  if (!limits.sram_bytes || !limits.flash_bytes)
    throw usage_error("no chip: give --sram and --flash (for example --sram 320k --flash 1M), or --board");
  limits.check(board != nullptr);
  return limits;
}

// Which kernels the plan is for, and why.
struct Kernels {
  KernelVariant variant = PlanOptions().variant;
  std::string from = "the default without --board";
  std::string core;  // that a package is linked for; empty: no Arm core
};

Kernels kernels_of(const CompileFlags& flags, const Board* board) {
  Kernels kernels;
  if (board != nullptr) {
    kernels.variant = variant_of_isa(board->isa);
    kernels.from = "of board " + board->name;
  }
  if (!flags.kernels.empty()) {
    kernels.variant = variant_of_name(flags.kernels, "--kernels");
    kernels.from = "by --kernels";
  }
  if (board != nullptr) {
    if (board->core.starts_with("cortex-m")) kernels.core = board->core;
  } else {
    kernels.core = kernels.variant == KernelVariant::kMve   ? "cortex-m55"
                   : kernels.variant == KernelVariant::kDsp ? "cortex-m4"
                                                            : "cortex-m0plus";
  }
  return kernels;
}

// The network under one plan: what goes into its package, and upper bounds of what that needs.
struct Planned {
  ExportOptions package;
  CostOptions costs;
  GeneralLayers general;  // whose requantisation is slower, and what that adds to the code
  CostReport bound;
};

Planned planned_as(const Int8Model& model, const PlanOptions& plan, ExportOptions package,
                   CostOptions costs) {
  package.plan = costs.plan = plan;
  GeneralLayers general = general_layers(model, plan);
  costs.linked_twice = general.linked_twice;
  CostReport bound = estimate(model.graph, costs);
  return {std::move(package), costs, std::move(general), std::move(bound)};
}

// What the network needs, and how code and stack are known.
struct Needs {
  CostReport costs;
  std::string how;
};

// Code and stack of the package as linked; nothing without a compiler for its core.
std::optional<Needs> linked_needs(const Planned& planned, const Kernels& kernels, const Int8Model& model,
                                  const std::vector<std::vector<int8_t>>& inputs) {
  const std::string compiler = VerifyOptions().arm_compiler;
  const auto version = run_process({compiler, "-dumpfullversion"});
  if (kernels.core.empty() || !version || version->exit_code != 0) return std::nullopt;
  const TemporaryFolder folder;
  export_package(model, inputs, folder.path() / "package", planned.package);
  const LinkedSize size = measure_linked(compiler, core_flags(kernels.core), folder.path() / "package",
                                         planned.package.name, folder.path());
  Needs needs;
  needs.costs = planned.bound;
  needs.costs.flash.code_bytes = size.code_bytes;
  needs.costs.flash.code_is_linked = true;
  needs.costs.sram.data_bss_bytes = size.data_bss_bytes;
  needs.costs.sram.stack_bytes = size.stack_bytes;
  needs.how = fmt::format("stack and code are those of {} {} -O2 for a {}", compiler,
                          version->output.substr(0, version->output.find('\n')), kernels.core);
  return needs;
}

std::string exceeded_limits(const CostReport& costs, const Limits& limits) {
  std::string exceeded;
  for (const Violation& violation : violations(costs, limits)) exceeded += "\n  " + describe(violation);
  return exceeded;
}

// Whether arena, weights and tables, which are exact, keep to the limits.
bool exact_part_fits(CostReport costs, const Limits& limits) {
  costs.sram.stack_bytes = 0;
  costs.flash.code_bytes = 0;
  return violations(costs, limits).empty();
}

// Which schedule was tried last, and its peak; "" where SRAM is not what exceeds.
std::string where_sram_peaks(const CompileFlags& flags, const CostReport& costs, const Limits& limits) {
  if (costs.sram.total_bytes() <= *limits.sram_bytes) return "";
  const char* schedule = costs.streams ? "stream" : "layer";
  return fmt::format(
      "\n  {}, the schedule that needs the least of what --schedule {} allows, needs the most SRAM at "
      "operator "
      "'{}'\n  (`tinynas estimate {} --schedule {}{}` shows all)",
      schedule, flags.schedule, costs.bottleneck, flags.model, schedule,
      flags.input == "resident" ? "" : " --input " + flags.input);
}

// The bounds decide where they fit, and linking where they alone exceed: what links is not refused. Throws
// Error(kNothingFits).
Needs fitting_needs(const CompileFlags& flags, const Planned& planned, const Kernels& kernels,
                    const Int8Model& model, const std::vector<std::vector<int8_t>>& inputs,
                    const Limits& limits) {
  const CostReport& bound = planned.bound;
  std::string exceeded = exceeded_limits(bound, limits);
  if (exceeded.empty()) return {bound, std::string("stack and code are upper bounds for ") + kBoundsHoldFor};
  const bool bounds_alone = exact_part_fits(bound, limits);
  std::string advice;
  if (bounds_alone) {
    if (const auto linked = linked_needs(planned, kernels, model, inputs)) {
      exceeded = exceeded_limits(linked->costs, limits);
      if (exceeded.empty()) return *linked;
      advice = "\n  " + linked->how;
    } else {
      advice = fmt::format(
          "\n  arena, weights and tables fit; what exceeds are the upper bounds of code ({} B) and stack ({} "
          "B), "
          "which hold for\n  {}. ",
          bound.flash.code_bytes, bound.sram.stack_bytes, kBoundsHoldFor);
      advice +=
          kernels.core.empty()
              ? "To know: compile with a larger --flash or --sram, and link the package with your compiler"
              : "To know: install " + VerifyOptions().arm_compiler +
                    ", and compile links the package before it refuses it; or compile with a larger --flash "
                    "or --sram, and link the package with your compiler";
    }
  }
  throw Error(ExitCode::kNothingFits, flags.model + " does not fit; nothing was written:" + exceeded +
                                          advice + where_sram_peaks(flags, bound, limits) +
                                          fit_advice(model.graph, planned.costs, limits));
}

// Where the bounds of the layer schedule exceed by code and stack alone: what it needs as linked, if that
// keeps to the limits. Streaming would take more instructions for nothing.
std::optional<Needs> linked_layer_needs(const Planned& layer, const Kernels& kernels, const Int8Model& model,
                                        const std::vector<std::vector<int8_t>>& inputs,
                                        const Limits& limits) {
  if (!exact_part_fits(layer.bound, limits)) return std::nullopt;
  auto linked = linked_needs(layer, kernels, model, inputs);
  if (!linked || !violations(linked->costs, limits).empty()) return std::nullopt;
  return linked;
}

// Inputs for the package's self-test: every int8 value alike.
std::vector<std::vector<int8_t>> random_inputs(const Graph& graph, int count, uint64_t seed) {
  Rng rng(seed);
  std::vector<std::vector<int8_t>> inputs(static_cast<size_t>(count));
  for (std::vector<int8_t>& input : inputs) {
    input.resize(static_cast<size_t>(graph.tensor(graph.input).shape.elements()));
    for (int8_t& value : input) value = static_cast<int8_t>(rng.below(256) - 128);
  }
  return inputs;
}

std::string line(const char* what, int64_t needed, int64_t limit) {
  const auto [taken, allowed] = format_bytes_apart(needed, limit);
  return fmt::format("  {:<6} {} of {}: {} left\n", what, taken, allowed, format_bytes(limit - needed));
}

void compile(const CompileFlags& flags) {
  flags.output.apply();
  if (flags.out.empty()) throw usage_error("--out: got '', expected a folder for the package");
  std::vector<Board> boards;
  if (!flags.board.empty()) boards.push_back(board_by_name(flags.board, "--board"));
  const Board* board = boards.empty() ? nullptr : &boards.front();
  const Limits limits = limits_of(flags, board);
  const Kernels kernels = kernels_of(flags, board);
  ExportOptions options;
  options.plan.variant = kernels.variant;
  options.plan.schedule = schedule_from_name(flags.schedule, "--schedule");
  options.plan.input = input_kind_from_name(flags.input, "--input");
  options.plan.max_extra_macs = flags.max_extra_macs;
  options.name = flags.name;
  options.check();

  const ModelFile loaded = load_model(flags.model);
  options.facts.trained_here = !is_tflite(loaded.file);  // nobody else writes a model.int8.json
  options.extra_files["model.tflite"] = tflite_bytes(loaded.model);
  CostOptions cost_options;
  cost_options.plan = options.plan;
  cost_options.board = board;
  cost_options.sram_limit_bytes = limits.sram_bytes;
  const ScheduledCosts scheduled = under_best_schedule(loaded.model.graph, cost_options);
  Planned planned = planned_as(loaded.model, scheduled.options, options, cost_options);
  const auto inputs = random_inputs(loaded.model.graph, options.golden_vectors, flags.seed);
  std::optional<Needs> linked_layer;
  if (planned.bound.streams && flags.schedule == "auto" && options.plan.input == InputKind::kResident) {
    PlanOptions by_layers = planned.package.plan;
    by_layers.schedule = Schedule::kLayer;
    Planned layer = planned_as(loaded.model, by_layers, options, cost_options);
    linked_layer = linked_layer_needs(layer, kernels, loaded.model, inputs, limits);
    if (linked_layer) planned = std::move(layer);
  }
  const Needs needs =
      linked_layer ? *linked_layer : fitting_needs(flags, planned, kernels, loaded.model, inputs, limits);
  const CostReport& costs = needs.costs;
  export_package(loaded.model, inputs, flags.out, planned.package);

  if (flags.output.json) {
    const NetworkFile network{"int8 network", loaded.model.graph, std::nullopt};
    nlohmann::json json = to_json(network_costs(flags.model, network, planned.package.plan, boards), "plan");
    json["package"] = flags.out;
    json["notes"] = loaded.notes;
    json["limits"] = to_json(limits);
    json["sram"] = to_json(costs)["sram"];
    json["flash"] = to_json(costs)["flash"];
    json["kernels"] = {{"variant", name_of(kernels.variant)}, {"from", kernels.from}};
    json["general_requantisation"] = planned.general.reasons;
    json["stack_and_code"] = needs.how;
    json["seed"] = flags.seed;
    json["golden_vectors"] = options.golden_vectors;
    std::cout << json.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) << std::endl;
    return;
  }
  std::string text = fmt::format("{}: {} operators, {} MACs\n", flags.model, loaded.model.graph.ops.size(),
                                 format_count(costs.macs));
  for (const std::string& note : loaded.notes) text += "  " + note + "\n";
  text += line("SRAM", costs.sram.total_bytes(), *limits.sram_bytes);
  text += line("Flash", costs.flash.total_bytes(), *limits.flash_bytes);
  text += "  arena exact; " + needs.how + "\n";
  if (costs.streams) {
    text += fmt::format(
        "  streams: row by row, {:.1f} % of the MACs computed again; --schedule layer for whole tensors\n",
        100.0 * static_cast<double>(costs.extra_macs) / static_cast<double>(costs.macs));
  }
  text += fmt::format("  planned for the kernels {} ({}), {}{}\n", name_of(kernels.variant),
                      cores_of(kernels.variant), kernels.from,
                      board != nullptr || !flags.kernels.empty()
                          ? ""
                          : "; for another core: --board NAME, or --kernels portable|dsp|mve");
  for (const std::string& reason : planned.general.reasons)
    text += "  slower requantisation for " + reason + "\n";
  text += fmt::format(
      "{}: the package, with {} self-test vectors of random inputs (seed {}) and the network as "
      "model.tflite\n",
      flags.out, options.golden_vectors, flags.seed);
  std::cout << text << std::flush;
}

}  // namespace

void add_compile_command(CLI::App& app, Action& action) {
  const auto flags = std::make_shared<CompileFlags>();
  CLI::App* command =
      app.add_subcommand("compile", "Firmware for somebody else's int8 network: a .tflite file");
  command->footer(
      "Examples:\n"
      "  tinynas compile person.tflite --sram 320k --flash 1M --out firmware\n"
      "  tinynas compile person.tflite --board stm32f746 --out firmware --json | jq .sram\n"
      "  tinynas compile mcunet.tflite --sram 128k --flash 1M --out firmware     # streams where it must\n"
      "  tinynas compile mcunet.tflite --sram 64k --flash 1M --input rows --out firmware   # rows of a "
      "camera\n"
      "  tinynas infer firmware --input image.bin --output scores.bin   # what the firmware computes\n"
      "Ends with 3 and writes nothing when the network does not fit. Where only the upper bounds of code and "
      "stack\n"
      "exceed, the package is linked, and what arm-none-eabi-gcc links decides; without it the bounds do.");
  command->add_option("model", flags->model, ".tflite file, or a model.int8.json")
      ->required()
      ->type_name("FILE");
  command->add_option("--sram", flags->sram, "SRAM of the chip (320k); with --board, instead of its own")
      ->type_name("SIZE");
  command->add_option("--flash", flags->flash, "Flash of the chip (1M); with --board, instead of its own")
      ->type_name("SIZE");
  command->add_option("--board", flags->board, "a chip of `tinynas boards`, or a file")->type_name("NAME");
  command
      ->add_option(
          "--kernels", flags->kernels,
          "plan for portable (any core), dsp (Cortex-M4, M7, M33) or mve (Cortex-M55, M85) kernels instead "
          "of the board's; without either, dsp. Any core computes the same bits")
      ->type_name("VARIANT");
  command->add_option("--out", flags->out, "folder of the package; an older package there is replaced")
      ->required()
      ->type_name("DIR");
  command
      ->add_option("--schedule", flags->schedule,
                   "layer (one operator after another), stream (row by row where that takes less), or auto: "
                   "stream where layer exceeds --sram")
      ->check(CLI::IsMember({"layer", "stream", "auto"}))
      ->capture_default_str();
  command
      ->add_option("--input", flags->input,
                   "resident (all of it in the arena), rows (they arrive once, in order: pushed, or pulled "
                   "through a callback) or reread (rows can be fetched again)")
      ->check(CLI::IsMember({"resident", "rows", "reread"}))
      ->capture_default_str();
  command
      ->add_option("--max-extra-macs", flags->max_extra_macs,
                   "MACs that streaming may compute again to need less SRAM: 0.2 = 20 %")
      ->check(refuse_no_share)
      ->capture_default_str();
  command->add_option("--name", flags->name, "C identifier: prefix of files and symbols")
      ->capture_default_str();
  command->add_option("--seed", flags->seed, "of the self-test's random inputs")
      ->check(refuse_negative)
      ->type_name("N")
      ->capture_default_str();
  flags->output.add(*command);
  command->callback([&action, flags] { action = [flags] { compile(*flags); }; });
}

}  // namespace tinynas
