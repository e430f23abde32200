// Sorting by several objectives at once: NSGA-II (Deb et al. 2002, "A fast and elitist multiobjective genetic
// algorithm: NSGA-II", sections III.A and III.B).
#pragma once

#include <cstddef>
#include <vector>

namespace tinynas {

// One value an objective, all of them to be as small as possible.
using Objectives = std::vector<double>;

// Whether `a` is nowhere larger than `b`, and somewhere smaller. Both have as many values.
bool dominates(const Objectives& a, const Objectives& b);

// By point: 0 for those that no other dominates (the Pareto front), 1 for those that only points of front 0
// dominate, and so on.
std::vector<int> front_numbers(const std::vector<Objectives>& points);

// By member (indices into `points`, of one front): how far its neighbours along each objective are from each
// other, each relative to the front's extent, summed; infinite at the ends of an objective. Members of equal
// value stand in the order of their indices.
std::vector<double> crowding_distances(const std::vector<Objectives>& points,
                                       const std::vector<size_t>& members);

// Indices of all points: by front, then the less crowded first, then by index.
std::vector<size_t> nsga2_order(const std::vector<Objectives>& points);

}  // namespace tinynas
