#include "cli/comparison.h"

#include <spdlog/spdlog.h>

#include <numeric>

#include "cli/options.h"
#include "search/baselines.h"

namespace tinynas {
namespace {

// Fine-tunes each architecture for the same steps from the same supernet. Results are kept as they come,
// keyed by the supernet, so that an interruption loses none.
std::vector<double> finetune_each(Workbench& bench, Run& run, const Supernet& supernet,
                                  const std::vector<Architecture>& architectures) {
  const Config& config = bench.config();
  const int resolution = supernet.sub_space().resolution;
  TrainOptions options = train_options(config, "finetune");
  options.steps = config.integer("comparison.finetune_steps");
  const std::filesystem::path partial_path = run.path("comparison.partial.json");
  std::string key = supernet.checkpoint_hash() + " " + std::to_string(options.steps);
  for (const OptionSpec& option : config.schema().options()) {
    const bool matters = option.key == "seed" || option.key.starts_with("finetune.") ||
                         option.key.starts_with("augment.") || option.key.starts_with("recalibration.");
    if (matters) key += " " + option.key + "=" + config.formatted(option.key);
  }
  nlohmann::json partial = {{"key", key}, {"accuracy", nlohmann::json::object()}};
  if (std::filesystem::exists(partial_path)) {
    const nlohmann::json before = read_json_file(partial_path);
    if (before.value("key", "") == key && before.contains("accuracy")) partial = before;
  }
  std::vector<double> accuracies;
  for (const Architecture& architecture : architectures) {
    const std::string name = encode(architecture);
    if (!partial["accuracy"].contains(name)) {
      spdlog::info("   fine-tuning {} of {} for the comparison", accuracies.size() + 1, architectures.size());
      partial["accuracy"][name] =
          finetune(supernet, architecture, bench.train(resolution), bench.val(resolution), options,
                   recalibration_options(config), compute_options(config), run.path("comparison.state"),
                   run.metrics())
              .val_accuracy;
      write_json_file(partial_path, partial);
      std::filesystem::remove(run.path("comparison.state"));
    }
    accuracies.push_back(partial["accuracy"][name].get<double>());
  }
  return accuracies;
}

}  // namespace

std::vector<double> evaluate_stored(const std::vector<Architecture>& architectures, Evaluator& evaluator,
                                    TrialStore& store) {
  const std::string key = evaluator.key();
  std::vector<Architecture> missing;
  for (const Architecture& architecture : architectures) {
    const bool asked = std::find(missing.begin(), missing.end(), architecture) != missing.end();
    if (!asked && !store.find(key, architecture)) missing.push_back(architecture);
  }
  if (!missing.empty()) {
    evaluator.evaluate(missing, [&](size_t i, double accuracy) { store.put(key, missing[i], accuracy); });
  }
  std::vector<double> accuracies;
  for (const Architecture& architecture : architectures)
    accuracies.push_back(store.find(key, architecture).value());
  return accuracies;
}

nlohmann::json compare_with_random(Workbench& bench, Run& run, const Supernet& supernet,
                                   const Constraint& constraint, const Candidate& winner,
                                   Evaluator& evaluator, TrialStore& store) {
  const Config& config = bench.config();
  const int count = static_cast<int>(config.integer("comparison.networks"));
  if (count == 0) return nullptr;
  Rng rng = Rng(static_cast<uint64_t>(config.integer("seed"))).fork("comparison");
  const NearMacsSample sample = sample_near_macs(constraint, supernet.sub_space(), winner.costs.macs,
                                                 config.real("comparison.macs_tolerance"), count, rng);
  const std::string by = config.text("comparison.by");
  std::vector<Architecture> all = sample.architectures;
  all.push_back(winner.architecture);
  const std::vector<double> accuracies =
      by == "finetune" ? finetune_each(bench, run, supernet, all) : evaluate_stored(all, evaluator, store);

  nlohmann::json networks = nlohmann::json::array();
  double mean = 0;
  for (size_t i = 0; i < sample.architectures.size(); ++i) {
    mean += accuracies[i] / static_cast<double>(sample.architectures.size());
    networks.push_back(
        {{"arch", encode(all[i])}, {"macs", constraint.costs(all[i]).macs}, {"accuracy", accuracies[i]}});
  }
  std::filesystem::remove(run.path("comparison.partial.json"));
  return {{"by", by},
          {"networks", networks},
          {"mean", mean},
          {"winner", accuracies.back()},
          {"macs_tolerance", sample.tolerance},
          {"finetune_steps", by == "finetune" ? nlohmann::json(config.integer("comparison.finetune_steps"))
                                              : nlohmann::json()}};
}

}  // namespace tinynas
