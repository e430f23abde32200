// A C compiler and what it says about a package: compiled, linked and measured. Verification's view of the
// outside.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "export/process.h"

namespace tinynas {

// A folder under the system's temporary one, removed with everything in it at the end of its life.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// src/*.c and src/kernels/*.c of a package, sorted.
std::vector<std::filesystem::path> package_sources(const std::filesystem::path& package);

// C99 with every warning an error: what a package must survive with any compiler.
const std::vector<std::string>& strict_c99_flags();

// Runs a compiler; throws Error(kVerification) with its messages when it is missing or fails.
std::string run_compiler(const std::vector<std::string>& arguments, const std::string& purpose);

// Of our -mcpu names: "-mcpu=cortex-m55 -mthumb -mfloat-abi=hard" (without the last, gcc has no vector
// instructions there), the others with soft floats.
std::vector<std::string> core_flags(const std::string& core);

// The package's objects by the stem of their source ("model_weights"), as firmware would compile them, each
// with the compiler's stack figures beside it (.su). `work` must exist. Throws Error(kVerification) when one
// does not compile.
using Objects = std::map<std::string, std::filesystem::path>;
Objects compile_package(const std::string& compiler, const std::vector<std::string>& target_flags,
                        const std::filesystem::path& package, const std::filesystem::path& work);

// What the package costs once linked with --gc-sections into the smallest program that uses it.
struct LinkedSize {
  int64_t code_bytes = 0;            // Flash without weights and tables: code, constants, padding
  int64_t weights_tables_bytes = 0;  // the arrays of src/<name>_weights.c
  int64_t data_bss_bytes = 0;        // RAM beside the arena
  int64_t arena_bytes = 0;           // the symbol <name>_arena
  int64_t stack_bytes = 0;           // deepest chain of calls from <name>_run, bounded from above
};

// Reads a linked program; sections named .tn_* are not the package's. Throws Error(kVerification) when there
// is no arena in it, or a function's stack is not known when compiled.
LinkedSize linked_size(const std::string& compiler, const Objects& objects,
                       const std::filesystem::path& program, const std::string& name);

// `compiler` with `target_flags` ("-mcpu=cortex-m4", "-mthumb"); objects go to `work`, which must exist.
// Throws Error(kVerification) when something does not compile or link, or a function's stack is not known
// when compiled.
LinkedSize measure_linked(const std::string& compiler, const std::vector<std::string>& target_flags,
                          const std::filesystem::path& package, const std::string& name,
                          const std::filesystem::path& work);

}  // namespace tinynas
