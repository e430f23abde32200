// Which (W,R) to search in: MCUNet's space optimisation (Lin et al., NeurIPS 2020, section 3.1).
//
// A sub-space whose networks compute more within the same memory is more likely to hold an accurate one. So
// every (W,R) of the grid is sampled, the networks that meet all limits are kept, and the sub-space with the
// largest mean FLOPs of these is chosen. No network is trained for it.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "search/constraint.h"

namespace tinynas {

struct SpaceOptimisationOptions {
  int samples = 1000;             // networks drawn in every sub-space (the paper's m)
  double min_fit_fraction = 0.1;  // a sub-space is eligible when at least this part of its samples fits: the
                                  // mean of a few survivors says little, and the search would draw in vain
  double binding_fraction =
      0.01;         // a limit binds in a sub-space when at least this part of its samples exceeds it
  int threads = 0;  // 0 = as many as the machine has; results do not depend on it
  uint64_t seed = 1;

  // Throws Error(kUsage) naming the option that is out of range.
  void check() const;
};

struct SubSpaceReport {
  SubSpace sub_space;
  int sampled = 0;
  int fitting = 0;                // samples that meet every limit
  bool eligible = false;          // fraction() >= min_fit_fraction
  double mean_macs = 0;           // of the fitting samples; 0 when none fits
  int64_t p80_macs = 0;           // 80 % of the fitting samples have at most this many MACs
  std::vector<int64_t> macs_cdf;  // MACs at the quantiles 0, 5, ..., 100 % of the fitting samples (21 values,
                                  // nearest rank); empty when none fits
  std::map<std::string, int> violations;  // limit -> samples that exceed it (a sample may exceed several)
  std::string binding_limit = "none";     // the limit most often exceeded, when by binding_fraction or more
  bool smallest_fits = false;             // the sub-space's smallest network meets every limit

  double fraction() const { return sampled > 0 ? static_cast<double>(fitting) / sampled : 0.0; }
  double mean_flops() const { return 2.0 * mean_macs; }  // 1 MAC = 2 FLOPs
};

struct SpaceOptimisation {
  // The whole grid by rank: eligible ones by mean MACs, largest first; then those below min_fit_fraction by
  // the fraction that fits; then those of which only the smallest network fits; then the rest. Ties: more
  // mean MACs, then larger resolution, then larger width.
  std::vector<SubSpaceReport> sub_spaces;
  SubSpace chosen;
  // The (up to) three best that hold different networks, `chosen` first: widths that round to the same
  // channels count once. All are eligible where `chosen` is.
  std::vector<SubSpace> top;
  // SRAM or Flash is the binding limit of at least one of `top`. Where it is not (nothing binds, or a cap on
  // MACs or latency does), the ranking by FLOPs says little, and the caller decides among `top` by a short
  // training.
  bool memory_binds = false;
  std::string warning;  // for people; empty when there is nothing to warn of
};

// Samples fork their random numbers per (W,R) and index. Shows a progress bar. Throws Error(kNothingFits)
// when no sample and no smallest network of any sub-space fits (it names the limits, by how much they are
// exceeded, and what the smallest network of the grid needs), Error(kInterrupted) after Ctrl-C.
SpaceOptimisation optimise_space(const Constraint& constraint, const SpaceOptimisationOptions& options);

// {"chosen": {"width", "resolution"}, "top": [...], "memory_binds", "warning", "sub_spaces": [...]}, for
// space.json and the report.
nlohmann::json to_json(const SpaceOptimisation& result);

}  // namespace tinynas
