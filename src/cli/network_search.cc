#include "cli/network_search.h"

#include <spdlog/spdlog.h>

#include "cli/options.h"
#include "search/guided_search.h"
#include "supernet/proxies.h"

namespace tinynas {
namespace {

void say(const GuidedResult& guided) {
  for (const GuidedRound& round : guided.rounds) {
    spdlog::info("   round {}: {} networks measured, held out {}; {} predicted, {} finalists measured, {}",
                 round.round, round.fitted_on, describe(round.quality), round.predicted, round.measured,
                 describe(round.finalists));
  }
  spdlog::info("   predictor {}: {} networks measured, {} predicted; held out {}", name_of(guided.predictor),
               guided.search.candidates.size(), guided.predicted, describe(guided.quality));
}

// nullptr for none.
std::unique_ptr<Proxy> configured_proxy(Workbench& bench, const ChosenSpace& chosen,
                                        const Constraint& constraint) {
  const std::string name = bench.config().text("search.proxy");
  if (name == "none") return nullptr;
  if (auto proxy = make_cost_proxy(name, constraint)) return proxy;
  ProxyOptions options;
  options.seed = static_cast<uint64_t>(bench.config().integer("seed"));
  return make_zero_cost_proxy(name, constraint.space(), chosen.num_classes,
                              bench.train(chosen.sub_space.resolution), options,
                              compute_options(bench.config()));
}

nlohmann::json judged(Proxy& proxy, const SearchResult& result, uint64_t seed) {
  constexpr size_t kMost = 200;  // networks that are scored for it
  const ProxyQuality quality = judge_proxy(proxy, result.candidates, kMost, Rng(seed).fork("proxy"));
  spdlog::info("   proxy {} on {} measured networks: {}", quality.proxy, quality.correlation.networks,
               describe(quality.correlation));
  spdlog::info("   #params on the same:  {}", describe(quality.params));
  return to_json(quality);
}

}  // namespace

NetworkSearch search_networks(Workbench& bench, Run& run, const ChosenSpace& chosen,
                              const Constraint& constraint, Evaluator& evaluator, TrialStore& store) {
  const Config& config = bench.config();
  const ByParetoFront by_front;
  const ByAccuracy by_accuracy;
  const Ranking& ranking = config.flag("search.pareto") ? static_cast<const Ranking&>(by_front)
                                                        : static_cast<const Ranking&>(by_accuracy);
  const std::unique_ptr<Proxy> proxy = configured_proxy(bench, chosen, constraint);
  FirstGeneration first;
  first.proxy = proxy.get();
  first.oversampling = static_cast<int>(config.integer("search.proxy_oversampling"));
  const GuidedOptions options = guided_options(config);
  NetworkSearch search;
  if (options.predictor == PredictorKind::kNone) {
    search.result = evolve(chosen.sub_space, constraint, evaluator, store, options.evolution, run.metrics(),
                           {}, ranking, first);
  } else {
    GuidedResult guided = evolve_by_predictor(chosen.sub_space, constraint, evaluator, store, options,
                                              run.metrics(), ranking, first);
    say(guided);
    search.predictor = predictor_json(guided);
    search.result = std::move(guided.search);
  }
  if (proxy) search.proxy = judged(*proxy, search.result, options.evolution.seed);
  return search;
}

}  // namespace tinynas
