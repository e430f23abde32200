// How fast candidates are judged: sample, lower, plan, all costs. The keys are a contract (design.md, section
// 7).
#include <time.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/progress.h"
#include "base/units.h"
#include "cost_models/best_schedule.h"
#include "cost_models/board.h"
#include "graph/lower.h"
#include "search/space_optimisation.h"
#include "space/space_file.h"

namespace {

using namespace tinynas;

struct Options {
  bool json = false;
  int candidates = 20000;  // networks in each repeat on one core
  int samples = 1000;      // networks of every sub-space in the space optimisation
  int repeats = 5;         // the median counts
  uint64_t seed = 1;
  std::string space = "configs/spaces/mbconv.yaml";
  std::string board = "configs/boards/stm32f746.yaml";
  std::string auto_sram = "320k";  // limit under which every candidate is given its best schedule
};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Of this thread alone: what else runs on the machine does not count as time of the core.
double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

struct OneCore {
  double candidates_per_s = 0;  // of CPU time
  double operators = 0;         // mean of a candidate
  double above_bound = 0;       // fraction of plans whose arena is above the liveness bound
  double streamed = 0;          // fraction of candidates that stream
  double fitting = 0;           // fraction that keeps to costs.sram_limit_bytes
};

OneCore measure_one_core(const SearchSpace& space, const CostOptions& costs, const Options& options) {
  const Rng root(options.seed);
  OneCore result;
  Architecture architecture;
  const double start = cpu_seconds();
  for (int i = 0; i < options.candidates; ++i) {
    Rng rng = root.fork(static_cast<uint64_t>(i));
    const double width = rng.pick(space.widths);
    sample_into(space, {width, rng.pick(space.resolutions)}, rng, architecture);
    const Graph graph = lower(space, architecture, 1000, Names::kNone);
    const ScheduledCosts scheduled = under_best_schedule(graph, costs);
    const SramCost& sram = scheduled.costs.sram;
    result.operators += static_cast<double>(graph.ops.size());
    result.above_bound += sram.arena_bytes > scheduled.plan.lower_bound_bytes ? 1 : 0;
    result.streamed += scheduled.costs.streams ? 1 : 0;
    result.fitting += costs.sram_limit_bytes && sram.total_bytes() <= *costs.sram_limit_bytes ? 1 : 0;
  }
  result.candidates_per_s = options.candidates / (cpu_seconds() - start);
  result.operators /= options.candidates;
  result.above_bound /= options.candidates;
  result.streamed /= options.candidates;
  result.fitting /= options.candidates;
  return result;
}

OneCore median_of_repeats(const SearchSpace& space, const CostOptions& costs, const Options& options) {
  std::vector<OneCore> results;
  for (int i = 0; i < options.repeats; ++i) results.push_back(measure_one_core(space, costs, options));
  std::sort(results.begin(), results.end(),
            [](const OneCore& a, const OneCore& b) { return a.candidates_per_s < b.candidates_per_s; });
  return results[results.size() / 2];
}

// The whole space optimisation, drawing and judging, in seconds.
double measure_optimisation(const Constraint& constraint, const Options& options, int threads) {
  SpaceOptimisationOptions all;
  all.samples = options.samples;
  all.threads = threads;
  all.seed = options.seed;
  std::vector<double> seconds;
  for (int i = 0; i < options.repeats; ++i) {
    const auto start = std::chrono::steady_clock::now();
    optimise_space(constraint, all);
    seconds.push_back(seconds_since(start));
  }
  return median(std::move(seconds));
}

// Microseconds per operator of networks with more and more blocks: constant where the cost grows linearly.
nlohmann::json measure_growth(SearchSpace space, const CostOptions& costs, const Options& options) {
  nlohmann::json rows = nlohmann::json::array();
  for (const int depth : {1, 2, 4, 8, 16}) {
    for (StageSpec& stage : space.stages) {
      if (stage.expansions.size() > 1 || stage.expansions.front() > 1) stage.depths = {depth};
    }
    const OneCore result = median_of_repeats(space, costs, options);
    rows.push_back({{"operators", result.operators},
                    {"us_per_candidate", 1e6 / result.candidates_per_s},
                    {"us_per_operator", 1e6 / result.candidates_per_s / result.operators}});
  }
  return rows;
}

nlohmann::json run(const Options& options) {
  Progress::set_enabled(false);
  const SearchSpace space = load_space(options.space);
  const Board board = load_board(options.board);
  CostOptions costs;
  costs.board = &board;
  costs.per_operator = false;
  const OneCore one_core = median_of_repeats(space, costs, options);
  // The limits of the board that is measured for; the default one has room for every kind of answer.
  const Limits limits{.sram_bytes = board.sram_bytes, .flash_bytes = board.flash_bytes};
  const Constraint constraint(space, 1000, limits, costs);
  const double one_thread_s = measure_optimisation(constraint, options, 1);
  const double two_threads_s = measure_optimisation(constraint, options, 2);
  Options shorter = options;
  shorter.candidates = std::max(1, options.candidates / 10);
  CostOptions auto_costs = costs;
  auto_costs.plan.schedule = Schedule::kAuto;
  auto_costs.sram_limit_bytes = parse_bytes(options.auto_sram, "--auto-sram");
  const OneCore with_auto = median_of_repeats(space, auto_costs, shorter);
  return {{"auto_candidates_per_s_core", with_auto.candidates_per_s},
          {"auto_streamed", with_auto.streamed},
          {"auto_fitting", with_auto.fitting},
          {"auto_sram_bytes", *auto_costs.sram_limit_bytes},
          {"candidates_per_s_core", one_core.candidates_per_s},
          {"scaling_two_cores", one_thread_s / two_threads_s},
          {"space_optimisation_s", two_threads_s},
          {"operators", one_core.operators},
          {"plans_above_bound", one_core.above_bound},
          {"growth", measure_growth(space, costs, shorter)},
          {"space", space.name},
          {"board", board.name},
          {"samples", options.samples},
          {"candidates", options.candidates},
          {"seed", options.seed}};
}

void print_table(const nlohmann::json& report) {
  std::printf("%-40s %12s\n", "space", report["space"].get<std::string>().c_str());
  std::printf("%-40s %12.0f\n", "candidates / s / core", report["candidates_per_s_core"].get<double>());
  std::printf("%-40s %12.0f\n", "candidates / s / core, schedule auto",
              report["auto_candidates_per_s_core"].get<double>());
  std::printf("%-40s %12s\n", "  under an SRAM limit of",
              format_bytes(report["auto_sram_bytes"].get<int64_t>()).c_str());
  std::printf("%-40s %11.1f%%\n", "  of them streamed", 100 * report["auto_streamed"].get<double>());
  std::printf("%-40s %11.1f%%\n", "  of them fitting", 100 * report["auto_fitting"].get<double>());
  std::printf("%-40s %12.1f\n", "operators a candidate", report["operators"].get<double>());
  std::printf("%-40s %11.2fx\n", "two threads against one", report["scaling_two_cores"].get<double>());
  std::printf("%-40s %12.2f\n", "space optimisation on two threads, s",
              report["space_optimisation_s"].get<double>());
  std::printf("%-40s %11.2f%%\n", "plans above the liveness bound",
              100 * report["plans_above_bound"].get<double>());
  std::printf("\n%12s %18s %18s\n", "operators", "us a candidate", "us an operator");
  for (const auto& row : report["growth"]) {
    std::printf("%12.1f %18.2f %18.3f\n", row["operators"].get<double>(),
                row["us_per_candidate"].get<double>(), row["us_per_operator"].get<double>());
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Candidates judged a second: sample, lower, plan, all costs; under the layer schedule and under auto");
  Options options;
  app.add_flag("--json", options.json, "one JSON object on standard output");
  app.add_option("--candidates", options.candidates, "networks in each repeat on one core")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--samples", options.samples, "networks of every sub-space in the space optimisation")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--repeats", options.repeats, "the median counts")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--auto-sram", options.auto_sram, "SRAM limit of the candidates that auto schedules")
      ->capture_default_str();
  app.add_option("--seed", options.seed, "seed of the sampled networks")->capture_default_str();
  app.add_option("--space", options.space, "search space")->capture_default_str();
  app.add_option("--board", options.board, "board of the latency model")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    const nlohmann::json report = run(options);
    if (options.json)
      std::printf("%s\n", report.dump(2).c_str());
    else
      print_table(report);
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return static_cast<int>(error.code());
  }
  return 0;
}
