// Runs other programs (compilers, the harness) without a shell: arguments arrive as they are, spaces and all.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace tinynas {

struct ProcessResult {
  int exit_code = 0;   // 128 + signal number when a signal ended it
  std::string output;  // standard output and standard error together
};

// Runs `arguments[0]` (looked up on PATH) in the C locale and waits for it. Nothing when there is no such
// program. Throws Error(kFailure) when the system cannot start processes.
std::optional<ProcessResult> run_process(const std::vector<std::string>& arguments);

}  // namespace tinynas
