// The C99 package that the firmware team gets.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "cost_models/costs.h"
#include "quantize/int8_model.h"

namespace tinynas {

// What is known of the training, for model_card.md and report.json.
struct ModelFacts {
  // By tinynas: 8-bit pixels go in as pixel - 128, and logits of classes come out. Of an imported model
  // neither is known, and the package says so.
  bool trained_here = false;
  std::vector<std::pair<std::string, std::string>> rows;  // {"Data set", "CIFAR-10, 45,000 training images"}
  std::string data_licence;                               // a sentence for LICENSES
};

struct ExportOptions {
  std::string name = "model";  // C identifier: prefix of files and symbols
  PlanOptions plan;
  ModelFacts facts;
  // Path in the package -> content: files that other rooms make, such as model.tflite.
  std::map<std::string, std::string> extra_files;
  int golden_vectors = 8;  // images whose input and expected output travel in the package; at least 1
  // Throws Error(kUsage) when the name is no C identifier of 1 to 64 characters or is reserved, or the
  // alignment is not 1, 2, 4 or 8 (what a C99 type can promise).
  void check() const;
};

// Writes `directory` (created; an existing package there is replaced only when the new one is complete, and
// anything else that stands there is refused). The same model, inputs and options give the same bytes.
// `golden_inputs`: int8 NHWC images, at least one; the first `golden_vectors` are taken and their outputs are
// computed by the interpreter. Throws Error(kUsage) for bad options or a model that the kernels cannot run,
// Error(kFailure) when a file cannot be written; the old package is then untouched.
void export_package(const Int8Model& model, const std::vector<std::vector<int8_t>>& golden_inputs,
                    const std::filesystem::path& directory, const ExportOptions& options);

// Layers of the variants dsp and mve that cannot take the fast requantisation (plain, runtime/tn_dsp.h): they
// alone get a slower form of their kernel.
struct GeneralLayers {
  std::vector<std::string>
      reasons;  // "operator 'expand': output channel 3 is shifted by 1, plain takes -22 to -1"
  std::vector<Kernel>
      linked_twice;  // kernels that other layers have in the fast form: CostOptions::linked_twice
};
// For the package that `options` would make of the model. Throws as export_package() does.
GeneralLayers general_layers(const Int8Model& model, const PlanOptions& options);

struct VerifyOptions {
  std::string host_compiler = "cc";                // GCC or Clang
  std::string arm_compiler = "arm-none-eabi-gcc";  // skipped, and said so, when it is not installed
  std::string arm_cpu = "cortex-m4";               // for -mcpu; instructions are Thumb
};

// What verification found. Every figure comes from compilers and programs that were run.
struct VerifyReport {
  int64_t images = 0;      // compared bit for bit against the interpreter
  int64_t mismatches = 0;  // images with at least one differing byte
  int64_t planned_arena_bytes = 0;
  int64_t compiled_arena_bytes = 0;  // sizeof the arena as the compiler sees it
  bool arm_compiled = false;
  std::string arm_note;  // compiler version and flags, or why it was skipped
  // The next four come from the arm compiler, or from the host's when that is not installed: -O2, sections of
  // their own,
  // --gc-sections.
  int64_t linked_code_bytes = 0;      // all that goes to Flash but weights and tables
  int64_t linked_rodata_bytes = 0;    // weights and tables
  int64_t linked_data_bss_bytes = 0;  // beside the arena
  int64_t stack_bytes = 0;            // bound from the compiler's per-function figures, without interrupts
  bool passed() const { return images > 0 && mismatches == 0 && planned_arena_bytes == compiled_arena_bytes; }
};

// Builds the package in a temporary folder with -Wall -Wextra -Werror, runs it on `inputs` and compares with
// the interpreter. Throws Error(kVerification) when a file is not what was exported (by the manifest's
// hashes), the host compiler is missing, a compiler rejects the package, or it writes outside its arena;
// mismatches are in the report.
VerifyReport verify_package(const std::filesystem::path& directory, const Int8Model& model,
                            const std::vector<std::vector<int8_t>>& inputs, const VerifyOptions& options);

nlohmann::json to_json(const VerifyReport& report);

}  // namespace tinynas
