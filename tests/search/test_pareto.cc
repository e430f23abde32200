#include <catch2/catch.hpp>
#include <cmath>
#include <set>

#include "base/progress.h"
#include "search/evolution.h"
#include "synthetic.h"

using namespace tinynas;

namespace {

std::vector<Objectives> random_points(Rng& rng, int count, int objectives) {
  std::vector<Objectives> points(static_cast<size_t>(count));
  for (Objectives& point : points) {
    // Few values, so that ties are common.
    for (int i = 0; i < objectives; ++i) point.push_back(static_cast<double>(rng.below(8)));
  }
  return points;
}

}  // namespace

TEST_CASE("fronts peel off what nothing left dominates, as comparing all with all does") {
  Rng rng(1);
  for (int round = 0; round < 60; ++round) {
    const std::vector<Objectives> points = random_points(rng, static_cast<int>(rng.below(40)), 3);
    const std::vector<int> fronts = front_numbers(points);
    REQUIRE(fronts.size() == points.size());
    std::set<size_t> left;
    for (size_t i = 0; i < points.size(); ++i) left.insert(i);
    for (int number = 0; !left.empty(); ++number) {
      std::vector<size_t> front;
      for (const size_t i : left) {
        const bool dominated =
            std::any_of(left.begin(), left.end(), [&](size_t j) { return dominates(points[j], points[i]); });
        if (!dominated) front.push_back(i);
      }
      for (const size_t i : front) {
        CHECK(fronts[i] == number);
        left.erase(i);
      }
    }
  }
}

TEST_CASE("crowding by hand: ends are infinite, others the relative gaps of their neighbours") {
  const std::vector<Objectives> points{{0, 10}, {1, 6}, {4, 4}, {10, 0}};
  const std::vector<double> distances = crowding_distances(points, {0, 1, 2, 3});
  CHECK(std::isinf(distances[0]));
  CHECK(std::isinf(distances[3]));
  CHECK(distances[1] == Approx(4.0 / 10 + 6.0 / 10));
  CHECK(distances[2] == Approx(9.0 / 10 + 6.0 / 10));
  CHECK(nsga2_order(points) == std::vector<size_t>{0, 3, 2, 1});
  CHECK(nsga2_order({{1, 1}, {0, 0}, {0, 0}}) == std::vector<size_t>{1, 2, 0});
  CHECK(nsga2_order({}).empty());
}

TEST_CASE("bred by fronts, a search finds more of the true front than bred by accuracy or not at all") {
  Progress::set_enabled(false);
  const SearchSpace space = tiny_space();
  const SubSpace sub_space{1.0, 24};
  const Constraint constraint(space, 10, {});
  // The true front, by enumeration.
  std::vector<Candidate> all;
  std::vector<std::vector<BlockChoice>> stages;
  std::vector<BlockChoice> blocks;
  for (const int kernel : space.stages[0].kernels) {
    for (const int expansion : space.stages[0].expansions) blocks.push_back({kernel, expansion, 0});
  }
  for (const BlockChoice& a : blocks) stages.push_back({a});
  for (const BlockChoice& a : blocks) {
    for (const BlockChoice& b : blocks) stages.push_back({a, b});
  }
  for (const auto& first : stages) {
    for (const auto& second : stages) {
      const Architecture architecture{sub_space, {{first}, {second}}};
      all.push_back({architecture, synthetic_accuracy(architecture), constraint.costs(architecture)});
    }
  }
  REQUIRE(all.size() == 8100);
  std::set<Objectives> front;
  for (const size_t i : pareto_front(all)) front.insert(objectives(all[i]));
  REQUIRE(front.size() > 20);

  EvolutionOptions options;
  options.population = 50;
  options.parents = 40;
  options.crossovers = options.mutations = 25;
  options.generations = 9;
  options.mutation_probability = 0.2;
  const auto found = [&](const Ranking& ranking, const EvolutionOptions& budget, uint64_t seed) {
    EvolutionOptions seeded = budget;
    seeded.seed = seed;
    SyntheticEvaluator evaluator;
    TrialStore store(":memory:");
    MetricsLog metrics;
    const SearchResult result = evolve(sub_space, constraint, evaluator, store, seeded, metrics, {}, ranking);
    CHECK(result.candidates.size() <= 500);
    CHECK(to_json(result)["front"].size() == pareto_front(result.candidates).size());
    int hits = 0;
    for (const size_t i : pareto_front(result.candidates))
      hits += static_cast<int>(front.count(objectives(result.candidates[i])));
    return hits;
  };
  EvolutionOptions random = options;
  random.population = 500;
  random.generations = 0;
  int by_front = 0;
  int by_accuracy = 0;
  int by_chance = 0;
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    by_front += found(ByParetoFront(), options, seed);
    by_accuracy += found(ByAccuracy(), options, seed);
    by_chance += found(ByAccuracy(), random, seed);
  }
  CAPTURE(front.size(), by_front, by_accuracy, by_chance);
  CHECK(by_front > 2 * by_chance);
  CHECK(4 * by_front > 5 * by_accuracy);
}

TEST_CASE("a front is in order of SRAM, none of it dominated, and nothing outside is undominated") {
  const Constraint constraint(small_space(), 10, {});
  Rng rng(2);
  std::vector<Candidate> candidates;
  for (int i = 0; i < 200; ++i) {
    const Architecture architecture = sample(small_space(), {1.0, 24}, rng);
    candidates.push_back({architecture, synthetic_accuracy(architecture), constraint.costs(architecture)});
  }
  const std::vector<size_t> front = pareto_front(candidates);
  REQUIRE(front.size() > 3);
  for (size_t i = 1; i < front.size(); ++i) {
    CHECK(candidates[front[i - 1]].costs.sram.total_bytes() <= candidates[front[i]].costs.sram.total_bytes());
  }
  for (size_t i = 0; i < candidates.size(); ++i) {
    const bool in_front = std::find(front.begin(), front.end(), i) != front.end();
    const bool dominated = std::any_of(candidates.begin(), candidates.end(), [&](const Candidate& other) {
      return dominates(objectives(other), objectives(candidates[i]));
    });
    const bool repeated = std::any_of(front.begin(), front.end(), [&](size_t j) {
      return j != i && objectives(candidates[j]) == objectives(candidates[i]);
    });
    CHECK(in_front == (!dominated && (in_front || !repeated)));
  }
}
