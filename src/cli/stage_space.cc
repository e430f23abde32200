#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "base/units.h"
#include "cli/options.h"
#include "cli/short_training.h"
#include "cli/space_report.h"
#include "cli/stages.h"
#include "search/shared_space.h"
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

// What was decided, and what the stage's file and summary say of it.
struct Decision {
  SubSpace chosen;
  std::string why;
  nlohmann::json optimisation;
  nlohmann::json trainings;  // null without a short training
  nlohmann::json summary;
};

#ifdef TINYNAS_WITH_TORCH
void decide_by_training(Workbench& bench, Run& run, const std::vector<Constraint>& constraints,
                        const std::vector<SubSpace>& top, Decision& decision) {
  const std::vector<ShortTraining> trainings = short_trainings(bench, run, constraints, top);
  spdlog::info("   {:<12} {:>14} {:>12}", "sub-space", "mean accuracy", "mean MACs");
  for (const ShortTraining& training : trainings) {
    spdlog::info("   {:<12} {:>13.1f}% {:>12}", describe(training.sub_space), 100 * training.mean_accuracy,
                 format_count(std::llround(training.mean_macs)));
  }
  decision.chosen = trainings.front().sub_space;
  decision.why = fmt::format(
      "memory does not bind, so the top {} by mean MACs were each trained for {} steps: mean accuracy of {} "
      "random fitting "
      "networks {:.1f} %",
      trainings.size(), bench.config().integer("space_optimisation.short_training_steps"),
      trainings.front().networks, 100 * trainings.front().mean_accuracy);
  decision.trainings = to_json(trainings);
}
#else
void decide_by_training(Workbench&, Run&, const std::vector<Constraint>&, const std::vector<SubSpace>&,
                        Decision&) {
  require_torch("memory does not bind, and deciding among the top sub-spaces takes a short training");
}
#endif

Decision decide(Workbench& bench, Run& run, const std::vector<Constraint>& constraints) {
  const SpaceOptimisation optimisation =
      optimise_space(constraints.front(), space_optimisation_options(bench.config()));
  print_grid(optimisation);
  spdlog::info("   runner-up: {}", describe(optimisation.runner_up));
  if (!optimisation.warning.empty()) spdlog::warn("{}", optimisation.warning);
  Decision decision{.chosen = optimisation.chosen,
                    .why = why_by_flops(report_of(optimisation, optimisation.chosen)),
                    .optimisation = to_json(optimisation),
                    .trainings = nullptr,
                    .summary = {}};
  if (!optimisation.memory_binds && optimisation.top.size() > 1)
    decide_by_training(bench, run, constraints, optimisation.top, decision);
  const SubSpaceReport& report = report_of(optimisation, decision.chosen);
  decision.summary = {{"runner_up", describe(optimisation.runner_up)},
                      {"warning", optimisation.warning},
                      {"fit_fraction", report.fraction()},
                      {"binding_limit", report.binding_limit},
                      {"sub_spaces", optimisation.sub_spaces.size()}};
  return decision;
}

Decision decide_for_boards(Workbench& bench, Run& run, const std::vector<Constraint>& constraints) {
  std::vector<std::string> names;
  for (const Board& board : bench.boards()) names.push_back(board.name);
  const SharedSpace shared =
      optimise_shared_space(names, constraints, space_optimisation_options(bench.config()));
  if (!shared.warning.empty()) spdlog::warn("{}", shared.warning);
  Decision decision{
      .chosen = shared.chosen,
      .why =
          fmt::format("of all sub-spaces the one in which the worst-served of {} boards keeps most: {:.0f} % "
                      "of the mean MACs of its own choice",
                      names.size(), 100 * shared.sub_spaces.front().least_share),
      .optimisation = to_json(shared),
      .trainings = nullptr,
      .summary = {}};
  if (!shared.memory_binds && shared.top.size() > 1)
    decide_by_training(bench, run, constraints, shared.top, decision);
  const std::vector<BoardShare>& boards = shared.boards_in(decision.chosen);
  double least_fraction = 1;
  spdlog::info("   {:<20} {:>7} {:>12} {:>14} {:>10}  {}", "board", "fits", "mean MACs", "own choice",
               "keeps", "binding limit");
  for (const BoardShare& board : boards) {
    least_fraction = std::min(least_fraction, board.shared.fraction());
    spdlog::info("   {:<20} {:>6.1f}% {:>12} {:>14} {:>9.0f}%  {}", board.board,
                 100 * board.shared.fraction(), format_count(std::llround(board.shared.mean_macs)),
                 describe(board.own), 100 * board.share(), board.shared.binding_limit);
  }
  decision.summary = {{"runner_up", shared.top.size() > 1 ? describe(shared.top[1]) : "none"},
                      {"warning", shared.warning},
                      {"fit_fraction", least_fraction},
                      {"binding_limit", "by board"},
                      {"boards", to_json(boards)},
                      {"sub_spaces", shared.sub_spaces.size()}};
  return decision;
}

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
  const std::vector<Constraint> constraints = bench.constraints(space, num_classes);
  const Decision decision =
      bench.boards().empty() ? decide(bench, run, constraints) : decide_for_boards(bench, run, constraints);
  spdlog::info("   chosen: {}: {}", describe(decision.chosen), decision.why);
  const nlohmann::json chosen_json = to_json(decision.chosen);
  write_json_file(run.path("space.json"), {{"format", "tinynas-space-1"},
                                           {"space", to_json(space)},
                                           {"num_classes", num_classes},
                                           {"data", data_summary(dataset)},
                                           {"limits", to_json(bench.limits())},
                                           {"optimisation", decision.optimisation},
                                           {"short_training", decision.trainings},
                                           {"chosen", chosen_json},
                                           {"why", decision.why}});
  nlohmann::json summary = decision.summary;
  summary.update({{"space", space.name},
                  {"chosen", chosen_json},
                  {"why", decision.why},
                  {"data", data_summary(dataset)}});
  return summary;
}

}  // namespace

Stage space_stage(Workbench& bench) {
  Stage stage{.name = "space",
              .doc = "which width and resolution to search in",
              // Of train.* what a short training uses; its number of steps is an option of its own.
              .config_keys = with_chip_keys({"effort",
                                             "method",
                                             "runtime",
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
                                             "train.ema"}),
              .inputs = {},
              .outputs = {"space.json"},
              .run = [&bench](Run& run) { return run_space(bench, run); }};
  if (!bench.boards().empty()) stage.config_keys.push_back("boards");
  return stage;
}

}  // namespace tinynas
