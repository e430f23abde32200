// A package on every compiler and emulated core that is there: what `tinynas verify` shows a firmware team
// before they open it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "export/emulator.h"

namespace tinynas {

struct TargetOptions {
  std::vector<std::string> host_compilers = {"cc", "clang"};
  std::string arm_compiler = "arm-none-eabi-gcc";
  std::vector<std::string> arm_cores = {"cortex-m0plus", "cortex-m4", "cortex-m7", "cortex-m33",
                                        "cortex-m55"};
  std::string riscv_compiler = "riscv64-unknown-elf-gcc";
  std::string emulator = "qemu-system-arm";
  std::vector<std::string> emulated_cores = {"cortex-m4", "cortex-m7", "cortex-m55"};
  // What the firmware may take, as the emulator's linker script has it; 0 = as much as the machine has.
  int64_t sram_bytes = 0;
  int64_t flash_bytes = 0;
};

// Inputs, and what the integer interpreter computes from them (each int8 NHWC).
struct ReferenceRuns {
  std::vector<std::vector<int8_t>> inputs;
  std::vector<std::vector<int8_t>> outputs;
};

enum class Outcome { kPassed, kFailed, kSkipped };
std::string name_of(Outcome outcome);

struct TargetResult {
  std::string target;  // "host clang", "compile cortex-m4", "compile riscv32", "emulate cortex-m55"
  Outcome outcome = Outcome::kPassed;
  std::string note;  // versions and flags; why it failed or was skipped
  // Linked with --gc-sections into the smallest program that runs the package; 0 where nothing was linked.
  LinkedSize linked;
  int64_t runs = 0;                 // of the emulated core, or golden vectors of the host's self-test
  int64_t painted_stack_bytes = 0;  // deepest of them; linked.stack_bytes bounds it
};

// One result for every host compiler (the self-test, under -Wall -Wextra -Wconversion -Werror), every Arm
// core and RISC-V (compiled and linked without a warning, the arena as planned), and every emulated core (the
// same, linked into the budget, outputs equal bit for bit, the painted stack within its bound). What is not
// installed is skipped and said so. Throws Error(kVerification) when the package is not what was exported,
// Error(kUsage) when nothing was given to run.
std::vector<TargetResult> verify_targets(const std::filesystem::path& package, const ReferenceRuns& reference,
                                         const TargetOptions& options);

// The golden vectors of a package, whose outputs the interpreter computed at the export.
ReferenceRuns golden_runs(const std::filesystem::path& package);

bool all_passed_or_skipped(const std::vector<TargetResult>& results);
// A table for people, one line a target, then the reasons of what did not pass.
std::string table_of(const std::vector<TargetResult>& results);
nlohmann::json to_json(const std::vector<TargetResult>& results);

}  // namespace tinynas
