// Which (W,R) to search in: MCUNet's space optimisation (Lin et al., NeurIPS 2020, section 3.1).
//
// A sub-space whose networks compute more within the same memory is more likely to hold an accurate one. So
// every (W,R) of the grid is sampled, the networks that meet all limits are kept, and the sub-space with the
// largest mean FLOPs of these is chosen. No network is trained for it.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "search/space_samples.h"

namespace tinynas {

// How samples are judged (docs/decisions/0009-search-rules.md).
struct JudgingOptions {
  double min_fit_fraction = 0.1;  // a sub-space is eligible when at least this part of its samples fits: the
                                  // mean of a few survivors says little, and the search would draw in vain
  double binding_fraction =
      0.01;  // a limit binds in a sub-space when at least this part of its samples exceeds it

  // Throws Error(kUsage) naming the option that is out of range.
  void check() const;
};

struct SpaceOptimisationOptions : SamplingOptions, JudgingOptions {
  void check() const;
};

struct SubSpaceReport {
  SubSpace sub_space;
  SubSpace same_networks_as;  // the first of the grid with the same channels after rounding; mostly itself
  int sampled = 0;
  int fitting = 0;             // samples that meet every limit
  bool eligible = false;       // fraction() >= min_fit_fraction
  double mean_macs = 0;        // of the fitting samples; 0 when none fits, as all figures below
  double mean_macs_error = 0;  // standard error of that mean: another seed moves it by about as much
  int64_t p50_macs = 0;        // half of the fitting samples have at most this many MACs
  int64_t p80_macs = 0;        // 80 % have
  int64_t max_macs = 0;
  std::vector<int64_t> macs_cdf;  // MACs at the quantiles 0, 5, ..., 100 % of the fitting samples (21 values,
                                  // nearest rank); empty when none fits
  std::map<std::string, int> violations;  // limit -> samples that exceed it (a sample may exceed several)
  std::string binding_limit = "none";     // the limit most often exceeded, when by binding_fraction or more
  bool smallest_fits = false;             // the sub-space's smallest network meets every limit

  double fraction() const { return sampled > 0 ? static_cast<double>(fitting) / sampled : 0.0; }
  double mean_flops() const { return 2.0 * mean_macs; }  // 1 MAC = 2 FLOPs
};

// The best sub-space that was not chosen and holds other networks than the chosen one.
struct RunnerUp {
  SubSpace sub_space;
  double mean_macs = 0;
  double behind = 0;        // 1 - mean_macs / the chosen one's: a fraction; negative where `eligible` is not
  double behind_error = 0;  // standard error of `behind`, from those of the two means
  bool eligible = false;    // false: it lost because too few of its samples fit
};

struct SpaceOptimisation {
  // The whole grid by rank: eligible ones by mean MACs, largest first; then those below min_fit_fraction by
  // the fraction that fits; then those of which only the smallest network fits; then the rest. Ties: more
  // mean MACs, then larger resolution, then larger width.
  std::vector<SubSpaceReport> sub_spaces;
  SubSpace chosen;
  std::optional<RunnerUp> runner_up;  // none when no network of another sub-space fits
  // The (up to) three best that hold different networks, `chosen` first: widths that round to the same
  // channels count once. All are eligible where `chosen` is.
  std::vector<SubSpace> top;
  // SRAM or Flash is the binding limit of at least one of `top`. Where it is not (nothing binds, or a cap on
  // MACs or latency does), the ranking by FLOPs says little, and the caller decides among `top` by a short
  // training.
  bool memory_binds = false;
  std::string warning;  // for people; empty when there is nothing to warn of
};

// The grid by rank (SpaceOptimisation::sub_spaces). Throws Error(kUsage) when a limit is on something that
// the samples have no figure of (latency without a board).
std::vector<SubSpaceReport> rank_sub_spaces(const SpaceSamples& samples, const Limits& limits,
                                            const JudgingOptions& options);

// Throws Error(kNothingFits) when no sample and no smallest network of any sub-space fits: it names the
// limits, by how much they are exceeded, and what the network that comes nearest needs.
SpaceOptimisation judge(const SpaceSamples& samples, const Limits& limits, const JudgingOptions& options);

// judge(draw_samples(constraint), constraint.limits()).
SpaceOptimisation optimise_space(const Constraint& constraint, const SpaceOptimisationOptions& options);

// What is chosen for each pair of an SRAM and a Flash limit, from one table of samples.
struct ChoiceMatrix {
  struct Cell {
    SubSpace chosen;
    double mean_macs = 0;
    double fraction = 0;    // of its samples that fit
    bool eligible = false;  // false: too few fit, it is the best of what there is
  };
  std::vector<int64_t> sram_bytes;                      // rows
  std::vector<int64_t> flash_bytes;                     // columns
  std::vector<std::vector<std::optional<Cell>>> cells;  // [row][column]; none where nothing fits
};
ChoiceMatrix choice_matrix(const SpaceSamples& samples, const std::vector<int64_t>& sram_bytes,
                           const std::vector<int64_t>& flash_bytes, const JudgingOptions& options);

// {"chosen": {"width", "resolution"}, "runner_up", "top": [...], "memory_binds", "warning", "sub_spaces":
// [...]}, for space.json and the report.
nlohmann::json to_json(const SpaceOptimisation& result);
// {"sram_bytes": [...], "flash_bytes": [...], "cells": [[{"width", "resolution", "mean_macs", "fraction",
// "eligible"} or null, ...], ...]}
nlohmann::json to_json(const ChoiceMatrix& matrix);

}  // namespace tinynas
