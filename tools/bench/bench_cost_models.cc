// How fast candidates can be judged: sample, lower, plan, estimate, on one core.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "cost_models/board.h"
#include "cost_models/costs.h"
#include "graph/lower.h"
#include "space/space_file.h"

namespace {

using namespace tinynas;

struct Result {
  double candidates_per_s_core = 0;
  double operators = 0;    // mean operators of a candidate
  double above_bound = 0;  // fraction of plans whose arena is above the liveness bound
};

Result measure(const SearchSpace& space, const Board& board, int candidates, uint64_t seed) {
  CostOptions options;
  options.board = &board;
  options.per_operator = false;
  const Rng root(seed);
  int64_t operators = 0;
  int above_bound = 0;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < candidates; ++i) {
    Rng rng = root.fork(static_cast<uint64_t>(i));
    const double width = rng.pick(space.widths);
    const SubSpace sub_space{width, rng.pick(space.resolutions)};
    const Graph graph = lower(space, sample(space, sub_space, rng), 1000, Names::kNone);
    const MemoryPlan plan = plan_memory(graph, options.plan);
    const CostReport costs = estimate(graph, plan, options);
    operators += static_cast<int64_t>(graph.ops.size());
    above_bound += costs.sram.arena_bytes > plan.lower_bound_bytes ? 1 : 0;
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  return {candidates / seconds.count(), static_cast<double>(operators) / candidates,
          static_cast<double>(above_bound) / candidates};
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Candidates judged a second: sample, lower, plan, estimate, on one core");
  bool json = false;
  int candidates = 5000;
  int repeats = 5;
  uint64_t seed = 1;
  std::string space_file = "configs/spaces/mbconv.yaml";
  std::string board_file = "configs/boards/stm32f746.yaml";
  app.add_flag("--json", json, "one JSON object on standard output");
  app.add_option("--candidates", candidates, "networks in each repeat")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--repeats", repeats, "the median counts")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--seed", seed, "seed of the sampled networks")->capture_default_str();
  app.add_option("--space", space_file, "search space")->capture_default_str();
  app.add_option("--board", board_file, "board of the latency model")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    const SearchSpace space = load_space(space_file);
    const Board board = load_board(board_file);
    std::vector<Result> results;
    for (int i = 0; i < repeats; ++i) results.push_back(measure(space, board, candidates, seed));
    std::sort(results.begin(), results.end(), [](const Result& a, const Result& b) {
      return a.candidates_per_s_core < b.candidates_per_s_core;
    });
    const Result& median = results[results.size() / 2];
    if (json) {
      const nlohmann::json report = {{"candidates_per_s_core", median.candidates_per_s_core},
                                     {"operators", median.operators},
                                     {"plans_above_bound", median.above_bound},
                                     {"space", space.name},
                                     {"candidates", candidates},
                                     {"seed", seed}};
      std::printf("%s\n", report.dump(2).c_str());
    } else {
      std::printf("%-28s %12s\n", "space", space.name.c_str());
      std::printf("%-28s %12.0f\n", "candidates / s / core", median.candidates_per_s_core);
      std::printf("%-28s %12.1f\n", "operators a candidate", median.operators);
      std::printf("%-28s %11.2f%%\n", "plans above the bound", 100 * median.above_bound);
    }
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return static_cast<int>(error.code());
  }
  return 0;
}
