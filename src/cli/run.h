// A run directory: its configuration, and which stages are finished with what.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "config/config.h"

namespace tinynas {

// What state.json keeps of a finished stage.
struct StageRecord {
  std::string inputs;                          // fingerprint of the files it read
  std::map<std::string, std::string> outputs;  // file, relative to the run directory -> content hash
  std::map<std::string, std::string> config;   // option -> value it was run with
  double wall_s = 0;                           // all attempts together
  nlohmann::json summary;                      // what the stage reported, for result.json
};

// Holds an exclusive lock on the directory for as long as it lives: two processes never share a run.
class Run {
 public:
  // Makes the directory and writes config.resolved.yaml. Throws Error(kUsage) when a run is there already.
  static Run create(const std::filesystem::path& directory, const Config& config);
  // Opens a run with `config`, which must have been resolved from the run's own config.resolved.yaml; origins
  // of values that did not change are restored. Throws Error(kUsage) when the directory is no run or is in
  // use.
  static Run open(const std::filesystem::path& directory, Config config);
  // Writes the options of this process as the run's own; before, the files hold those of the run as it was.
  void record_options() const;
  ~Run();
  Run(Run&& other) noexcept;
  Run& operator=(Run&&) = delete;

  const std::filesystem::path& directory() const { return directory_; }
  std::filesystem::path path(const std::string& name) const { return directory_ / name; }
  const Config& config() const { return config_; }
  MetricsLog& metrics() { return metrics_; }

  // nullptr when the stage is not finished.
  const StageRecord* record(const std::string& stage) const;
  // Of all finished stages: the outputs that are `name` or lie in the folder `name`.
  std::map<std::string, std::string> recorded_outputs(const std::string& name) const;
  void finish(const std::string& stage, StageRecord record);
  void forget(const std::string& stage);
  // Seconds of attempts that did not finish.
  double unfinished_seconds(const std::string& stage) const;
  void add_unfinished_seconds(const std::string& stage, double seconds);

 private:
  Run(std::filesystem::path directory, Config config, int lock);
  void save_state() const;

  std::filesystem::path directory_;
  Config config_;
  int lock_ = -1;
  MetricsLog metrics_;
  std::map<std::string, StageRecord> records_;
  std::map<std::string, double> unfinished_s_;
};

// True for a directory that Run::create made.
bool is_run(const std::filesystem::path& directory);

// runs/<stem>, runs/<stem>-2, ...: the first that does not exist.
std::filesystem::path new_run_directory(const std::filesystem::path& parent, const std::string& stem);

// The run under `parent` whose state changed last. Throws Error(kUsage) when there is none.
std::filesystem::path newest_run(const std::filesystem::path& parent);

// Files under `directory`/`name`, which is a file or a folder, relative to `directory` and sorted.
std::vector<std::string> files_of(const std::filesystem::path& directory, const std::string& name);

}  // namespace tinynas
