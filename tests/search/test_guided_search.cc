#include <catch2/catch.hpp>
#include <set>

#include "base/progress.h"
#include "search/guided_search.h"
#include "synthetic.h"

using namespace tinynas;

namespace {

const SubSpace kSubSpace{1.0, 24};

GuidedOptions options_of(PredictorKind kind, uint64_t seed = 1) {
  GuidedOptions options;
  options.predictor = kind;
  options.rounds = 3;
  options.generations = 8;
  options.evolution.population = 20;
  options.evolution.parents = 6;
  options.evolution.crossovers = 10;
  options.evolution.mutations = 10;
  options.evolution.generations = 2;
  options.evolution.seed = seed;
  return options;
}

// About half of the random networks of kSubSpace meet this one.
Constraint tight_constraint() {
  const Constraint free(small_space(), 10, {});
  Rng rng(1);
  std::vector<int64_t> sampled;
  for (int i = 0; i < 101; ++i) sampled.push_back(free.costs(sample(small_space(), kSubSpace, rng)).macs);
  std::sort(sampled.begin(), sampled.end());
  return {small_space(), 10, limits_of({}, {}, sampled[50])};
}

GuidedResult search(const Constraint& constraint, Evaluator& evaluator, TrialStore& store,
                    const GuidedOptions& options, const Ranking& ranking = ByAccuracy()) {
  Progress::set_enabled(false);
  MetricsLog metrics;
  return evolve_by_predictor(kSubSpace, constraint, evaluator, store, options, metrics, ranking);
}

nlohmann::json comparable(const GuidedResult& result) {
  nlohmann::json json = to_json(result.search);
  json.erase("cached");
  return {json, predictor_json(result)};
}

}  // namespace

TEST_CASE("a predictor's search measures its budget, each network once, and only what fits") {
  const Constraint constraint = tight_constraint();
  for (const PredictorKind kind : {PredictorKind::kRidge, PredictorKind::kMlp}) {
    SyntheticEvaluator evaluator;
    TrialStore store(":memory:");
    const GuidedOptions options = options_of(kind);
    CHECK(options.measured_first() == 30);
    CHECK(options.measured_a_round() == 10);
    const GuidedResult result = search(constraint, evaluator, store, options);
    CHECK(std::ssize(evaluator.evaluated) == options.evolution.budget());
    CHECK(std::set<std::string>(evaluator.evaluated.begin(), evaluator.evaluated.end()).size() ==
          evaluator.evaluated.size());
    CHECK(result.search.candidates.size() == evaluator.evaluated.size());
    for (const Candidate& candidate : result.search.candidates) {
      CHECK(constraint.fits(candidate.architecture));
      CHECK(candidate.accuracy == synthetic_accuracy(candidate.architecture));  // measured, not predicted
      CHECK_FALSE(better(candidate, result.search.best));
    }
    REQUIRE(result.rounds.size() == 3);
    for (size_t i = 0; i < result.rounds.size(); ++i) {
      CHECK(result.rounds[i].fitted_on == 30 + 10 * static_cast<int64_t>(i));
      CHECK(result.rounds[i].measured == 10);
      CHECK(result.rounds[i].predicted > 500);
    }
    CHECK(result.quality.correlation.networks == 60);
    CHECK(result.quality.correlation.tau.value() > 0.3);
    CHECK(result.search.history.size() == 4);
    const nlohmann::json json = predictor_json(result);
    CHECK(json.at("measured") == 60);
    CHECK(json.at("predicted").get<int64_t>() == result.predicted);
  }
}

TEST_CASE(
    "with the same number of evaluations a predictor's search finds better networks than random search") {
  const Constraint constraint = tight_constraint();
  double guided = 0, random = 0, evolved = 0;
  int wins = 0;
  constexpr int kSeeds = 8;
  MetricsLog metrics;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SyntheticEvaluator evaluator;
    TrialStore store(":memory:");
    GuidedOptions options = options_of(PredictorKind::kRidge, seed);
    const double one = search(constraint, evaluator, store, options).search.best.accuracy;
    evolved += evolve(kSubSpace, constraint, evaluator, store, options.evolution, metrics).best.accuracy;
    options.evolution.population = static_cast<int>(options.evolution.budget());
    options.evolution.generations = 0;
    const double other =
        evolve(kSubSpace, constraint, evaluator, store, options.evolution, metrics).best.accuracy;
    guided += one;
    random += other;
    wins += one > other;
  }
  INFO("predictor " << guided / kSeeds << ", evolution " << evolved / kSeeds << ", random "
                    << random / kSeeds);
  CHECK(wins >= 7);
  CHECK(guided > evolved);
}

