// `tinynas rank`: how far a run's supernet, its predictor and plain costs can be trusted to rank networks.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "cli/run.h"
#include "cli/workbench.h"

namespace tinynas {

struct RankOptions {
  int networks = 24;
  std::string predictor = "ridge";  // ridge or mlp
  int predictor_networks = 100;     // measured by the supernet to fit it, none of them ranked
  std::optional<int64_t> steps;     // of each network's training; finetune.steps where not given
  std::optional<int> most;          // networks that are trained before this sitting ends
  bool again = false;               // forgets what other settings left in the folder
  std::filesystem::path directory;  // where it writes; RUN/rank where empty

  // Throws Error(kUsage) naming the flag that is out of range.
  void check() const;
};

// Chooses the networks (search/rank_trust.h), measures them with the supernet and predicts them, and trains
// each from scratch by the options finetune.* and augment.*. After each network the folder's rank.csv,
// rank.json and rank.svg are up to date; a later sitting keeps what is there. Returns what rank.json holds:
// {"format": "tinynas-rank-1", "key", "settings": {...}, "networks": [{"architecture", "equal_macs", "macs",
// "params", "supernet", "predictor", "alone" or null}, ...], "predictor_quality": {...}, "trust": {...}}.
// Throws Error(kUsage) where the folder was made with other settings, Error(kInterrupted) with the state
// kept.
nlohmann::json study_ranks(Workbench& bench, Run& run, const RankOptions& options);

// The report for people.
std::string render_ranks(const nlohmann::json& study);

}  // namespace tinynas
