// metrics.jsonl: one JSON object a line, one line an epoch, a generation or another event of a run.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

namespace tinynas {

// Appends and flushes line by line, so that an interrupted run keeps every line. A default-constructed log drops them.
class MetricsLog {
 public:
  MetricsLog() = default;
  explicit MetricsLog(std::filesystem::path path) : path_(std::move(path)) {}

  // `event` must be an object; "event" says what it is ("epoch", "generation", "stage").
  // Throws Error(kFailure) naming the file when the line cannot be written (a full disk).
  void write(const nlohmann::json& event);

 private:
  std::filesystem::path path_;
};

}  // namespace tinynas
