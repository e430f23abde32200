// Runs a package on an emulated Cortex-M (QEMU) in memories cut to a budget: what it computes, how deep its
// stack went, what it takes of both memories as linked and, on request, how many instructions a run executed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "export/toolchain.h"

namespace tinynas {

struct EmulatorOptions {
  // cortex-m4 (QEMU's mps2-an386), cortex-m7 (mps2-an500), cortex-m33 (mps2-an505), cortex-m55 (mps3-an547,
  // with vectors), or cortex-m0plus, whose code runs on the Cortex-M4: QEMU has no machine of its own for it
  // that is as large, and Armv6-M is a part of Armv7-M.
  std::string core = "cortex-m4";
  int64_t sram_bytes = 320 * 1024;  // stack, .data and .bss with the arena; at most 3 MiB
  int64_t flash_bytes =
      1024 * 1024;             // code, weights, tables, initial values; at most 3 MiB (cortex-m55: 2 MiB)
  int64_t stack_bytes = 2048;  // of sram_bytes, rounded up to 8; a deeper stack ends in a fault
  bool count_instructions = false;  // three times as slow; needs a compiler for this machine
  int timeout_s = 600;              // for all runs together

  std::string arm_compiler = "arm-none-eabi-gcc";
  std::string host_compiler = "cc";  // builds the plugin that counts
  std::string emulator = "qemu-system-arm";

  // All the memory that the core's machine has for a package.
  static EmulatorOptions largest(const std::string& core);

  // Throws Error(kUsage) when the core is not one of those above or a memory is not possible on its machine.
  void check() const;
};

struct EmulatorRun {
  // What the linker says is too much, 0 where it fits. A package that does not fit was not run: the rest is
  // empty.
  int64_t sram_overflow_bytes = 0;
  int64_t flash_overflow_bytes = 0;
  bool fits() const { return sram_overflow_bytes == 0 && flash_overflow_bytes == 0; }

  std::vector<std::vector<int8_t>> outputs;  // one for every input
  int64_t stack_bytes = 0;                   // deepest of all runs, found by painting; no interrupts
  std::vector<int64_t> instructions;         // executed by each run, its call included; empty unless counted
  // From the ELF file that ran; linked.stack_bytes is the compiler's bound, which stack_bytes must keep.
  LinkedSize linked;
  std::string note;  // compiler, flags, emulator and machine, for reports
};

// Why packages cannot run on this core here: which program is not installed; empty when they can.
std::string emulator_missing(const EmulatorOptions& options);
// The same for the defaults.
bool emulator_available(const std::string& core);

// Builds `package` with -O2 and --gc-sections, links it into the budget and runs it on every input (int8
// NHWC). Each run begins with an arena full of rubbish. The harness, its start-up code and its buffers lie
// outside the budget. Throws Error(kUsage) for options or inputs that cannot be; Error(kVerification) when a
// program is missing, the package does not compile, it writes behind its variables, or the emulated core
// faults or takes too long.
EmulatorRun run_in_emulator(const EmulatorOptions& options, const std::filesystem::path& package,
                            const std::vector<std::vector<int8_t>>& inputs);

}  // namespace tinynas
