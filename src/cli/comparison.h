// Is the search worth its time? The winner against random networks of about its MACs.
#pragma once

#include <nlohmann/json.hpp>

#include "cli/run.h"
#include "cli/workbench.h"
#include "search/evolution.h"
#include "supernet/supernet.h"

namespace tinynas {

// Top-1 of each architecture on the validation images, from the store where it holds them.
std::vector<double> evaluate_stored(const std::vector<Architecture>& architectures, Evaluator& evaluator,
                                    TrialStore& store);

// {"by", "networks": [{"arch", "macs", "accuracy"}], "mean", "winner", "macs_tolerance", "finetune_steps"};
// accuracies on the validation images. An interrupted comparison by fine-tuning goes on where it was
// (comparison.partial.json).
nlohmann::json compare_with_random(Workbench& bench, Run& run, const Supernet& supernet,
                                   const Constraint& constraint, const Candidate& winner,
                                   Evaluator& evaluator, TrialStore& store);

}  // namespace tinynas
