#include "search/guided_search.h"

#include <algorithm>
#include <unordered_set>

#include "base/interrupt.h"
#include "base/progress.h"
#include "search/measurer.h"

namespace tinynas {
namespace {

void require_at_least(const char* option, int got, int low) {
  if (got < low) {
    throw usage_error(std::string("search by predictor: ") + option + ": got " + std::to_string(got) +
                      ", expected at least " + std::to_string(low));
  }
}

// What evolve() asks instead of the supernet.
class PredictedEvaluator final : public Evaluator {
 public:
  explicit PredictedEvaluator(const Predictor& predictor) : predictor_(predictor) {}
  std::vector<double> evaluate(const std::vector<Architecture>& architectures,
                               const std::function<void(size_t, double)>& on_result) override {
    check_interrupt();
    std::vector<double> accuracies = predictor_.predict(architectures);
    for (size_t i = 0; i < accuracies.size(); ++i) on_result(i, accuracies[i]);
    return accuracies;
  }
  std::string key() const override { return "predictor"; }

 private:
  const Predictor& predictor_;
};

nlohmann::json round_json(const GuidedRound& round) {
  return {{"round", round.round},
          {"fitted_on", round.fitted_on},
          {"quality", to_json(round.quality)},
          {"predicted", round.predicted},
          {"measured", round.measured},
          {"finalists", to_json(round.finalists)},
          {"best_accuracy", round.best_accuracy}};
}

class GuidedSearch {
 public:
  GuidedSearch(const SubSpace& sub_space, const Constraint& constraint, Evaluator& evaluator,
               TrialStore& store, const GuidedOptions& options, MetricsLog& metrics, const Ranking& ranking,
               const FirstGeneration& first)
      : sub_space_(sub_space),
        constraint_(constraint),
        evaluator_(evaluator),
        store_(store),
        options_(options),
        metrics_(metrics),
        ranking_(ranking),
        first_(first),
        rng_(Rng(options.evolution.seed).fork("guided search")),
        predictor_(make_predictor(options.predictor, constraint.space(), sub_space)) {}

  GuidedResult run() {
    measure_first();
    for (int round = 1; round <= options_.rounds; ++round) {
      check_interrupt();
      if (!do_round(round)) break;
    }
    result_.quality = cross_validated(rng_.fork("final"));
    result_.predictor = options_.predictor;
    return std::move(result_);
  }

 private:
  const std::vector<Candidate>& measured() const { return result_.search.candidates; }

  // Random search: generation 0 of an evolution that stops there.
  void measure_first() {
    EvolutionOptions random = options_.evolution;
    random.population = options_.measured_first();
    random.generations = 0;
    result_.search =
        evolve(sub_space_, constraint_, evaluator_, store_, random, metrics_, {}, ranking_, first_);
    for (const Candidate& candidate : measured()) known_.insert(encode(candidate.architecture));
  }

  // False where nothing new was found.
  bool do_round(int number) {
    const Rng rng = rng_.fork(static_cast<uint64_t>(number));
    GuidedRound round;
    round.round = number;
    round.fitted_on = std::ssize(measured());
    round.quality = cross_validated(rng);
    fit(rng);
    std::vector<Candidate> finalists = finalists_of(evolve_predicted(rng, round.predicted));
    if (finalists.empty()) return false;
    Series predictions;
    for (const Candidate& candidate : finalists) predictions.push_back(candidate.accuracy);
    measure(finalists);
    Series accuracies;
    for (const Candidate& candidate : finalists) accuracies.push_back(candidate.accuracy);
    round.measured = static_cast<int>(finalists.size());
    round.finalists = rank_correlation(predictions, accuracies, rng.fork("finalists"));
    round.best_accuracy = result_.search.best.accuracy;
    result_.predicted += round.predicted;
    report(round);
    return true;
  }

  std::pair<std::vector<Architecture>, std::vector<double>> pairs() const {
    std::pair<std::vector<Architecture>, std::vector<double>> known;
    for (const Candidate& candidate : measured()) {
      known.first.push_back(candidate.architecture);
      known.second.push_back(candidate.accuracy);
    }
    return known;
  }

  HeldOutQuality cross_validated(const Rng& rng) {
    const auto [architectures, accuracies] = pairs();
    return cross_validate(*predictor_, architectures, accuracies, options_.folds,
                          rng.fork("cross-validation"));
  }

  void fit(const Rng& rng) {
    const auto [architectures, accuracies] = pairs();
    predictor_->fit(architectures, accuracies, rng.fork("fit"));
  }

