#include "cli/result.h"

#include <algorithm>

#include "base/error.h"
#include "cli/options.h"
#include "cli/paths.h"
#include "cli/schedule_report.h"
#include "cli/stage_summary.h"
#include "cli/version.h"
#include "config/experiment.h"
#include "cost_models/board.h"
#include "graph/lower.h"

namespace tinynas {
namespace {

// Values that the effort preset set and that shape the result, for the report's list of caps.
nlohmann::json caps_in_force(const Config& config) {
  struct Cap {
    const char* key;
    const char* flag;
  };
  // Limits and subsets that a preset sets; budgets of steps are no caps and stand in config.resolved.yaml.
  static const Cap caps[] = {{"limits.macs", "--max-macs N|none"},
                             {"data.max_train_images", "--set data.max_train_images=0"},
                             {"data.max_test_images", "--set data.max_test_images=0"},
                             {"search.val_images", "--set search.val_images=0"}};
  nlohmann::json list = nlohmann::json::array();
  for (const Cap& cap : caps) {
    const bool caps_something = !config.value(cap.key).is_null() && config.value(cap.key) != 0;
    if (set_by_effort(config, cap.key) && caps_something) {
      list.push_back({{"key", cap.key},
                      {"value", config.formatted(cap.key)},
                      {"effort", config.text("effort")},
                      {"override", cap.flag}});
    }
  }
  return list;
}

std::string latency_note(const Board& board, Runtime runtime) {
  const LatencyModel* model = board.latency_model(runtime);
  if (model == nullptr) return "board " + board.name + " has no latency model";
  return std::string("latency and energy are modelled (") + name_of(model->basis) + "): " + model->source;
}

std::vector<std::string> what_is_approximate(const CostReport& bound, const StageSummary& verify,
                                             const Board* board, Runtime runtime) {
  std::vector<std::string> notes;
  if (verify.at("arm_compiled").get<bool>()) {
    notes.push_back("code, stack and .data/.bss are those of " + verify.at("arm_note").get<std::string>() +
                    "; another compiler or -O level links other sizes");
  } else {
    notes.push_back("code (" + std::to_string(bound.flash.code_bytes) + " bytes) and stack (" +
                    std::to_string(bound.sram.stack_bytes) +
                    " bytes) are upper bounds, not linked: " + verify.at("arm_note").get<std::string>());
  }
  notes.push_back(
      board != nullptr
          ? latency_note(*board, runtime)
          : "latency and energy are a model per board; SRAM and Flash reserve 0 bytes for the rest of "
            "the firmware (no --board)");
  if (bound.streams) {
    notes.push_back(
        "latency and energy of the streamed operators are those of whole layers and of what strips "
        "compute again; calls row by row take 0 to 30 % more instructions (docs/results.md)");
  }
  notes.push_back("supernet accuracies rank networks; they are not the accuracies of trained networks");
  return notes;
}

struct BoardFigures {
  nlohmann::json latency_ms = nlohmann::json::object();
  nlohmann::json energy_mj = nlohmann::json::object();
  nlohmann::json latency_basis = nlohmann::json::object();
  nlohmann::json latency_error_band = nlohmann::json::object();  // relative, null = not known

