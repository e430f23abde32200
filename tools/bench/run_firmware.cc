#include "run_firmware.h"

#include "base/error.h"
#include "export/package.h"
#include "quantize/interpreter.h"
#include "seeded_model.h"

namespace tinynas {
namespace {

KernelVariant variant_of_core(const std::string& core) {
  if (core == "cortex-m55") return KernelVariant::kMve;
  return core == "cortex-m0plus" ? KernelVariant::kPortable : KernelVariant::kDsp;
}

}  // namespace

FirmwareRun run_firmware(const Int8Model& model, const std::string& core, uint64_t seed, Schedule schedule) {
  const std::vector<int8_t> input = seeded_input(model.graph, seed);
  ExportOptions options;
  options.golden_vectors = 1;
  options.plan.variant = variant_of_core(core);
  options.plan.schedule = schedule;
  const TemporaryFolder folder;
  export_package(model, {input}, folder.path() / "package", options);

  EmulatorOptions emulator;
  emulator.core = core;
  emulator.sram_bytes = 2 * 1024 * 1024;
  emulator.flash_bytes = 2 * 1024 * 1024;
  emulator.count_instructions = true;
  FirmwareRun result{run_in_emulator(emulator, folder.path() / "package", {input}),
                     plan_memory(model.graph, options.plan), options.plan.variant};
  Interpreter interpreter(model);
  if (result.run.outputs.at(0) != interpreter.run(input.data()))
    throw Error(ExitCode::kVerification, model.graph.name + " on " + core + " differs from the interpreter");
  if (result.run.linked.arena_bytes != result.plan.arena_bytes)
    throw Error(ExitCode::kVerification,
                model.graph.name + " on " + core + ": its arena is not the planned one");
  return result;
}

}  // namespace tinynas
