#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "base/units.h"
#include "cli/options.h"
#include "cli/short_training.h"
#include "cli/space_report.h"
#include "cli/stages.h"
#include "search/space_optimisation.h"

namespace tinynas {
namespace {

const SubSpaceReport& report_of(const SpaceOptimisation& optimisation, const SubSpace& sub_space) {
  for (const SubSpaceReport& report : optimisation.sub_spaces) {
    if (report.sub_space == sub_space) return report;
  }
  throw std::logic_error("chosen sub-space is not in the grid");
}

void print_grid(const SpaceOptimisation& optimisation) {
  constexpr size_t kRows = 5;
  spdlog::info("   {:<12} {:>7} {:>12} {:>12} {:>12} {:>12}  {}", "sub-space", "fits", "mean MACs",
               "p50 MACs", "p80 MACs", "max MACs", "binding limit");
  for (size_t i = 0; i < std::min(kRows, optimisation.sub_spaces.size()); ++i) {
    const SubSpaceReport& report = optimisation.sub_spaces[i];
    spdlog::info("   {:<12} {:>6.1f}% {:>12} {:>12} {:>12} {:>12}  {}", describe(report.sub_space),
                 100 * report.fraction(), format_count(std::llround(report.mean_macs)),
                 format_count(report.p50_macs), format_count(report.p80_macs), format_count(report.max_macs),
                 report.binding_limit);
  }
  if (optimisation.sub_spaces.size() > kRows) {
    spdlog::info("   ... {} more in space.json", optimisation.sub_spaces.size() - kRows);
  }
}

std::string why_by_flops(const SubSpaceReport& chosen) {
  return fmt::format(
      "largest mean MACs of its fitting networks ({}; {:.0f} % of the samples fit, binding limit: {})",
      format_count(std::llround(chosen.mean_macs)), 100 * chosen.fraction(), chosen.binding_limit);
}

#ifdef TINYNAS_WITH_TORCH
nlohmann::json decide_by_training(Workbench& bench, Run& run, const Constraint& constraint,
                                  const SpaceOptimisation& optimisation, SubSpace& chosen, std::string& why) {
  const std::vector<ShortTraining> trainings = short_trainings(bench, run, constraint, optimisation.top);
  spdlog::info("   {:<12} {:>14} {:>12}", "sub-space", "mean accuracy", "mean MACs");
  for (const ShortTraining& training : trainings) {
    spdlog::info("   {:<12} {:>13.1f}% {:>12}", describe(training.sub_space), 100 * training.mean_accuracy,
                 format_count(std::llround(training.mean_macs)));
  }
  chosen = trainings.front().sub_space;
  why = fmt::format(
      "memory does not bind, so the top {} by mean MACs were each trained for {} steps: mean accuracy of {} "
      "random fitting "
      "networks {:.1f} %",
      trainings.size(), bench.config().integer("space_optimisation.short_training_steps"),
      trainings.front().networks, 100 * trainings.front().mean_accuracy);
  return to_json(trainings);
}
#else
nlohmann::json decide_by_training(Workbench&, Run&, const Constraint&, const SpaceOptimisation&, SubSpace&,
                                  std::string&) {
  require_torch("memory does not bind, and deciding among the top sub-spaces takes a short training");
  return nullptr;
}
#endif

nlohmann::json data_summary(const Dataset& dataset) {
  return {{"name", dataset.name},
          {"class_names", dataset.class_names},
          {"train_images", dataset.train.size()},
          {"val_images", dataset.val.size()},
          {"test_images", dataset.test.size()},
          {"checksum", dataset.checksum},
          {"split_checksum", dataset.split_checksum}};
}

nlohmann::json run_space(Workbench& bench, Run& run) {
  const Dataset& dataset = bench.dataset();
  const SearchSpace space = bench.configured_space();
  const int num_classes = static_cast<int>(dataset.class_names.size());
  const Constraint constraint = bench.constraint(space, num_classes);
  const SpaceOptimisation optimisation =
      optimise_space(constraint, space_optimisation_options(bench.config()));
  print_grid(optimisation);
  spdlog::info("   runner-up: {}", describe(optimisation.runner_up));
  if (!optimisation.warning.empty()) spdlog::warn("{}", optimisation.warning);

  SubSpace chosen = optimisation.chosen;
  std::string why = why_by_flops(report_of(optimisation, chosen));
  nlohmann::json trainings = nullptr;
  if (!optimisation.memory_binds && optimisation.top.size() > 1) {
    trainings = decide_by_training(bench, run, constraint, optimisation, chosen, why);
  }
  spdlog::info("   chosen: {}: {}", describe(chosen), why);
  const nlohmann::json chosen_json = {{"width", chosen.width}, {"resolution", chosen.resolution}};
  write_json_file(run.path("space.json"), {{"format", "tinynas-space-1"},
                                           {"space", to_json(space)},
                                           {"num_classes", num_classes},
                                           {"data", data_summary(dataset)},
                                           {"limits", to_json(bench.limits())},
                                           {"optimisation", to_json(optimisation)},
                                           {"short_training", trainings},
                                           {"chosen", chosen_json},
                                           {"why", why}});
  const SubSpaceReport& report = report_of(optimisation, chosen);
  return {{"space", space.name},
          {"chosen", chosen_json},
          {"why", why},
          {"runner_up", describe(optimisation.runner_up)},
          {"warning", optimisation.warning},
          {"fit_fraction", report.fraction()},
          {"binding_limit", report.binding_limit},
          {"sub_spaces", optimisation.sub_spaces.size()},
          {"data", data_summary(dataset)}};
}

}  // namespace

Stage space_stage(Workbench& bench) {
  return {.name = "space",
          .doc = "which width and resolution to search in",
          // Of train.* what a short training uses; its number of steps is an option of its own.
          .config_keys = {"effort",
                          "method",
                          "runtime",
                          "board",
                          "limits",
                          "schedule",
                          "max_extra_macs",
                          "redistribute",
                          "data",
                          "augment",
                          "space",
                          "space_optimisation",
                          "seed",
                          "recalibration",
                          "search.val_images",
                          "train.batch_size",
                          "train.learning_rate",
                          "train.momentum",
                          "train.weight_decay",
                          "train.label_smoothing",
                          "train.warmup_fraction",
                          "train.subnets_per_step",
                          "train.method",
                          "train.distillation",
                          "train.kernel_maps",
                          "train.kernel_phase",
                          "train.depth_phase",
                          "train.ema"},
          .inputs = {},
          .outputs = {"space.json"},
          .run = [&bench](Run& run) { return run_space(bench, run); }};
}

}  // namespace tinynas
