// Evolution by a predictor's accuracies, its finalists measured: many networks looked at for few evaluations.
//
// Once-for-All (ICLR 2020, section 3.4) evolves by a predictor that was trained once; here it is trained
// again with what each round measured (as BONAS and NPENAS do), so that it learns where the search goes.
#pragma once

#include <optional>

#include "search/evolution.h"
#include "search/predictor.h"

namespace tinynas {

struct GuidedOptions {
  PredictorKind predictor = PredictorKind::kRidge;
  int networks = 0;      // random ones measured before the first fit; 0 = half of evolution.budget()
  int rounds = 4;        // of fit, evolution by prediction, and measuring the finalists
  int finalists = 0;     // measured a round; 0 = the other half of evolution.budget(), over the rounds
  int generations = 20;  // of an evolution by prediction: 100 random networks or known good ones, 20 parents,
                         // 50 crossovers and 50 mutations a generation
  int folds = 5;         // of the cross-validation
  EvolutionOptions evolution;  // seed, mutation_probability, max_attempts, parents; and budget(), see above

  // Throws Error(kUsage) naming the option that is out of range.
  void check() const;
  int measured_first() const;  // `networks` where it is 0
  int measured_a_round() const;
};

struct GuidedRound {
  int round = 0;              // from 1
  int64_t fitted_on = 0;      // measured networks
  HeldOutQuality quality;     // cross-validated on these
  int64_t predicted = 0;      // networks whose accuracy was predicted
  int measured = 0;           // finalists
  RankCorrelation finalists;  // of their predictions with what was then measured
  double best_accuracy = 0;   // measured, of all so far
};

struct GuidedResult {
  SearchResult search;  // of measured networks alone; a generation of its history is a round
  PredictorKind predictor = PredictorKind::kNone;
  std::vector<GuidedRound> rounds;
  HeldOutQuality quality;  // cross-validated on everything that was measured in the end
  int64_t predicted = 0;   // by all rounds together
};

// Measures options.measured_first() random fitting networks, then does the rounds: the predictor is fitted to
// all that is measured, networks are evolved by its accuracies under the exact limits, and the first of them
// by `ranking` that were not measured are. Ends early where a round finds nothing new. The winner is the most
// accurate that was measured. Resuming from the store, seeds, errors and metrics are as in evolve();
// a "predictor" event a round as well.
GuidedResult evolve_by_predictor(const SubSpace& sub_space, const Constraint& constraint,
                                 Evaluator& evaluator, TrialStore& store, const GuidedOptions& options,
                                 MetricsLog& metrics, const Ranking& ranking = ByAccuracy(),
                                 const FirstGeneration& first = {});

// {"kind", "measured", "predicted", "quality": {...}, "rounds": [...]}: what a report says of the predictor.
nlohmann::json predictor_json(const GuidedResult& result);

}  // namespace tinynas