  // Starts from the best that were measured, and is forgotten afterwards but for its candidates.
  std::vector<Candidate> evolve_predicted(const Rng& rng, int64_t& predicted) {
    EvolutionOptions evolution;
    evolution.mutation_probability = options_.evolution.mutation_probability;
    evolution.max_attempts = options_.evolution.max_attempts;
    evolution.generations = options_.generations;
    evolution.seed = rng.fork("evolution").next();
    evolution.label = "predict";
    FirstGeneration start;
    const std::vector<size_t> order = ranking_.order(measured());
    for (size_t i = 0; i < std::min(order.size(), static_cast<size_t>(evolution.parents)); ++i)
      start.known.push_back(measured()[order[i]].architecture);
    PredictedEvaluator evaluator(*predictor_);
    TrialStore nowhere(":memory:");
    MetricsLog nothing;
    SearchResult evolved =
        evolve(sub_space_, constraint_, evaluator, nowhere, evolution, nothing, {}, ranking_, start);
    predicted = std::ssize(evolved.candidates);
    return std::move(evolved.candidates);
  }

  std::vector<Candidate> finalists_of(std::vector<Candidate> predicted) {
    std::vector<Candidate> finalists;
    for (const size_t i : ranking_.order(predicted)) {
      if (std::ssize(finalists) == options_.measured_a_round()) break;
      if (known_.insert(encode(predicted[i].architecture)).second)
        finalists.push_back(std::move(predicted[i]));
    }
    return finalists;
  }

  void measure(std::vector<Candidate>& finalists) {
    Progress progress("search", std::ssize(finalists));
    int64_t done = 0;
    Measurer measurer(constraint_, evaluator_, store_);
    result_.search.cached += measurer.measure(finalists, [&](const Candidate&) { progress.update(++done); });
    for (const Candidate& candidate : finalists) {
      result_.search.candidates.push_back(candidate);
      if (better(candidate, result_.search.best)) result_.search.best = candidate;
    }
  }

  void report(const GuidedRound& round) {
    const std::vector<size_t> order = ranking_.order(measured());
    const size_t parents = std::min(static_cast<size_t>(options_.evolution.parents), order.size());
    double sum = 0;
    for (size_t i = 0; i < parents; ++i) sum += measured()[order[i]].accuracy;
    result_.search.history.push_back({round.round, round.measured, round.best_accuracy,
                                      sum / static_cast<double>(parents), std::ssize(measured()),
                                      result_.search.best.architecture});
    result_.rounds.push_back(round);
    nlohmann::json event = round_json(round);
    event["event"] = "predictor";
    event["kind"] = name_of(options_.predictor);
    metrics_.write(event);
  }

  const SubSpace sub_space_;
  const Constraint& constraint_;
  Evaluator& evaluator_;
  TrialStore& store_;
  const GuidedOptions& options_;
  MetricsLog& metrics_;
  const Ranking& ranking_;
  const FirstGeneration& first_;
  const Rng rng_;
  const std::unique_ptr<Predictor> predictor_;
  std::unordered_set<std::string> known_;  // encodings of what is measured
  GuidedResult result_;
};

}  // namespace

void GuidedOptions::check() const {
  evolution.check();
  require_at_least("networks", networks, 0);
  require_at_least("rounds", rounds, 1);
  require_at_least("finalists", finalists, 0);
  require_at_least("generations", generations, 0);
  require_at_least("folds", folds, 2);
}

int GuidedOptions::measured_first() const {
  constexpr int kFewest = 4;  // a fit and its cross-validation take some
  return networks > 0 ? std::max(networks, kFewest)
                      : std::max(kFewest, static_cast<int>((evolution.budget() + 1) / 2));
}

int GuidedOptions::measured_a_round() const {
  return finalists > 0 ? finalists : std::max(1, static_cast<int>(evolution.budget() / 2 / rounds));
}

GuidedResult evolve_by_predictor(const SubSpace& sub_space, const Constraint& constraint,
                                 Evaluator& evaluator, TrialStore& store, const GuidedOptions& options,
                                 MetricsLog& metrics, const Ranking& ranking, const FirstGeneration& first) {
  options.check();
  return GuidedSearch(sub_space, constraint, evaluator, store, options, metrics, ranking, first).run();
}

nlohmann::json predictor_json(const GuidedResult& result) {
  nlohmann::json rounds = nlohmann::json::array();
  for (const GuidedRound& round : result.rounds) rounds.push_back(round_json(round));
  return {{"kind", name_of(result.predictor)},
          {"measured", result.search.candidates.size()},
          {"predicted", result.predicted},
          {"quality", to_json(result.quality)},
          {"rounds", rounds}};
}

}  // namespace tinynas
