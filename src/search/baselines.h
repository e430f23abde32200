// Architectures to compare a search's winner with.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_set>
#include <vector>

#include "search/constraint.h"

namespace tinynas {

struct NearMacsSample {
  std::vector<Architecture>
      architectures;     // distinct; fewer than asked for where the sub-space holds no more
  double tolerance = 0;  // used: every one has target * (1 +- tolerance) MACs
};

// `count` random fitting architectures of about `target_macs`: the first ones in draw order whose MACs differ
// by at most `tolerance` (a fraction). Where `draws` draws hold too few, the tolerance is doubled until they
// do; the result says which was used. The winner of a search is compared with these: same MACs, no search.
NearMacsSample sample_near_macs(const Constraint& constraint, const SubSpace& sub_space, int64_t target_macs,
                                double tolerance, int count, Rng& rng, int draws = 2000);

struct DistinctOptions {
  int count = 1;     // networks wanted; fewer come where `attempts` draws hold no more
  int attempts = 1;  // draws in all
  std::unordered_set<std::string> known = {};  // encodings of networks that are not wanted again
};

// Networks as `draw` gives them, in that order, no two alike.
std::vector<Architecture> draw_distinct(const std::function<Architecture()>& draw, DistinctOptions options);

// The median by MACs of `draws` random fitting architectures.
// Throws Error(kNothingFits) when the smallest network of the sub-space does not fit.
Architecture median_architecture(const Constraint& constraint, const SubSpace& sub_space, Rng& rng,
                                 int draws = 101);

}  // namespace tinynas
