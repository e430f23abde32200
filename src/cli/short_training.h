// Decides among sub-spaces by training a little in each.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "cli/run.h"
#include "cli/workbench.h"

namespace tinynas {

struct ShortTraining {
  SubSpace sub_space;
  int networks = 0;          // random fitting ones, distinct
  double mean_accuracy = 0;  // of them, on the validation images, by the briefly trained supernet
  double mean_macs = 0;
};

// Trains a supernet for space_optimisation.short_training_steps in each candidate and evaluates random
// architectures that fit (search/shared_space.h, sample_for_boards). Best first; ties keep the candidates'
// order.
std::vector<ShortTraining> short_trainings(Workbench& bench, Run& run,
                                           const std::vector<Constraint>& constraints,
                                           const std::vector<SubSpace>& candidates);

nlohmann::json to_json(const std::vector<ShortTraining>& trainings);

}  // namespace tinynas
