// Do a supernet's accuracies rank networks as training them alone does? The networks to ask, and the answer.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "search/constraint.h"
#include "search/rank_statistics.h"

namespace tinynas {

inline constexpr double kEqualMacs = 0.15;  // any two of the equal-MAC half differ by at most this part

struct RankedNetwork {
  Architecture architecture;
  bool equal_macs = false;  // of the half whose networks have about the same MACs
  int64_t macs = 0;
  int64_t params = 0;
  double supernet = 0;          // recalibrated accuracy with the shared weights, in [0,1]
  double predicted = 0;         // by a predictor that was not fitted to this network
  std::optional<double> alone;  // accuracy after training it alone from scratch; nothing = not run
};

// `count` different fitting networks, macs and params filled in: half of them random, the other half within
// +-15 % MACs of each other (around the median of random fitting networks); the halves alternate, so that the
// first few are some of each. Throws Error(kUsage) where the sub-space holds too few, Error(kNothingFits).
std::vector<RankedNetwork> choose_ranked_networks(const Constraint& constraint, const SubSpace& sub_space,
                                                  int count, const Rng& rng);

// How one figure ranks what training alone gave.
struct JudgeRanks {
  std::string judge;  // "supernet", "predictor", "params", "macs"
  RankCorrelation all;
  RankCorrelation equal_macs;
};

struct RankTrust {
  size_t networks = 0;
  size_t run = 0;  // of these, trained alone; only they are in the figures
  std::vector<JudgeRanks> judges;
  // tau of the supernet less tau of #params within the equal-MAC half, both of the same networks.
  std::optional<double> gain_over_params;
  std::optional<Interval> gain_interval;
};
RankTrust judge_ranks(const std::vector<RankedNetwork>& networks, const Rng& rng);

// The figure of `network` that `judge` is called by.
double figure_of(const RankedNetwork& network, const std::string& judge);

// {"networks", "run", "judges": [{"judge", "all": {...}, "equal_macs": {...}}, ...], "gain_over_params",
// "gain_interval"}
nlohmann::json to_json(const RankTrust& trust);

}  // namespace tinynas
