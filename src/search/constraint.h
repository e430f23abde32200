// What an architecture must not exceed: its costs under the memory plan against the limits of the chip and
// the user.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/rng.h"
#include "cost_models/costs.h"
#include "search/cost_row.h"
#include "space/architecture.h"

namespace tinynas {

// Lowers an architecture, plans its memory and compares its costs with the limits. Thread-safe: nothing
// changes after construction. Override costs() to judge architectures by another cost model (a table of
// measured latencies, say).
class Constraint {
 public:
  // `options.board` (not owned) must outlive the constraint; `options.per_operator` is ignored (off).
  // Throws Error(kUsage) when the space or the limits are out of range (SearchSpace::check, Limits::check).
  Constraint(SearchSpace space, int num_classes, Limits limits, CostOptions options = {});
  virtual ~Constraint() = default;

  // Without the per-operator table.
  virtual CostReport costs(const Architecture& architecture) const;

  // Every limit that is exceeded, in the order of Limits; empty = it fits.
  std::vector<Violation> violations(const Architecture& architecture) const;
  bool fits(const Architecture& architecture) const { return violations(architecture).empty(); }

  // Everything beside the architecture that costs() depends on: space, number of classes, board with its
  // coefficients, plan version and plan options. The trial store keys costs by it. The limits are not part of
  // it, but for the limit of SRAM where it decides the schedule.
  virtual std::string key() const { return key_; }

  const SearchSpace& space() const { return space_; }
  int num_classes() const { return num_classes_; }
  const Limits& limits() const { return limits_; }

 private:
  SearchSpace space_;
  int num_classes_;
  Limits limits_;
  CostOptions options_;
  std::string key_;
};

// A random architecture of the sub-space that fits. Rejection sampling (uniform over those that fit) for
// `attempts` draws; in a sub-space so tight that none of them fits, a draw is crossed again and again with
// the smallest network until it does, which favours small networks. Serves the search's first population and
// as the sampler of the supernet's training. Throws Error(kNothingFits), with what the smallest network of
// the sub-space needs, when that one does not fit.
Architecture sample_fitting(const Constraint& constraint, const SubSpace& sub_space, Rng& rng,
                            int attempts = 100);

// The error of a sub-space or a grid in which nothing fits: which limits are violated, by how much, and what
// `smallest`, the network that comes nearest, needs.
Error nothing_fits_error(const Constraint& constraint, const Architecture& smallest);
Error nothing_fits_error(const SubSpace& sub_space, const CostRow& smallest, const Limits& limits);

// "w0.50-r32"
std::string describe(const SubSpace& sub_space);

}  // namespace tinynas
