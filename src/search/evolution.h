// Evolutionary search for the most accurate architecture of a sub-space that meets every limit.
//
// The search of MCUNet (NeurIPS 2020, section 3.1) and Once-for-All (ICLR 2020, section 3.4): a population,
// its most accurate as parents, children by crossover and mutation, accuracies from the supernet.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "search/constraint.h"
#include "search/evaluator.h"
#include "search/proxy.h"
#include "search/ranking.h"
#include "search/trial_store.h"

namespace tinynas {

struct EvolutionOptions {
  int population = 100;  // random architectures of generation 0
  int parents = 20;  // the first by the ranking, of all evaluated so far, from which each generation is bred
  int crossovers = 50;  // children a generation
  int mutations = 50;
  double mutation_probability = 0.1;  // of each gene
  int generations = 30;               // after generation 0; 0 = random search
  int max_attempts = 200;             // draws for one new child that fits, before its place is left empty
  uint64_t seed = 1;
  std::string label = "search";  // of the progress bar

  // Throws Error(kUsage) naming the option that is out of range.
  void check() const;
  // Upper bound of the evaluations: population + generations * (crossovers + mutations).
  int64_t budget() const;
};

// How children are made; replaceable. Results must be members of the space and depend on the arguments alone.
class Mutator {
 public:
  virtual ~Mutator() = default;
  // Defaults: tinynas::mutate and tinynas::crossover.
  virtual Architecture mutate(const SearchSpace& space, const Architecture& parent, double probability,
                              Rng& rng) const;
  virtual Architecture crossover(const SearchSpace& space, const Architecture& a, const Architecture& b,
                                 Rng& rng) const;
};

struct GenerationReport {
  int generation = 0;
  int children = 0;          // new architectures of this generation
  double best_accuracy = 0;  // of all so far
  double mean_accuracy = 0;  // of the parents of the next generation
  int64_t evaluated = 0;     // distinct architectures so far, cached ones included
  Architecture best;
};

struct SearchResult {
  Candidate best;  // the most accurate, whatever the ranking
  std::vector<GenerationReport> history;
  std::vector<Candidate>
      candidates;      // everything whose accuracy was asked for, in order; no architecture twice
  int64_t cached = 0;  // of these, how many came from the trial store
};

// What generation 0 is made of beside random networks.
struct FirstGeneration {
  // They come first, as far as they fit; random ones fill up the population. All of them must be of the
  // sub-space.
  std::vector<Architecture> known;
  // With a proxy, `oversampling` times as many random networks are drawn, and those of the highest score
  // (the earlier drawn where equal) stay.
  Proxy* proxy = nullptr;
  int oversampling = 1;
};

// Each generation is one batch of Evaluator::evaluate, without what the store already holds; each result is
// stored as soon as it is known. Limits are checked before accuracy is asked for, and no architecture is
// evaluated twice. Rerunning with the same seed and the same store repeats the path with the stored
// accuracies: this is how an interrupted search goes on. Ends before `generations` when a generation finds no
// new architecture (a small space was exhausted). Writes one "generation" event a generation to `metrics`
// (again with the same figures when it is repeated after an interruption) and shows a progress bar. Throws
// Error(kNothingFits) when the smallest network of the sub-space does not fit; Error(kInterrupted).
SearchResult evolve(const SubSpace& sub_space, const Constraint& constraint, Evaluator& evaluator,
                    TrialStore& store, const EvolutionOptions& options, MetricsLog& metrics,
                    const Mutator& mutator = {}, const Ranking& ranking = ByAccuracy(),
                    const FirstGeneration& first = {});

// {"best": {"architecture", "accuracy", "costs"}, "evaluated", "cached", "history": [...],
//  "candidates": [{"architecture", "accuracy", "macs", "sram_bytes", "flash_bytes", "latency_ms"}, ...],
//  "front": [index into candidates, ...]}: those that no other dominates (ranking.h).
nlohmann::json to_json(const SearchResult& result);

}  // namespace tinynas
