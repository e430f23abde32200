// What `tinynas rank` found, for people: a table, a CSV file and a picture.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "search/rank_trust.h"

namespace tinynas {

// network,half,architecture,macs,params,supernet,predictor,alone: a row a network, accuracies in [0,1],
// "not run" for a network that was not trained alone.
std::string rank_csv(const std::vector<RankedNetwork>& networks);

// Kendall's tau and Spearman's rho with their intervals, of all networks and of the equal-MAC half.
std::string rank_table(const RankTrust& trust);

// Accuracy after training alone over what each judge says, an SVG page of its own: a panel a judge, the
// equal-MAC half in another colour. Networks that were not run are not drawn.
std::string rank_svg(const std::vector<RankedNetwork>& networks, const RankTrust& trust);

}  // namespace tinynas
