// The C99 package that the firmware team gets.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "cost_models/costs.h"
#include "quantize/int8_model.h"

namespace tinynas {

struct ExportOptions {
  std::string name = "model";   // C identifier: prefix of files and symbols
  PlanOptions plan;
  int golden_vectors = 8;       // images whose input and expected output travel in the package
  void check() const;
};

// Writes `directory` (created; an existing package there is replaced only when the new one is complete).
// `golden_inputs`: int8 NHWC images; their outputs are computed by the interpreter.
void export_package(const Int8Model& model, const std::vector<std::vector<int8_t>>& golden_inputs,
                    const std::filesystem::path& directory, const ExportOptions& options);

struct VerifyOptions {
  std::string host_compiler = "cc";
  std::string arm_compiler = "arm-none-eabi-gcc";  // skipped, and said so, when it is not installed
  std::string arm_cpu = "cortex-m4";
};

// What verification found. Every figure comes from compilers and programs that were run.
struct VerifyReport {
  int64_t images = 0;               // compared bit for bit against the interpreter
  int64_t mismatches = 0;           // images with at least one differing byte
  int64_t planned_arena_bytes = 0;
  int64_t compiled_arena_bytes = 0; // sizeof the arena as the compiler sees it
  bool arm_compiled = false;
  std::string arm_note;             // compiler version, or why it was skipped
  int64_t linked_code_bytes = 0;    // .text of the package's code without weights and tables (arm when present)
  int64_t linked_rodata_bytes = 0;  // weights and tables
  int64_t linked_data_bss_bytes = 0;// beside the arena
  int64_t stack_bytes = 0;          // bound from the compiler's per-function figures
  bool passed() const { return images > 0 && mismatches == 0 && planned_arena_bytes == compiled_arena_bytes; }
};

// Builds the package in a temporary folder with -Wall -Wextra -Werror, runs it on `inputs` and compares with the
// interpreter. Throws Error(kVerification) when a compiler rejects the package; mismatches are in the report.
VerifyReport verify_package(const std::filesystem::path& directory, const Int8Model& model,
                            const std::vector<std::vector<int8_t>>& inputs, const VerifyOptions& options);

}  // namespace tinynas
