// Zero-cost proxies: scores of untrained networks that are hoped to rank as their accuracies do.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "search/candidate.h"
#include "search/constraint.h"
#include "search/rank_statistics.h"

namespace tinynas {

class Proxy {
 public:
  virtual ~Proxy() = default;
  virtual std::string name() const = 0;
  // In order; higher is hoped to be more accurate. Each depends on its architecture alone, not on the others,
  // nor on threads. May throw Error(kInterrupted).
  virtual std::vector<double> score(const std::vector<Architecture>& architectures) = 0;
};

// "params" and "macs": the costs themselves. Nothing for another name.
std::unique_ptr<Proxy> make_cost_proxy(const std::string& name, const Constraint& constraint);

// How a proxy ranks measured networks, beside plain #params.
struct ProxyQuality {
  std::string proxy;
  RankCorrelation correlation;
  RankCorrelation params;
};
// Over `measured`, or `most` of them spread evenly over their order where there are more.
ProxyQuality judge_proxy(Proxy& proxy, const std::vector<Candidate>& measured, size_t most, const Rng& rng);

// {"proxy", "correlation": {...}, "params": {...}}
nlohmann::json to_json(const ProxyQuality& quality);

}  // namespace tinynas
