#include "search/pareto.h"

#include <algorithm>
#include <limits>

namespace tinynas {

bool dominates(const Objectives& a, const Objectives& b) {
  bool smaller = false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] > b[i]) return false;
    smaller = smaller || a[i] < b[i];
  }
  return smaller;
}

std::vector<int> front_numbers(const std::vector<Objectives>& points) {
  std::vector<std::vector<size_t>> dominated(points.size());
  std::vector<int> dominators(points.size(), 0);
  for (size_t a = 0; a < points.size(); ++a) {
    for (size_t b = 0; b < points.size(); ++b) {
      if (a == b || !dominates(points[a], points[b])) continue;
      dominated[a].push_back(b);
      ++dominators[b];
    }
  }
  std::vector<int> fronts(points.size(), 0);
  std::vector<size_t> front;
  for (size_t i = 0; i < points.size(); ++i) {
    if (dominators[i] == 0) front.push_back(i);
  }
  for (int number = 0; !front.empty(); ++number) {
    std::vector<size_t> next;
    for (const size_t i : front) {
      fronts[i] = number;
      for (const size_t other : dominated[i]) {
        if (--dominators[other] == 0) next.push_back(other);
      }
    }
    front = std::move(next);
  }
  return fronts;
}

std::vector<double> crowding_distances(const std::vector<Objectives>& points,
                                       const std::vector<size_t>& members) {
  std::vector<double> distances(members.size(), 0);
  if (members.empty()) return distances;
  std::vector<size_t> order(members.size());
  for (size_t objective = 0; objective < points[members[0]].size(); ++objective) {
    const auto value = [&](size_t at) { return points[members[at]][objective]; };
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return value(a) < value(b); });
    const double extent = value(order.back()) - value(order.front());
    distances[order.front()] = distances[order.back()] = std::numeric_limits<double>::infinity();
    for (size_t i = 1; extent > 0 && i + 1 < order.size(); ++i)
      distances[order[i]] += (value(order[i + 1]) - value(order[i - 1])) / extent;
  }
  return distances;
}

std::vector<size_t> nsga2_order(const std::vector<Objectives>& points) {
  const std::vector<int> fronts = front_numbers(points);
  std::vector<double> crowding(points.size(), 0);
  const int last = fronts.empty() ? -1 : *std::max_element(fronts.begin(), fronts.end());
  for (int number = 0; number <= last; ++number) {
    std::vector<size_t> members;
    for (size_t i = 0; i < points.size(); ++i) {
      if (fronts[i] == number) members.push_back(i);
    }
    const std::vector<double> distances = crowding_distances(points, members);
    for (size_t i = 0; i < members.size(); ++i) crowding[members[i]] = distances[i];
  }
  std::vector<size_t> order(points.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return fronts[a] != fronts[b] ? fronts[a] < fronts[b] : crowding[a] > crowding[b];
  });
  return order;
}

}  // namespace tinynas
