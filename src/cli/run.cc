#include "cli/run.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/files.h"

namespace tinynas {

namespace fs = std::filesystem;

namespace {

constexpr const char* kStateFile = "state.json";
constexpr const char* kConfigFile = "config.resolved.yaml";
constexpr const char* kLockFile = ".lock";
constexpr const char* kFormat = "tinynas-state-1";

int lock_directory(const fs::path& directory) {
  const fs::path path = directory / kLockFile;
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (fd < 0) throw io_error(path.string() + ": cannot be created: " + std::strerror(errno));
  // The kernel drops the lock when the process ends, however it ends: there are no stale locks.
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    const bool busy = errno == EWOULDBLOCK;
    const std::string reason = std::strerror(errno);
    ::close(fd);
    if (busy) throw usage_error(directory.string() + ": another tinynas process is working on this run");
    throw io_error(path.string() + ": cannot be locked: " + reason);
  }
  return fd;
}

nlohmann::json to_json(const StageRecord& record) {
  return {{"inputs", record.inputs},
          {"outputs", record.outputs},
          {"config", record.config},
          {"wall_s", record.wall_s},
          {"summary", record.summary}};
}

StageRecord record_from_json(const nlohmann::json& json) {
  StageRecord record;
  json.at("inputs").get_to(record.inputs);
  json.at("outputs").get_to(record.outputs);
  json.at("config").get_to(record.config);
  json.at("wall_s").get_to(record.wall_s);
  record.summary = json.at("summary");
  return record;
}

}  // namespace

Run::Run(fs::path directory, Config config, int lock)
    : directory_(std::move(directory)),
      config_(std::move(config)),
      lock_(lock),
      metrics_(path("metrics.jsonl")) {}

Run::Run(Run&& other) noexcept
    : directory_(std::move(other.directory_)),
      config_(std::move(other.config_)),
      lock_(std::exchange(other.lock_, -1)),
      metrics_(std::move(other.metrics_)),
      records_(std::move(other.records_)),
      unfinished_s_(std::move(other.unfinished_s_)) {}

Run::~Run() {
  if (lock_ >= 0) ::close(lock_);
}

Run Run::create(const fs::path& directory, const Config& config) {
  if (is_run(directory)) {
    throw usage_error(directory.string() +
                      ": holds a run already; --resume goes on with it, another --out starts a new one");
  }
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) throw io_error(directory.string() + ": cannot be created: " + error.message());
  Run run(directory, config, lock_directory(directory));
  run.record_options();
  return run;
}

Run Run::open(const fs::path& directory, Config config) {
  if (!is_run(directory))
    throw usage_error(directory.string() + ": is not a run directory (no " + kStateFile + ")");
  const int lock = lock_directory(directory);
  Run run(directory, std::move(config), lock);
  const std::string where = run.path(kStateFile).string();
  try {
    const nlohmann::json state = nlohmann::json::parse(read_file(where));
    if (state.at("format") != kFormat) {
      throw usage_error(
          where + ": format is " + state.at("format").dump() + ", expected \"" + kFormat +
          "\": another version of tinynas made this run; go on with that one, or start a new run "
          "with another --out");
    }
    for (const auto& [stage, json] : state.at("stages").items()) run.records_[stage] = record_from_json(json);
    state.at("unfinished_s").get_to(run.unfinished_s_);
    for (const auto& [key, was] : state.at("origins").items()) {
      const bool known = run.config_.schema().find(key) != nullptr;
      if (known && run.config_.formatted(key) == was.at(0).get<std::string>()) {
        run.config_.set(key, was.at(0), was.at(1));
      }
    }
  } catch (const nlohmann::json::exception& error) {
    throw usage_error(where + ": damaged: " + error.what() + "; start a new run with another --out");
  }
  return run;
}

void Run::record_options() const {
  write_file_atomic(path(kConfigFile), config_.to_yaml());
  save_state();
}

const StageRecord* Run::record(const std::string& stage) const {
  const auto found = records_.find(stage);
  return found == records_.end() ? nullptr : &found->second;
}

std::map<std::string, std::string> Run::recorded_outputs(const std::string& name) const {
  std::map<std::string, std::string> found;
  for (const auto& [stage, record] : records_) {
    for (const auto& [file, hash] : record.outputs) {
      if (file == name || file.starts_with(name + "/")) found[file] = hash;
    }
  }
  return found;
}

void Run::finish(const std::string& stage, StageRecord record) {
  unfinished_s_.erase(stage);
  records_[stage] = std::move(record);
  save_state();
}

void Run::forget(const std::string& stage) {
  if (records_.erase(stage) > 0) save_state();
}

double Run::unfinished_seconds(const std::string& stage) const {
  const auto found = unfinished_s_.find(stage);
  return found == unfinished_s_.end() ? 0.0 : found->second;
}

void Run::add_unfinished_seconds(const std::string& stage, double seconds) {
  unfinished_s_[stage] += seconds;
  save_state();
}

void Run::save_state() const {
  nlohmann::json stages = nlohmann::json::object();
  for (const auto& [stage, record] : records_) stages[stage] = to_json(record);
  nlohmann::json origins = nlohmann::json::object();
  for (const OptionSpec& option : config_.schema().options()) {
    origins[option.key] = {config_.formatted(option.key), config_.origin(option.key)};
  }
  const nlohmann::json state = {
      {"format", kFormat}, {"stages", stages}, {"unfinished_s", unfinished_s_}, {"origins", origins}};
  write_file_atomic(path(kStateFile), state.dump(1) + "\n");
}

bool is_run(const fs::path& directory) { return fs::is_regular_file(directory / kStateFile); }

fs::path new_run_directory(const fs::path& parent, const std::string& stem) {
  fs::path directory = parent / stem;
  for (int n = 2; fs::exists(directory); ++n) directory = parent / (stem + "-" + std::to_string(n));
  return directory;
}

fs::path newest_run(const fs::path& parent) {
  fs::path newest;
  fs::file_time_type newest_time;
  if (fs::is_directory(parent)) {
    for (const auto& entry : fs::directory_iterator(parent)) {
      if (!is_run(entry.path())) continue;
      const auto time = fs::last_write_time(entry.path() / kStateFile);
      if (newest.empty() || time > newest_time) {
        newest = entry.path();
        newest_time = time;
      }
    }
  }
  if (newest.empty())
    throw usage_error("--resume: there is no run under " + parent.string() + "/; name one with --out");
  return newest;
}

std::vector<std::string> files_of(const fs::path& directory, const std::string& name) {
  if (fs::is_regular_file(directory / name)) return {name};
  std::vector<std::string> files;
  if (!fs::is_directory(directory / name)) return files;
  for (const auto& entry : fs::recursive_directory_iterator(directory / name)) {
    if (entry.is_regular_file()) files.push_back(fs::relative(entry.path(), directory).string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace tinynas