TEST_CASE("interrupted after any evaluation and resumed, a predictor's search takes the same path") {
  const Constraint constraint = tight_constraint();
  const GuidedOptions options = options_of(PredictorKind::kRidge);
  TrialStore store_whole(":memory:");
  SyntheticEvaluator whole("synthetic", 2);
  const nlohmann::json expected = comparable(search(constraint, whole, store_whole, options));
  for (size_t k = 0; k < whole.evaluated.size(); k += 13) {
    TrialStore store(":memory:");
    SyntheticEvaluator first;
    first.interrupt_after = k;
    CHECK_THROWS_AS(search(constraint, first, store, options), Error);
    CHECK(store.count() == static_cast<int64_t>(k));
    SyntheticEvaluator second;
    const GuidedResult resumed = search(constraint, second, store, options);
    CHECK(comparable(resumed) == expected);
    CHECK(resumed.search.cached == static_cast<int64_t>(k));
    CHECK(second.evaluated.size() == whole.evaluated.size() - k);
  }
}

TEST_CASE("a predictor's search breeds by the ranking that it is given") {
  const Constraint constraint = tight_constraint();
  SyntheticEvaluator evaluator;
  TrialStore store(":memory:");
  const ByParetoFront by_front;
  const GuidedResult front =
      search(constraint, evaluator, store, options_of(PredictorKind::kRidge), by_front);
  const GuidedResult accurate = search(constraint, evaluator, store, options_of(PredictorKind::kRidge));
  const auto least_macs = [](const GuidedResult& result) {
    int64_t least = result.search.best.costs.macs;
    for (const Candidate& candidate : result.search.candidates) least = std::min(least, candidate.costs.macs);
    return least;
  };
  CHECK(pareto_front(front.search.candidates).size() > pareto_front(accurate.search.candidates).size());
  CHECK(least_macs(front) <= least_macs(accurate));
}

TEST_CASE("generation 0 begins with what is known, and a proxy cuts the rest of it") {
  class Depth final : public Proxy {
   public:
    std::string name() const override { return "depth"; }
    std::vector<double> score(const std::vector<Architecture>& architectures) override {
      std::vector<double> scores;
      for (const Architecture& architecture : architectures) {
        double blocks = 0;
        for (const StageChoice& stage : architecture.stages)
          blocks += static_cast<double>(stage.blocks.size());
        scores.push_back(blocks);
      }
      asked += architectures.size();
      return scores;
    }
    size_t asked = 0;
  };
  const Constraint constraint = tight_constraint();
  MetricsLog metrics;
  EvolutionOptions options = options_of(PredictorKind::kRidge).evolution;
  options.generations = 0;
  const auto mean_depth = [](Depth& depth, const SearchResult& result) {
    double sum = 0;
    for (const Candidate& candidate : result.candidates) sum += depth.score({candidate.architecture})[0];
    return sum / static_cast<double>(result.candidates.size());
  };
  Depth depth, counting;
  SyntheticEvaluator evaluator;
  TrialStore store(":memory:");
  const SearchResult plain = evolve(kSubSpace, constraint, evaluator, store, options, metrics);
  FirstGeneration first;
  first.proxy = &depth;
  first.oversampling = 4;
  const SearchResult cut =
      evolve(kSubSpace, constraint, evaluator, store, options, metrics, {}, ByAccuracy(), first);
  CHECK(depth.asked == 80);
  CHECK(cut.candidates.size() == 20);
  CHECK(mean_depth(counting, cut) > mean_depth(counting, plain) + 0.5);

  first.known = {smallest(constraint.space(), kSubSpace)};
  const SearchResult known =
      evolve(kSubSpace, constraint, evaluator, store, options, metrics, {}, ByAccuracy(), first);
  CHECK(known.candidates.size() == 20);
  CHECK(known.candidates[0].architecture == first.known[0]);

  const ProxyQuality quality = judge_proxy(counting, plain.candidates, 10, Rng(1));
  CHECK(quality.proxy == "depth");
  CHECK(quality.correlation.networks == 10);
  CHECK(quality.params.networks == 10);
  for (const char* name : {"params", "macs"}) {
    const auto proxy = make_cost_proxy(name, constraint);
    const CostReport costs = plain.candidates[3].costs;
    CHECK(proxy->score({plain.candidates[3].architecture})[0] ==
          static_cast<double>(std::string(name) == "params" ? costs.params : costs.macs));
    CHECK(judge_proxy(*proxy, plain.candidates, 100, Rng(1)).correlation.networks == 20);
  }
  CHECK(to_json(judge_proxy(*make_cost_proxy("params", constraint), plain.candidates, 100, Rng(1)))
            .at("params") ==
        to_json(judge_proxy(*make_cost_proxy("params", constraint), plain.candidates, 100, Rng(1)))
            .at("correlation"));
  CHECK(make_cost_proxy("synflow", constraint) == nullptr);
}