  void add(const std::string& name, const CostReport& costs) {
    if (costs.latency_ms) {
      latency_ms[name] = *costs.latency_ms;
      latency_basis[name] = name_of(*costs.latency_basis);
      latency_error_band[name] =
          costs.latency_error_band ? nlohmann::json(*costs.latency_error_band) : nlohmann::json();
    }
    if (costs.energy_mj) energy_mj[name] = *costs.energy_mj;
  }
};

// Every board of configs/boards, and the run's own under the name it was asked for (a path, for a user's).
BoardFigures per_board(const Graph& graph, CostOptions options, const std::optional<std::string>& own) {
  BoardFigures figures;
  options.per_operator = false;
  if (own) figures.add(*own, estimate(graph, options));
  for (const Board& board : load_boards(home_directory() / "configs" / "boards")) {
    if (own == board.name) continue;
    options.board = &board;
    options.sram_limit_bytes = board.sram_bytes;
    options.plan.variant = variant_of_isa(board.isa);  // its own kernels want their own scratch
    figures.add(board.name, estimate(graph, options));
  }
  return figures;
}

nlohmann::json wall_seconds(const Run& run, double report_wall_s) {
  nlohmann::json json;
  double total = report_wall_s;
  for (const char* stage : {"space", "train", "evolve", "finetune", "quantize", "export", "verify"}) {
    json[stage] = StageSummary(run, stage).wall_s();
    total += json[stage].get<double>();
  }
  json["report"] = report_wall_s;
  json["total"] = total;
  return json;
}

}  // namespace

std::string git_commit() { return TINYNAS_GIT_COMMIT; }
std::string version_text() { return std::string(TINYNAS_VERSION) + " (" + git_commit() + ")"; }

nlohmann::json result_json(const SramCost& sram) {
  return {{"total", sram.total_bytes()},
          {"arena", sram.arena_bytes},
          {"input", sram.input_bytes},
          {"scratch", sram.scratch_bytes},
          {"persistent", sram.persistent_bytes},
          {"data_bss", sram.data_bss_bytes},
          {"stack", sram.stack_bytes},
          {"reserve", sram.reserve_bytes},
          {"arena_excl_input", sram.arena_bytes - sram.input_bytes}};
}

nlohmann::json result_json(const FlashCost& flash) {
  return {{"total", flash.total_bytes()},           {"weights", flash.weights_bytes},
          {"tables", flash.tables_bytes},           {"code", flash.code_bytes},
          {"code_is_linked", flash.code_is_linked}, {"reserve", flash.reserve_bytes}};
}

nlohmann::json make_result(Workbench& bench, const Run& run, const TestAccuracy& test, double report_wall_s) {
  const Config& config = run.config();
  const ArchitectureFile winner = load_architecture(run);
  const Graph graph = lower(winner.space, winner.architecture, winner.num_classes);
  const StageSummary space(run, "space");
  const StageSummary evolve(run, "evolve");
  const StageSummary finetune(run, "finetune");
  const StageSummary quantize(run, "quantize");
  const StageSummary verify(run, "verify");
  // What the report takes from a summary that stands in the result as it is.
  for (const char* path : {"why", "sub_spaces"}) space.at(path);
  quantize.at("method");
  const CostReport bound = estimate(graph, bench.cost_options());
  const BoardFigures boards = per_board(graph, bench.cost_options(), config.optional_text("board"));
  nlohmann::json arch = to_json(winner.space, winner.architecture, winner.num_classes);
  arch["encoding"] = encode(winner.architecture);

  const int64_t dataset_val = space.at("data.val_images").get<int64_t>();
  const int64_t supernet_val = config.integer("search.val_images");

  return {
      {"format", "tinynas-result-1"},
      {"name", config.optional_text("name").value_or(config.text("data.name"))},
      {"directory", run.directory().string()},
      {"firmware", run.path("firmware").string()},
      {"arch", arch},
      {"accuracy",
       {{"supernet", evolve.at("accuracy_supernet")},
        {"finetuned_fp32", test.fp32},
        {"int8", test.int8},
        {"test_images", test.images},
        {"val_images", dataset_val},
        {"supernet_val_images", supernet_val == 0 ? dataset_val : std::min(supernet_val, dataset_val)},
        {"val_finetuned_fp32", finetune.at("val_accuracy_fp32")},
        {"val_int8", quantize.at("val_accuracy_int8")}}},
      {"quantization", quantize.json()},
      {"macs", macs(graph)},
      {"params", params(graph)},
      {"sram", verify.at("sram")},
      {"flash", verify.at("flash")},
      {"latency_ms", boards.latency_ms},
      {"energy_mj", boards.energy_mj},
      {"latency_basis", boards.latency_basis},
      {"latency_error_band", boards.latency_error_band},
      {"board", config.value("board")},
      {"limits", to_json(bench.limits())},
      {"schedule", schedule_report(graph, bench.cost_options())},
      {"caps", caps_in_force(config)},
      {"space", space.json()},
      {"search",
       {{"evaluated", evolve.at("evaluated")},
        {"cached", evolve.json().value("cached", nlohmann::json())},
        {"generations", evolve.at("generations")},
        {"ranking", evolve.at("ranking")},
        {"front", evolve.at("front")},
        {"predictor", evolve.json().value("predictor", nlohmann::json())},
        {"proxy", evolve.json().value("proxy", nlohmann::json())},
        {"reference", evolve.at("reference")},
        {"comparison", evolve.at("comparison")}}},
      {"verify",
       {{"images", verify.at("images")},
        {"inputs", verify.at("inputs")},
        {"arm_compiled", verify.at("arm_compiled")},
        {"arm_note", verify.at("arm_note")}}},
      {"approximate", what_is_approximate(bound, verify, bench.board(), bench.cost_options().plan.runtime)},
      {"effort", config.text("effort")},
      {"seed", config.integer("seed")},
      {"git_commit", git_commit()},
      {"version", TINYNAS_VERSION},
      {"data", space.at("data")},
      {"data_checksum", space.at("data.checksum")},
      {"wall_s", wall_seconds(run, report_wall_s)}};
}

std::string result_text(const std::filesystem::path& file, bool colour) {
  const nlohmann::json result = read_json_file(file);
  try {
    return render_result(result, colour);
  } catch (const nlohmann::json::exception& error) {
    const nlohmann::json none = "unknown";
    const auto written = [&](const char* key) {
      const nlohmann::json& found = result.is_object() && result.contains(key) ? result.at(key) : none;
      return found.is_string() ? found.get<std::string>() : found.dump();
    };
    throw data_error(file.string() + ": " + plain_text(error) + "; version " + written("version") + " (" +
                     written("git_commit") + ") of tinynas wrote it, this one is " + version_text() +
                     ". Write it anew: tinynas report " + file.parent_path().string() +
                     " --again. As it is: --json");
  }
}

}  // namespace tinynas
