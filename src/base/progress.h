// Progress of long work on standard error: a bar with ETA on a terminal, plain lines otherwise.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace tinynas {

class Progress {
 public:
  // `total` steps of work called `label` ("train"). `done_before` steps were done by an earlier, interrupted run: they
  // count towards the bar and not towards the speed that the ETA is computed from.
  Progress(std::string label, int64_t total, int64_t done_before = 0);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // `note` stands after the ETA, for example "loss 1.42".
  void update(int64_t done, const std::string& note = "");
  // Prints the final state; called by the destructor when it was not called before.
  void finish();

  // Turns all progress output off (--quiet) or on.
  static void set_enabled(bool enabled);

 private:
  void print(bool final);

  std::string label_;
  std::string note_;
  int64_t total_;
  int64_t done_before_;
  int64_t done_;
  bool terminal_;
  bool finished_ = false;
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point last_print_;
};

}  // namespace tinynas
