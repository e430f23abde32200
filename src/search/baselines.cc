#include "search/baselines.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>

namespace tinynas {

NearMacsSample sample_near_macs(const Constraint& constraint, const SubSpace& sub_space, int64_t target_macs,
                                double tolerance, int count, Rng& rng, int draws) {
  if (!(tolerance > 0) || target_macs < 1) {
    throw usage_error("architectures of about the same MACs: the target and the tolerance must be above 0");
  }
  struct Drawn {
    Architecture architecture;
    double distance = 0;  // |MACs / target - 1|
  };
  std::vector<Drawn> pool;
  std::unordered_set<std::string> known;
  for (int i = 0; i < draws; ++i) {
    Architecture architecture = sample(constraint.space(), sub_space, rng);
    if (!known.insert(encode(architecture)).second) continue;
    const CostReport costs = constraint.costs(architecture);
    if (!violations(costs, constraint.limits()).empty()) continue;
    const double ratio = static_cast<double>(costs.macs) / static_cast<double>(target_macs);
    pool.push_back({std::move(architecture), std::abs(ratio - 1.0)});
  }
  const auto wanted = std::min(static_cast<size_t>(std::max(count, 0)), pool.size());
  const auto inside = [&](double limit) {
    return static_cast<size_t>(
        std::count_if(pool.begin(), pool.end(), [&](const Drawn& drawn) { return drawn.distance <= limit; }));
  };
  NearMacsSample result;
  result.tolerance = tolerance;
  while (inside(result.tolerance) < wanted) result.tolerance *= 2;
  for (Drawn& drawn : pool) {
    if (result.architectures.size() == wanted) break;
    if (drawn.distance <= result.tolerance) result.architectures.push_back(std::move(drawn.architecture));
  }
  return result;
}

std::vector<Architecture> draw_distinct(const std::function<Architecture()>& draw, DistinctOptions options) {
  std::vector<Architecture> found;
  for (int i = 0; i < options.attempts && std::ssize(found) < options.count; ++i) {
    Architecture drawn = draw();
    if (options.known.insert(encode(drawn)).second) found.push_back(std::move(drawn));
  }
  return found;
}

Architecture median_architecture(const Constraint& constraint, const SubSpace& sub_space, Rng& rng,
                                 int draws) {
  std::vector<std::pair<int64_t, Architecture>> sampled;
  for (int i = 0; i < draws; ++i) {
    Architecture architecture = sample_fitting(constraint, sub_space, rng);
    const int64_t macs = constraint.costs(architecture).macs;
    sampled.emplace_back(macs, std::move(architecture));
  }
  const auto middle = sampled.begin() + static_cast<std::ptrdiff_t>(sampled.size() / 2);
  std::nth_element(sampled.begin(), middle, sampled.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first : encode(a.second) < encode(b.second);
  });
  return std::move(middle->second);
}

}  // namespace tinynas
