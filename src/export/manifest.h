// What a package says about itself (report.json, MANIFEST.sha256), read back and checked: it comes from
// outside.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "cost_models/memory_plan.h"

namespace tinynas {

struct PackageManifest {
  std::string name;  // prefix of files and symbols
  PlanOptions plan;  // what it was planned with
  int64_t input_bytes = 0;
  int64_t output_bytes = 0;
  int64_t arena_bytes = 0;          // the plan's
  int64_t stack_bytes_at_most = 0;  // bound on any Cortex-M
  int64_t golden_count = 0;
};

// Whether `folder` is a package, or what is left of one: what is missing is then read_manifest's to say.
bool is_package(const std::filesystem::path& folder);

// Throws Error(kVerification) naming the file when `package` is no package, its format is another one, a
// value is not possible, or a file is missing or not the one that was exported (by its hash).
PackageManifest read_manifest(const std::filesystem::path& package);

}  // namespace tinynas
