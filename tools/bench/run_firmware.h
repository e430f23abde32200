// A quantised network as firmware on an emulated core, and its output compared with the interpreter's.
#pragma once

#include <string>

#include "cost_models/memory_plan.h"
#include "export/emulator.h"
#include "quantize/int8_model.h"

namespace tinynas {

struct FirmwareRun {
  EmulatorRun run;  // one inference, its instructions counted
  MemoryPlan plan;
  KernelVariant variant = KernelVariant::kPortable;
};

// Plans for the best variant of `core`. Throws Error(kVerification) when the output differs from the
// interpreter's, the arena from the plan, or something is not installed.
FirmwareRun run_firmware(const Int8Model& model, const std::string& core, uint64_t seed,
                         Schedule schedule = Schedule::kLayer);

}  // namespace tinynas
