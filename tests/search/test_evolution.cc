#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <set>
#include <sstream>

#include "base/files.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "base/progress.h"
#include "search/evolution.h"
#include "search/space_optimisation.h"
#include "synthetic.h"

using namespace tinynas;
using Catch::Matchers::Contains;

namespace {

const SubSpace kSubSpace{1.0, 24};

EvolutionOptions small_options(uint64_t seed = 1) {
  EvolutionOptions options;
  options.population = 20;
  options.parents = 6;
  options.crossovers = 8;
  options.mutations = 8;
  options.generations = 5;
  options.seed = seed;
  return options;
}

// About half of the random networks of kSubSpace meet this one.
Constraint tight_constraint(SearchSpace space = small_space()) {
  const Constraint free(space, 10, {});
  Rng rng(1);
  std::vector<int64_t> sampled;
  for (int i = 0; i < 101; ++i) sampled.push_back(free.costs(sample(space, kSubSpace, rng)).macs);
  std::sort(sampled.begin(), sampled.end());
  return {space, 10, limits_of({}, {}, sampled[50])};
}

SearchResult search(const Constraint& constraint, Evaluator& evaluator, TrialStore& store,
                    const EvolutionOptions& options) {
  Progress::set_enabled(false);
  MetricsLog metrics;
  return evolve(kSubSpace, constraint, evaluator, store, options, metrics);
}

std::vector<std::string> encodings(const SearchResult& result) {
  std::vector<std::string> all;
  for (const Candidate& candidate : result.candidates) all.push_back(encode(candidate.architecture));
  return all;
}

std::vector<std::string> sorted(std::vector<std::string> items) {
  std::sort(items.begin(), items.end());
  return items;
}

// Without what may differ after a resume: how much came from the store.
nlohmann::json comparable(const SearchResult& result) {
  nlohmann::json json = to_json(result);
  json.erase("cached");
  return json;
}

}  // namespace

TEST_CASE(
    "evolution evaluates only networks that fit, each once, within its budget, in one batch a generation") {
  const Constraint constraint = tight_constraint();
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    SyntheticEvaluator evaluator;
    TrialStore store(":memory:");
    const EvolutionOptions options = small_options(seed);
    const SearchResult result = search(constraint, evaluator, store, options);
    CHECK(encodings(result) == evaluator.evaluated);
    CHECK(std::set<std::string>(evaluator.evaluated.begin(), evaluator.evaluated.end()).size() ==
          evaluator.evaluated.size());
    CHECK(static_cast<int64_t>(evaluator.evaluated.size()) == options.budget());
    CHECK(evaluator.batches == options.generations + 1);
    CHECK(result.cached == 0);
    CHECK(store.count() == options.budget());
    REQUIRE(result.history.size() == static_cast<size_t>(options.generations) + 1);
    for (const Candidate& candidate : result.candidates) {
      CHECK_NOTHROW(validate(constraint.space(), candidate.architecture));
      CHECK(constraint.fits(candidate.architecture));
      CHECK(candidate.accuracy == synthetic_accuracy(candidate.architecture));
      CHECK(store.find_costs(constraint.key(), candidate.architecture) == cost_row(candidate.costs));
      CHECK_FALSE(better(candidate, result.best));
    }
    for (size_t g = 1; g < result.history.size(); ++g) {
      CHECK(result.history[g].best_accuracy >= result.history[g - 1].best_accuracy);
      CHECK(result.history[g].mean_accuracy >= result.history[g - 1].mean_accuracy);
      CHECK(result.history[g].evaluated == result.history[g - 1].evaluated + result.history[g].children);
    }
  }
}

TEST_CASE("evolution comes closer to the optimum of a space that can be enumerated than random search does") {
  const SearchSpace space = tiny_space();
  const Constraint constraint = tight_constraint(space);
  std::vector<StageChoice> stage_choices;  // the two stages have the same options
  for (const int first : {0, 1, 2, 3, 4, 5, 6, 7, 8}) {
    const BlockChoice a{3 + 2 * (first / 3), 2 + first % 3};
    stage_choices.push_back({{a}});
    for (int second = 0; second < 9; ++second)
      stage_choices.push_back({{a, {3 + 2 * (second / 3), 2 + second % 3}}});
  }
  REQUIRE(stage_choices.size() == 90);
  double optimum = 0;
  for (const StageChoice& first : stage_choices) {
    for (const StageChoice& second : stage_choices) {
      const Architecture architecture{kSubSpace, {first, second}};
      if (synthetic_accuracy(architecture) > optimum && constraint.fits(architecture)) {
        optimum = synthetic_accuracy(architecture);
      }
    }
  }
  double evolved = 0;
  double random = 0;
  constexpr int kSeeds = 10;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SyntheticEvaluator evaluator;
    TrialStore store(":memory:");
    EvolutionOptions options = small_options(seed);
    evolved += search(constraint, evaluator, store, options).best.accuracy / kSeeds;
    options.population = static_cast<int>(options.budget());
    options.generations = 0;
    random += search(constraint, evaluator, store, options).best.accuracy / kSeeds;
  }
  INFO("optimum " << optimum << ", evolution " << evolved << ", random search " << random);
  CHECK(optimum - evolved < 0.5 * (optimum - random));
  CHECK(evolved <= optimum);
}

