#include "search/rank_trust.h"

#include <algorithm>
#include <stdexcept>
#include <unordered_set>

#include "base/error.h"
#include "search/baselines.h"

namespace tinynas {
namespace {

const std::vector<std::string> kJudges = {"supernet", "predictor", "params", "macs"};

RankedNetwork network_of(const Constraint& constraint, Architecture architecture, bool equal_macs) {
  const CostReport costs = constraint.costs(architecture);
  RankedNetwork network;
  network.architecture = std::move(architecture);
  network.equal_macs = equal_macs;
  network.macs = costs.macs;
  network.params = costs.params;
  return network;
}

Error too_few(const SubSpace& sub_space, int wanted, const std::string& what) {
  return usage_error("rank: " + describe(sub_space) + " holds fewer than " + std::to_string(wanted) + " " +
                     what + "; ask for fewer --networks");
}

std::vector<Architecture> equal_half(const Constraint& constraint, const SubSpace& sub_space, int count,
                                     Rng rng) {
  // (1 + t) / (1 - t) = 1 + kEqualMacs: then any two are that close.
  const double tolerance = kEqualMacs / (2 + kEqualMacs);
  const int64_t target = constraint.costs(median_architecture(constraint, sub_space, rng)).macs;
  NearMacsSample sample = sample_near_macs(constraint, sub_space, target, tolerance, count, rng, 100 * count);
  if (static_cast<int>(sample.architectures.size()) < count || sample.tolerance > tolerance)
    throw too_few(sub_space, count, "fitting networks within +-15 % MACs of each other");
  return std::move(sample.architectures);
}

std::vector<RankedNetwork> run_ones(const std::vector<RankedNetwork>& networks, bool equal_macs_only) {
  std::vector<RankedNetwork> found;
  for (const RankedNetwork& network : networks) {
    if (network.alone && (network.equal_macs || !equal_macs_only)) found.push_back(network);
  }
  return found;
}

Series figures_of(const std::vector<RankedNetwork>& networks, const std::string& judge) {
  Series figures;
  for (const RankedNetwork& network : networks) figures.push_back(figure_of(network, judge));
  return figures;
}

Series accuracies_of(const std::vector<RankedNetwork>& networks) {
  Series accuracies;
  for (const RankedNetwork& network : networks) accuracies.push_back(*network.alone);
  return accuracies;
}

void compare_with_params(const std::vector<RankedNetwork>& equal_macs, const Rng& rng, RankTrust& trust) {
  const auto gain = [&](const std::vector<size_t>& indices) -> std::optional<double> {
    std::vector<RankedNetwork> drawn;
    for (const size_t i : indices) drawn.push_back(equal_macs[i]);
    const Series truth = accuracies_of(drawn);
    const std::optional<double> supernet = kendall_tau_b(figures_of(drawn, "supernet"), truth);
    const std::optional<double> params = kendall_tau_b(figures_of(drawn, "params"), truth);
    if (!supernet || !params) return std::nullopt;
    return *supernet - *params;
  };
  std::vector<size_t> all(equal_macs.size());
  for (size_t i = 0; i < all.size(); ++i) all[i] = i;
  trust.gain_over_params = gain(all);
  if (trust.gain_over_params) trust.gain_interval = bootstrap_interval(all.size(), gain, rng.fork("gain"));
}

}  // namespace

std::vector<RankedNetwork> choose_ranked_networks(const Constraint& constraint, const SubSpace& sub_space,
                                                  int count, const Rng& rng) {
  if (count < 2) throw usage_error("rank: networks: got " + std::to_string(count) + ", expected at least 2");
  constexpr int kAttempts = 100;  // for each network
  const std::vector<Architecture> equal =
      equal_half(constraint, sub_space, count / 2, rng.fork("equal MACs"));
  std::unordered_set<std::string> known;
  for (const Architecture& architecture : equal) known.insert(encode(architecture));
  std::vector<RankedNetwork> networks;
  Rng drawing = rng.fork("random");
  const int random = count - static_cast<int>(equal.size());
  const std::vector<Architecture> others =
      draw_distinct([&] { return sample_fitting(constraint, sub_space, drawing); },
                    {.count = random, .attempts = kAttempts * random, .known = std::move(known)});
  if (std::ssize(others) < random) throw too_few(sub_space, count, "fitting networks");
  for (size_t i = 0; i < others.size(); ++i) {
    networks.push_back(network_of(constraint, others[i], false));
    if (i < equal.size()) networks.push_back(network_of(constraint, equal[i], true));
  }
  return networks;
}

double figure_of(const RankedNetwork& network, const std::string& judge) {
  if (judge == "supernet") return network.supernet;
  if (judge == "predictor") return network.predicted;
  if (judge == "params") return static_cast<double>(network.params);
  if (judge == "macs") return static_cast<double>(network.macs);
  throw std::logic_error("no judge of ranks is called " + judge);
}

RankTrust judge_ranks(const std::vector<RankedNetwork>& networks, const Rng& rng) {
  const std::vector<RankedNetwork> all = run_ones(networks, false);
  const std::vector<RankedNetwork> equal_macs = run_ones(networks, true);
  RankTrust trust;
  trust.networks = networks.size();
  trust.run = all.size();
  for (const std::string& judge : kJudges) {
    trust.judges.push_back(
        {judge, rank_correlation(figures_of(all, judge), accuracies_of(all), rng.fork("all")),
         rank_correlation(figures_of(equal_macs, judge), accuracies_of(equal_macs), rng.fork("equal MACs"))});
  }
  compare_with_params(equal_macs, rng, trust);
  return trust;
}

nlohmann::json to_json(const RankTrust& trust) {
  nlohmann::json judges = nlohmann::json::array();
  for (const JudgeRanks& ranks : trust.judges)
    judges.push_back(
        {{"judge", ranks.judge}, {"all", to_json(ranks.all)}, {"equal_macs", to_json(ranks.equal_macs)}});
  return {{"networks", trust.networks},
          {"run", trust.run},
          {"judges", judges},
          {"gain_over_params",
           trust.gain_over_params ? nlohmann::json(*trust.gain_over_params) : nlohmann::json()},
          {"gain_interval", trust.gain_interval
                                ? nlohmann::json({trust.gain_interval->low, trust.gain_interval->high})
                                : nlohmann::json()}};
}

}  // namespace tinynas
