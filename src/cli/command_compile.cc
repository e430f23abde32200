#include <fmt/format.h>

#include <iostream>
#include <memory>

#include "base/error.h"
#include "base/rng.h"
#include "base/units.h"
#include "cli/commands.h"
#include "cli/experiment_flags.h"
#include "cli/model_file.h"
#include "cli/network_costs.h"
#include "cli/workbench.h"
#include "cost_models/best_schedule.h"
#include "export/package.h"
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
  std::string name = "model";
  std::string schedule = "auto";
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

void require_fits(const CompileFlags& flags, const CostReport& costs, const Limits& limits) {
  std::string exceeded;
  for (const Violation& violation : violations(costs, limits)) exceeded += "\n  " + describe(violation);
  if (exceeded.empty()) return;
  throw Error(ExitCode::kNothingFits,
              flags.model + " does not fit; nothing was written:" + exceeded +
                  fmt::format("\n  the most is needed at operator '{}' (`tinynas estimate {}` shows all)",
                              costs.bottleneck, flags.model));
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
  ExportOptions options;
  if (board != nullptr) options.plan.variant = variant_of_isa(board->isa);
  options.plan.schedule = schedule_from_name(flags.schedule, "--schedule");
  options.plan.max_extra_macs = flags.max_extra_macs;
  options.name = flags.name;
  options.check();

  const ModelFile loaded = load_model(flags.model);
  CostOptions cost_options;
  cost_options.plan = options.plan;
  cost_options.board = board;
  cost_options.sram_limit_bytes = limits.sram_bytes;
  const ScheduledCosts scheduled = under_best_schedule(loaded.model.graph, cost_options);
  options.plan = scheduled.options;
  const CostReport& costs = scheduled.costs;
  require_fits(flags, costs, limits);
  options.extra_files["model.tflite"] = tflite_bytes(loaded.model);
  export_package(loaded.model, random_inputs(loaded.model.graph, options.golden_vectors, flags.seed),
                 flags.out, options);

  if (flags.output.json) {
    const NetworkFile network{"int8 network", loaded.model.graph, std::nullopt};
    nlohmann::json json = to_json(network_costs(flags.model, network, options.plan, boards), "plan");
    json["package"] = flags.out;
    json["notes"] = loaded.notes;
    json["limits"] = to_json(limits);
    json["sram"] = to_json(costs)["sram"];
    json["flash"] = to_json(costs)["flash"];
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
  text += "  arena exact; stack and code are upper bounds\n";
  if (costs.streams) {
    text += fmt::format(
        "  streams: row by row, {:.1f} % of the MACs computed again; --schedule layer for whole tensors\n",
        100.0 * static_cast<double>(costs.extra_macs) / static_cast<double>(costs.macs));
  }
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
      "  tinynas infer firmware --input image.bin --output scores.bin   # what the firmware computes\n"
      "Ends with 3 and writes nothing when the network does not fit.");
  command->add_option("model", flags->model, ".tflite file, or a model.int8.json")
      ->required()
      ->type_name("FILE");
  command->add_option("--sram", flags->sram, "SRAM of the chip (320k); with --board, instead of its own")
      ->type_name("SIZE");
  command->add_option("--flash", flags->flash, "Flash of the chip (1M); with --board, instead of its own")
      ->type_name("SIZE");
  command->add_option("--board", flags->board, "a chip of `tinynas boards`, or a file")->type_name("NAME");
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
      ->add_option("--max-extra-macs", flags->max_extra_macs,
                   "MACs that streaming may compute again to need less SRAM: 0.2 = 20 %")
      ->check(CLI::Range(0.0, 10.0))
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
