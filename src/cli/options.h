// The experiment's configuration as the option structs of the other rooms.
#pragma once

#include "config/config.h"
#include "cost_models/costs.h"
#include "data/batch.h"
#include "data/dataset.h"
#include "export/package.h"
#include "quantize/int8_model.h"
#include "search/evolution.h"
#include "search/guided_search.h"
#include "search/space_optimisation.h"
#include "supernet/supernet.h"

namespace tinynas {

DatasetOptions dataset_options(const Config& config);
SpaceOptimisationOptions space_optimisation_options(const Config& config);
// `section` is "train" or "finetune".
TrainOptions train_options(const Config& config, const std::string& section);
RecalibrationOptions recalibration_options(const Config& config);
EvolutionOptions evolution_options(const Config& config);
// search.predictor may be none; then only `evolution` is used.
GuidedOptions guided_options(const Config& config);
ComputeOptions compute_options(const Config& config);
QuantizeOptions quantize_options(const Config& config);
// How networks run: the board's kernels, the configured schedule. `board` may be nullptr.
PlanOptions plan_options(const Config& config, const Board* board);
// `plan`: the exported network's, its schedule decided (cost_models/best_schedule.h).
ExportOptions export_options(const Config& config, const PlanOptions& plan);
// `board` may be nullptr; its core is the one that the package is compiled for.
VerifyOptions verify_options(const Config& config, const Board* board);
// SRAM and Flash that are not set come from the board.
Limits limits_of(const Config& config, const Board* board);

int worker_count(const Config& config);

// Everything that can be told to be wrong before any work: a method or runtime that this build has not,
// option structs out of range, limits without a chip. Throws Error(kUsage).
void check_experiment(const Config& config, const Board* board);

}  // namespace tinynas
