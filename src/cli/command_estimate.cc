#include <spdlog/spdlog.h>

#include <iostream>
#include <memory>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/experiment_flags.h"
#include "cli/model_file.h"
#include "cli/network_costs.h"
#include "cli/paths.h"
#include "cli/workbench.h"

namespace tinynas {
namespace {

struct EstimateFlags {
  OutputFlags output;
  std::string file;
  std::optional<int> resolution;
  std::optional<std::string> board;  // none = all
  std::string runtime = "tinynas";
  std::string accounting = "plan";
};

// A run directory stands for the architecture in it.
std::filesystem::path network_file(const std::filesystem::path& given) {
  return std::filesystem::is_regular_file(given / "arch.json") ? given / "arch.json" : given;
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
  NetworkFile network = load(network_file(flags.file), flags.resolution);
  std::vector<Board> boards;
  if (flags.board)
    boards.push_back(board_by_name(*flags.board, "--board"));
  else
    boards = load_boards(home_directory() / "configs" / "boards");
  const Runtime runtime = flags.runtime == "tflm" ? Runtime::kTflm : Runtime::kTinynas;
  const NetworkCosts costs = network_costs(flags.file, std::move(network), runtime, boards);
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
      "  tinynas estimate mcunet-320k.json --board stm32f746          # does it fit, and by how much\n"
      "  tinynas estimate ofa.json --resolution 176 --accounting mcunet\n"
      "  tinynas estimate arch.json --runtime tflm --json | jq .sram");
  command
      ->add_option(
          "file", flags->file,
          "arch.json, a run directory, a network file of MCUNet or Once-for-All, a .tflite file, or a "
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
  flags->output.add(*command);
  command->callback([&action, flags] { action = [flags] { estimate_file(*flags); }; });
}

}  // namespace tinynas