TEST_CASE("evolution beats random search at the same budget in a space too large to enumerate") {
  const Constraint constraint = tight_constraint();
  int wins = 0;
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    SyntheticEvaluator evaluator;
    TrialStore store(":memory:");
    EvolutionOptions options = small_options(seed);
    const double evolved = search(constraint, evaluator, store, options).best.accuracy;
    options.population = static_cast<int>(options.budget());
    options.generations = 0;
    wins += evolved > search(constraint, evaluator, store, options).best.accuracy;
  }
  CHECK(wins >= 8);
}

TEST_CASE("the search does not depend on the evaluator's threads, and does depend on the seed") {
  const Constraint constraint = tight_constraint();
  TrialStore store_one(":memory:");
  TrialStore store_two(":memory:");
  SyntheticEvaluator one("synthetic", 1);
  SyntheticEvaluator two("synthetic", 2);
  const SearchResult result = search(constraint, one, store_one, small_options());
  CHECK(to_json(result) == to_json(search(constraint, two, store_two, small_options())));
  TrialStore store_other(":memory:");
  CHECK(encodings(search(constraint, one, store_other, small_options(2))) != encodings(result));
}

TEST_CASE(
    "interrupted after any evaluation and resumed, a search takes the same path and evaluates nothing "
    "twice") {
  const Constraint constraint = tight_constraint();
  const EvolutionOptions options = small_options();
  TrialStore store_whole(":memory:");
  SyntheticEvaluator whole;
  const nlohmann::json expected = comparable(search(constraint, whole, store_whole, options));
  for (const int threads : {1, 2}) {
    for (size_t k = 0; k < whole.evaluated.size(); k += threads == 1 ? 3 : 17) {
      TrialStore store(":memory:");
      SyntheticEvaluator first("synthetic", threads);
      first.interrupt_after = k;
      try {
        search(constraint, first, store, options);
        FAIL("went on");
      } catch (const Error& error) {
        REQUIRE(error.code() == ExitCode::kInterrupted);
      }
      CHECK(store.count() == static_cast<int64_t>(k));
      SyntheticEvaluator second("synthetic", threads);
      const SearchResult resumed = search(constraint, second, store, options);
      CHECK(comparable(resumed) == expected);
      CHECK(resumed.cached == static_cast<int64_t>(k));
      std::vector<std::string> both = first.evaluated;
      both.insert(both.end(), second.evaluated.begin(), second.evaluated.end());
      CHECK(sorted(both) == sorted(whole.evaluated));
    }
  }
}

TEST_CASE("a search that is repeated is free, and the figures of another checkpoint do not come back") {
  const Constraint constraint = tight_constraint();
  TrialStore store(":memory:");
  SyntheticEvaluator first("checkpoint 1");
  const SearchResult result = search(constraint, first, store, small_options());
  SyntheticEvaluator again("checkpoint 1");
  const SearchResult repeated = search(constraint, again, store, small_options());
  CHECK(again.evaluated.empty());
  CHECK(repeated.cached == small_options().budget());
  CHECK(comparable(repeated) == comparable(result));
  SyntheticEvaluator other("checkpoint 2");
  CHECK(search(constraint, other, store, small_options()).cached == 0);
  CHECK(other.evaluated == first.evaluated);
}

TEST_CASE("Ctrl-C between generations stops a search whose accuracies all come from the store") {
  const Constraint constraint = tight_constraint();
  TrialStore store(":memory:");
  SyntheticEvaluator evaluator;
  search(constraint, evaluator, store, small_options());
  set_interrupted(true);
  try {
    search(constraint, evaluator, store, small_options());
    FAIL("went on");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::kInterrupted);
  }
  set_interrupted(false);
}

TEST_CASE("a space that is exhausted ends the search early") {
  SearchSpace space = tiny_space();
  space.stages = {{16, 2, {3, 5}, {2, 3}, {1, 2}}};  // 4 + 16 architectures
  const Constraint constraint(space, 10, {});
  TrialStore store(":memory:");
  SyntheticEvaluator evaluator;
  const SearchResult result = search(constraint, evaluator, store, small_options());
  CHECK(result.candidates.size() == 20);
  CHECK(result.history.size() < 6);
}

TEST_CASE("limits that only the smallest networks meet leave a search, tighter ones an error") {
  const SearchSpace space = small_space();
  const CostReport least = Constraint(space, 10, {}).costs(smallest(space, kSubSpace));
  SyntheticEvaluator evaluator;
  TrialStore store(":memory:");
  EvolutionOptions options = small_options();
  options.max_attempts = 20;
  const SearchResult result =
      search(Constraint(space, 10, limits_of({}, {}, least.macs * 101 / 100)), evaluator, store, options);
  CHECK(result.best.costs.macs <= least.macs * 101 / 100);
  try {
    search(Constraint(space, 10, limits_of({}, {}, least.macs - 1)), evaluator, store, options);
    FAIL("something fits");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::kNothingFits);
  }
}

