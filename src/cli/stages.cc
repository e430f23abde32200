#include "cli/stages.h"

#include "base/error.h"

namespace tinynas {

std::vector<std::string> with_chip_keys(std::vector<std::string> keys) {
  keys.insert(keys.end(), {"board", "limits", "schedule", "input", "max_extra_macs"});
  return keys;
}

std::vector<Stage> all_stages(Workbench& bench) {
  std::vector<Stage> stages;
  stages.push_back(space_stage(bench));
#ifdef TINYNAS_WITH_TORCH
  stages.push_back(train_stage(bench));
  stages.push_back(evolve_stage(bench));
  stages.push_back(finetune_stage(bench));
#endif
  stages.push_back(quantize_stage(bench));
  stages.push_back(export_stage(bench));
  stages.push_back(verify_stage(bench));
#ifdef TINYNAS_WITH_TORCH
  stages.push_back(report_stage(bench));
#endif
  return stages;
}

bool can_train() {
#ifdef TINYNAS_WITH_TORCH
  return true;
#else
  return false;
#endif
}

void require_torch(const std::string& what) {
  if (!can_train()) {
    throw usage_error(
        what + ": this build of tinynas has no LibTorch (preset core or sanitize); build the release preset");
  }
}

}  // namespace tinynas
