// A table of random networks of every sub-space and what each costs: drawn once, judged under any number of
// limits.
#pragma once

#include <cstdint>
#include <vector>

#include "search/constraint.h"
#include "search/cost_row.h"

namespace tinynas {

struct SamplingOptions {
  int samples = 1000;  // networks drawn in every sub-space (MCUNet's m)
  int threads = 0;     // 0 = as many as the machine has; results do not depend on it
  uint64_t seed = 1;

  // Throws Error(kUsage) naming the option that is out of range.
  void check() const;
};

struct SubSpaceSamples {
  SubSpace sub_space;
  std::vector<CostRow> rows;  // ascending by MACs
  CostRow smallest;           // of smallest(): no network of the sub-space has fewer MACs or parameters
  // Index into SpaceSamples::sub_spaces of the first sub-space that holds the same networks (its own when it
  // is that one): the widths round to the same channels, and the rows are the same.
  size_t same_as = 0;
};

struct SpaceSamples {
  SearchSpace space;
  int num_classes = 0;
  SamplingOptions options;
  std::vector<SubSpaceSamples> sub_spaces;  // the grid: width by width, resolutions within
};

// Draws with the cost model of `constraint`; its limits are not looked at. The random numbers of a sample
// depend on the seed, the channels after the width multiplier, the resolution and the sample's index: not on
// the rest of the grid, nor on threads, and widths that round to the same channels have the same samples
// (drawn once). Work is shared out over (sub-space, chunk of samples). Shows a progress bar with ETA. Throws
// Error(kUsage) naming the sub-space in which a network is too large to be lowered, Error(kInterrupted) after
// Ctrl-C.
SpaceSamples draw_samples(const Constraint& constraint, const SamplingOptions& options);

}  // namespace tinynas
