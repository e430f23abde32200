// The stages of `tinynas search`, each in a file of its own.
#pragma once

#include <string>
#include <vector>

#include "cli/stage.h"
#include "cli/workbench.h"

namespace tinynas {

// In order: space, train, evolve, finetune, quantize, export, verify, report. Without LibTorch those that
// train or measure fp32 accuracy are missing. The workbench must outlive them.
std::vector<Stage> all_stages(Workbench& bench);

// `keys`, and those that say what the chip is and how networks are planned for it.
std::vector<std::string> with_chip_keys(std::vector<std::string> keys);

Stage space_stage(Workbench& bench);
Stage train_stage(Workbench& bench);
Stage evolve_stage(Workbench& bench);
Stage finetune_stage(Workbench& bench);
Stage quantize_stage(Workbench& bench);
Stage export_stage(Workbench& bench);
Stage verify_stage(Workbench& bench);
Stage report_stage(Workbench& bench);

// True when this build links LibTorch.
bool can_train();
// Throws Error(kUsage) saying so when it does not.
void require_torch(const std::string& what);

}  // namespace tinynas
