#include <spdlog/spdlog.h>

#include "base/files.h"
#include "base/units.h"
#include "cli/comparison.h"
#include "cli/front_report.h"
#include "cli/network_search.h"
#include "cli/options.h"
#include "cli/stages.h"
#include "search/baselines.h"
#include "search/evolution.h"
#include "search/trial_store.h"

namespace tinynas {
namespace {

// Supernet accuracies of the largest, the smallest and a median network: what the supernet has learnt over
// its range.
nlohmann::json reference_networks(const Constraint& constraint, const SubSpace& sub_space, uint64_t seed,
                                  Evaluator& evaluator, TrialStore& store) {
  Rng rng = Rng(seed).fork("median network");
  const std::vector<std::string> names = {"largest", "smallest", "median"};
  const std::vector<Architecture> networks = {largest(constraint.space(), sub_space),
                                              smallest(constraint.space(), sub_space),
                                              median_architecture(constraint, sub_space, rng)};
  const std::vector<double> accuracies = evaluate_stored(networks, evaluator, store);
  nlohmann::json json;
  for (size_t i = 0; i < names.size(); ++i) {
    const int64_t macs = constraint.costs(networks[i]).macs;
    json[names[i]] = {{"arch", encode(networks[i])},
                      {"macs", macs},
                      {"accuracy", accuracies[i]},
                      {"fits", constraint.fits(networks[i])}};
    spdlog::info("   {:<9} {:>10} MACs  supernet top-1 {:.1f} %", names[i], format_count(macs),
                 100 * accuracies[i]);
  }
  return json;
}

nlohmann::json run_evolve(Workbench& bench, Run& run) {
  const Config& config = bench.config();
  const ChosenSpace chosen = load_chosen_space(run);
  const int resolution = chosen.sub_space.resolution;
  const Constraint constraint = bench.constraint(chosen.space, chosen.num_classes);
  const Supernet supernet = Supernet::load(run.path("supernet.safetensors"));
  SupernetEvaluator evaluator(supernet, bench.train(resolution), bench.val(resolution),
                              bench.dataset().split_checksum, recalibration_options(config),
                              compute_options(config));
  TrialStore store(trials_path(run));
  const nlohmann::json reference = reference_networks(
      constraint, chosen.sub_space, static_cast<uint64_t>(config.integer("seed")), evaluator, store);
  const bool pareto = config.flag("search.pareto");
  const NetworkSearch search = search_networks(bench, run, chosen, constraint, evaluator, store);
  const SearchResult& result = search.result;
  const nlohmann::json front = front_json(result);
  write_file_atomic(run.path("front.svg"), front_svg(result));
  if (pareto)
    spdlog::info("   {} networks on the Pareto front (front.svg):\n{}", front.size(),
                 front_table(front, "   "));
  const nlohmann::json comparison =
      compare_with_random(bench, run, supernet, constraint, result.best, evaluator, store);

  write_json_file(run.path("search.json"), {{"format", "tinynas-search-1"},
                                            {"search", to_json(result)},
                                            {"predictor", search.predictor},
                                            {"proxy", search.proxy},
                                            {"reference", reference},
                                            {"comparison", comparison}});
  write_json_file(run.path("arch.json"), to_json(chosen.space, result.best.architecture, chosen.num_classes));
  spdlog::info("   winner: {}", encode(result.best.architecture));
  return {{"arch", encode(result.best.architecture)},
          {"accuracy_supernet", result.best.accuracy},
          {"evaluated", result.candidates.size()},
          {"cached", result.cached},
          {"generations", result.history.size()},
          {"ranking", pareto ? "pareto" : "accuracy"},
          {"predictor", search.predictor},
          {"proxy", search.proxy},
          {"front", front},
          {"reference", reference},
          {"comparison", comparison}};
}

}  // namespace

Stage evolve_stage(Workbench& bench) {
  Stage stage{.name = "evolve",
              .doc = "the most accurate architecture that meets every limit",
              .config_keys = with_chip_keys({"search", "recalibration", "comparison", "data", "seed"}),
              .inputs = {"space.json", "supernet.safetensors"},
              .outputs = {"search.json", "arch.json", "front.svg"},
              .run = [&bench](Run& run) { return run_evolve(bench, run); }};
  if (bench.config().text("comparison.by") == "finetune") {
    stage.config_keys.insert(stage.config_keys.end(), {"finetune", "augment"});
  }
  return stage;
}

}  // namespace tinynas
