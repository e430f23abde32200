#include "cli/short_training.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "cli/options.h"
#include "search/baselines.h"
#include "search/shared_space.h"
#include "supernet/supernet.h"

namespace tinynas {
namespace {

ShortTraining train_shortly(Workbench& bench, Run& run, const std::vector<Constraint>& constraints,
                            const SubSpace& sub_space) {
  const Config& config = bench.config();
  const uint64_t seed = static_cast<uint64_t>(config.integer("seed"));
  TrainOptions options = train_options(config, "train");
  options.steps = config.integer("space_optimisation.short_training_steps");
  const Constraint& any = constraints.front();  // of space, classes and MACs they say the same
  Supernet supernet(any.space(), sub_space, any.num_classes(), seed);
  const ArchitectureSampler sampler = [&](Rng& rng) {
    return sample_for_boards(constraints, sub_space, rng);
  };
  // Without a state file: short enough to be repeated after an interruption.
  train_supernet(supernet, bench.train(sub_space.resolution), options, sampler, compute_options(config), {},
                 run.metrics());

  const int count = static_cast<int>(config.integer("space_optimisation.short_training_networks"));
  Rng rng = Rng(seed).fork("short training");
  const std::vector<Architecture> networks =
      draw_distinct([&] { return sampler(rng); }, {.count = count, .attempts = 20 * count});
  SupernetEvaluator evaluator(supernet, bench.train(sub_space.resolution), bench.val(sub_space.resolution),
                              bench.dataset().split_checksum, recalibration_options(config),
                              compute_options(config));
  const std::vector<double> accuracies = evaluator.evaluate(networks, [](size_t, double) {});
  ShortTraining training;
  training.sub_space = sub_space;
  training.networks = static_cast<int>(networks.size());
  for (size_t i = 0; i < networks.size(); ++i) {
    training.mean_accuracy += accuracies[i] / static_cast<double>(networks.size());
    training.mean_macs +=
        static_cast<double>(any.costs(networks[i]).macs) / static_cast<double>(networks.size());
  }
  run.metrics().write({{"event", "short_training"},
                       {"sub_space", describe(sub_space)},
                       {"mean_accuracy", training.mean_accuracy},
                       {"mean_macs", training.mean_macs}});
  return training;
}

}  // namespace

std::vector<ShortTraining> short_trainings(Workbench& bench, Run& run,
                                           const std::vector<Constraint>& constraints,
                                           const std::vector<SubSpace>& candidates) {
  std::vector<ShortTraining> trainings;
  for (const SubSpace& sub_space : candidates)
    trainings.push_back(train_shortly(bench, run, constraints, sub_space));
  std::stable_sort(trainings.begin(), trainings.end(), [](const ShortTraining& a, const ShortTraining& b) {
    return a.mean_accuracy > b.mean_accuracy;
  });
  return trainings;
}

nlohmann::json to_json(const std::vector<ShortTraining>& trainings) {
  nlohmann::json rows = nlohmann::json::array();
  for (const ShortTraining& training : trainings) {
    nlohmann::json row = to_json(training.sub_space);
    row.update({{"networks", training.networks},
                {"mean_accuracy", training.mean_accuracy},
                {"mean_macs", training.mean_macs}});
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace tinynas