TEST_CASE("equal accuracies are ordered by MACs, then by encoding") {
  const Constraint constraint(small_space(), 10, {});
  const auto candidate = [&](const Architecture& architecture, double accuracy) {
    return Candidate{architecture, accuracy, constraint.costs(architecture)};
  };
  const Candidate small = candidate(smallest(constraint.space(), kSubSpace), 0.5);
  const Candidate large = candidate(largest(constraint.space(), kSubSpace), 0.5);
  CHECK(better(small, large));
  CHECK_FALSE(better(large, small));
  CHECK(better(candidate(large.architecture, 0.6), small));
  CHECK_FALSE(better(small, small));
  Candidate same_macs = small;
  same_macs.architecture.stages[1].blocks[0].kernel = 5;
  CHECK(better(small, same_macs) == (encode(small.architecture) < encode(same_macs.architecture)));
}

TEST_CASE("the mutator is a replaceable part") {
  // Children differ from their parent in one kernel: after generation 0 no new depth or expansion appears by
  // mutation.
  class KernelsOnly final : public Mutator {
   public:
    Architecture mutate(const SearchSpace& space, const Architecture& parent, double,
                        Rng& rng) const override {
      Architecture child = parent;
      const size_t stage = static_cast<size_t>(1 + rng.below(static_cast<int64_t>(child.stages.size()) - 1));
      child.stages[stage].blocks[0].kernel = rng.pick(space.stages[stage].kernels);
      return child;
    }
  };
  const Constraint constraint(small_space(), 10, {});
  TrialStore store(":memory:");
  SyntheticEvaluator evaluator;
  MetricsLog metrics;
  EvolutionOptions options = small_options();
  options.population = 1;
  options.crossovers = 0;
  const SearchResult result =
      evolve(kSubSpace, constraint, evaluator, store, options, metrics, KernelsOnly());
  CHECK(result.candidates.size() > 5);
  for (const Candidate& candidate : result.candidates) {
    for (size_t i = 0; i < candidate.architecture.stages.size(); ++i) {
      CHECK(candidate.architecture.stages[i].blocks.size() ==
            result.candidates[0].architecture.stages[i].blocks.size());
    }
  }
}

TEST_CASE("every generation is one line of the metrics log") {
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("tinynas_generations" + std::to_string(::getpid()));
  MetricsLog metrics(path);
  TrialStore store(":memory:");
  SyntheticEvaluator evaluator;
  const SearchResult result =
      evolve(kSubSpace, tight_constraint(), evaluator, store, small_options(), metrics);
  std::istringstream lines(read_file(path));
  std::filesystem::remove(path);
  std::string line;
  int generation = 0;
  while (std::getline(lines, line)) {
    const nlohmann::json event = nlohmann::json::parse(line);
    CHECK(event["event"] == "generation");
    CHECK(event["generation"] == generation);
    CHECK(event["best_accuracy"] == result.history[static_cast<size_t>(generation)].best_accuracy);
    ++generation;
  }
  CHECK(generation == 6);
}

TEST_CASE("evolution refuses options out of range by name") {
  EvolutionOptions options;
  options.parents = 0;
  CHECK_THROWS_WITH(options.check(), Contains("parents: got 0"));
  options = {};
  options.mutation_probability = 1.5;
  CHECK_THROWS_WITH(options.check(), Contains("mutation_probability"));
  options = {};
  options.generations = -1;
  CHECK_THROWS_WITH(options.check(), Contains("generations: got -1"));
}

// Like the "bench" signature of a chess engine: one number for everything that the search does with one seed.
// It changes when, and only when, random numbers, space, costs or search change what they decide. After an
// intended change put the printed text into the golden file and say in the commit what changed the search.
TEST_CASE("the signature of a fixed-seed search is the committed one") {
  Progress::set_enabled(false);
  const Constraint constraint(small_space(), 10, limits_of(20000, 50000, 1500000));
  SpaceOptimisationOptions space_options;
  space_options.samples = 100;
  const SpaceOptimisation chosen = optimise_space(constraint, space_options);
  SyntheticEvaluator evaluator;
  TrialStore store(":memory:");
  MetricsLog metrics;
  const SearchResult result = evolve(chosen.chosen, constraint, evaluator, store, small_options(), metrics);
  Hasher hasher;
  for (const std::string& encoding : encodings(result)) hasher.add(encoding + "\n");
  const std::string signature = "chosen " + describe(chosen.chosen) + "\nevaluated " +
                                std::to_string(result.candidates.size()) + " " + hasher.hex() + "\nwinner " +
                                encode(result.best.architecture) + "\n";
  CHECK(signature == read_file("tests/golden/search_signature.txt"));
}
