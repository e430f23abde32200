// Errors that end a command, each with the exit code the command-line contract documents.
#pragma once

#include <stdexcept>
#include <string>

namespace tinynas {

// Documented in README.md ("Exit codes"); a stable contract.
enum class ExitCode : int {
  kDone = 0,
  kFailure = 1,       // the machine failed us: disk full, file not writable, out of memory, internal error
  kUsage = 2,         // bad usage or configuration
  kNothingFits = 3,   // no network in the space meets the limits
  kData = 4,          // bad or missing data
  kVerification = 5,  // the exported package does not compute what the interpreter computes
  kInterrupted = 130  // Ctrl-C; state kept, --resume goes on
};

// A message for a person: names the file, the key, what was got and what was expected.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

inline Error usage_error(const std::string& message) { return {ExitCode::kUsage, message}; }
inline Error data_error(const std::string& message) { return {ExitCode::kData, message}; }
inline Error io_error(const std::string& message) { return {ExitCode::kFailure, message}; }

}  // namespace tinynas
