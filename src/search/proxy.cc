#include "search/proxy.h"

#include <algorithm>

namespace tinynas {
namespace {

class CostProxy final : public Proxy {
 public:
  CostProxy(const Constraint& constraint, int64_t CostReport::*figure, std::string name)
      : constraint_(constraint), figure_(figure), name_(std::move(name)) {}

  std::string name() const override { return name_; }
  std::vector<double> score(const std::vector<Architecture>& architectures) override {
    std::vector<double> scores;
    for (const Architecture& architecture : architectures)
      scores.push_back(static_cast<double>(constraint_.costs(architecture).*figure_));
    return scores;
  }

 private:
  const Constraint& constraint_;
  int64_t CostReport::*figure_;
  std::string name_;
};

}  // namespace

std::unique_ptr<Proxy> make_cost_proxy(const std::string& name, const Constraint& constraint) {
  if (name == "params") return std::make_unique<CostProxy>(constraint, &CostReport::params, name);
  if (name == "macs") return std::make_unique<CostProxy>(constraint, &CostReport::macs, name);
  return nullptr;
}

ProxyQuality judge_proxy(Proxy& proxy, const std::vector<Candidate>& measured, size_t most, const Rng& rng) {
  std::vector<Architecture> architectures;
  Series accuracies, params;
  const size_t count = std::min(measured.size(), most);
  for (size_t i = 0; i < count; ++i) {
    const Candidate& candidate = measured[i * measured.size() / count];
    architectures.push_back(candidate.architecture);
    accuracies.push_back(candidate.accuracy);
    params.push_back(static_cast<double>(candidate.costs.params));
  }
  const Rng bootstrap = rng.fork("bootstrap");  // the same resamples for both
  return {proxy.name(), rank_correlation(proxy.score(architectures), accuracies, bootstrap),
          rank_correlation(params, accuracies, bootstrap)};
}

nlohmann::json to_json(const ProxyQuality& quality) {
  return {{"proxy", quality.proxy},
          {"correlation", to_json(quality.correlation)},
          {"params", to_json(quality.params)}};
}

}  // namespace tinynas
