#include "search/ranking.h"

#include <algorithm>
#include <numeric>
#include <set>

namespace tinynas {

bool better(const Candidate& a, const Candidate& b) {
  if (a.accuracy != b.accuracy) return a.accuracy > b.accuracy;
  if (a.costs.macs != b.costs.macs) return a.costs.macs < b.costs.macs;
  return encode(a.architecture) < encode(b.architecture);
}

std::vector<size_t> ByAccuracy::order(const std::vector<Candidate>& candidates) const {
  std::vector<size_t> order(candidates.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return better(candidates[a], candidates[b]); });
  return order;
}

Objectives objectives(const Candidate& candidate) {
  const CostReport& costs = candidate.costs;
  Objectives values{1 - candidate.accuracy, static_cast<double>(costs.sram.total_bytes()),
                    static_cast<double>(costs.flash.total_bytes()), static_cast<double>(costs.macs)};
  if (costs.latency_ms) values.push_back(*costs.latency_ms);
  return values;
}

std::vector<size_t> ByParetoFront::order(const std::vector<Candidate>& candidates) const {
  std::vector<Objectives> points;
  points.reserve(candidates.size());
  for (const Candidate& candidate : candidates) points.push_back(objectives(candidate));
  return nsga2_order(points);
}

std::vector<size_t> pareto_front(const std::vector<Candidate>& candidates) {
  std::vector<Objectives> points;
  points.reserve(candidates.size());
  for (const Candidate& candidate : candidates) points.push_back(objectives(candidate));
  const std::vector<int> fronts = front_numbers(points);
  std::vector<size_t> front;
  std::set<Objectives> seen;
  for (size_t i = 0; i < points.size(); ++i) {
    if (fronts[i] == 0 && seen.insert(points[i]).second) front.push_back(i);
  }
  std::stable_sort(front.begin(), front.end(), [&](size_t a, size_t b) {
    const int64_t sram_a = candidates[a].costs.sram.total_bytes();
    const int64_t sram_b = candidates[b].costs.sram.total_bytes();
    return sram_a != sram_b ? sram_a < sram_b : better(candidates[a], candidates[b]);
  });
  return front;
}

}  // namespace tinynas
