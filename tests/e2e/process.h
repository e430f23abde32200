// Runs the tinynas executable as a person would, Ctrl-C included.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace tinynas {

struct Outcome {
  int code = -1;     // exit code; -signal when a signal ended it
  std::string out;   // standard output
  std::string log;   // standard error
  double cpu_s = 0;  // user + system time, all threads
};

struct ProcessOptions {
  // Asked every few milliseconds; SIGINT is sent once when it first returns true.
  std::function<bool()> interrupt_when;
  // Largest file that may be written, as on a full disk (writes beyond it fail); 0 = no bound.
  int64_t max_file_bytes = 0;
};

// Runs TINYNAS_BINARY with these arguments and waits for it.
Outcome run_tinynas(const std::vector<std::string>& arguments, const std::filesystem::path& scratch,
                    const ProcessOptions& options = {});

}  // namespace tinynas
