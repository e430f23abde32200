#include "cli/stage.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>

#include "base/error.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "base/units.h"

namespace tinynas {
namespace {

std::map<std::string, std::string> config_values(const Config& config, const std::vector<std::string>& keys) {
  std::map<std::string, std::string> values;
  for (const OptionSpec& option : config.schema().options()) {
    const bool used = std::any_of(keys.begin(), keys.end(), [&](const std::string& key) {
      return option.key == key || option.key.starts_with(key + ".");
    });
    if (used) values[option.key] = config.formatted(option.key);
  }
  return values;
}

// From what the earlier stages recorded, which is what lies there: they were checked before.
std::string input_fingerprint(const Run& run, const Stage& stage) {
  Hasher hasher;
  for (const std::string& input : stage.inputs) {
    for (const auto& [file, hash] : run.recorded_outputs(input))
      hasher.add(file).add("=").add(hash).add("\n");
  }
  return hasher.hex();
}

// Files that came to an output folder later, such as what a firmware build leaves, do no harm.
bool outputs_intact(const Run& run, const StageRecord& record) {
  return std::all_of(record.outputs.begin(), record.outputs.end(), [&](const auto& output) {
    return std::filesystem::is_regular_file(run.path(output.first)) &&
           hash_file_hex(run.path(output.first)) == output.second;
  });
}

// Content hashes of the files that the stage left, folders file by file.
std::map<std::string, std::string> hash_outputs(const Run& run, const Stage& stage) {
  std::map<std::string, std::string> hashes;
  for (const std::string& output : stage.outputs) {
    const std::vector<std::string> files = files_of(run.directory(), output);
    if (files.empty()) throw std::logic_error("stage " + stage.name + " left no " + output);
    for (const std::string& file : files) hashes[file] = hash_file_hex(run.path(file));
  }
  return hashes;
}

// The first option whose value is not the one that the finished stage was run with; "" when there is none.
std::string changed_option(const Run& run, const Stage& stage, const StageRecord& record) {
  for (const auto& [key, value] : config_values(run.config(), stage.config_keys)) {
    const auto was = record.config.find(key);
    if (was == record.config.end() || was->second != value) return key;
  }
  return "";
}

void refuse_changed_options(const Run& run, const Stage& stage) {
  const StageRecord* record = run.record(stage.name);
  if (record == nullptr) return;
  const std::string key = changed_option(run, stage, *record);
  if (key.empty()) return;
  const auto was = record->config.find(key);
  if (was == record->config.end()) {
    throw usage_error(run.directory().string() + ": stage '" + stage.name +
                      "' was finished by a version of tinynas " + "that did not have " + key + " (now " +
                      run.config().formatted(key) + "); repeat it and what follows: tinynas " + stage.name +
                      " " + run.directory().string() + " --again");
  }
  throw usage_error(run.config().origin(key) + ": " + key + " is " + run.config().formatted(key) +
                    ", but stage '" + stage.name + "' of " + run.directory().string() +
                    " was finished with " + was->second +
                    "; start a new run with another --out, or leave the option as it was");
}

bool is_current(const Run& run, const Stage& stage) {
  const StageRecord* record = run.record(stage.name);
  if (record == nullptr) return false;
  if (record->inputs == input_fingerprint(run, stage) && outputs_intact(run, *record)) return true;
  spdlog::warn("{}: files in {} are not what the stage left or read; it runs again", stage.name,
               run.directory().string());
  return false;
}

void run_stage(Run& run, const Stage& stage) {
  check_interrupt();
  spdlog::info("== {}: {}", stage.name, stage.doc);
  run.forget(stage.name);
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed_s = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  StageRecord record;
  try {
    record.inputs = input_fingerprint(run, stage);
    record.config = config_values(run.config(), stage.config_keys);
    record.summary = stage.run(run);
  } catch (const Error& error) {
    if (error.code() == ExitCode::kInterrupted) run.add_unfinished_seconds(stage.name, elapsed_s());
    throw;
  }
  record.outputs = hash_outputs(run, stage);
  record.wall_s = run.unfinished_seconds(stage.name) + elapsed_s();
  run.metrics().write({{"event", "stage"}, {"stage", stage.name}, {"wall_s", record.wall_s}});
  spdlog::info("   {} done in {}", stage.name, format_seconds(record.wall_s));
  run.finish(stage.name, std::move(record));
}

}  // namespace

std::string config_hash(const Config& config, const std::vector<std::string>& keys) {
  Hasher hasher;
  for (const auto& [key, value] : config_values(config, keys)) hasher.add(key).add("=").add(value).add("\n");
  return hasher.hex();
}

void run_stages(Run& run, const std::vector<Stage>& stages) {
  for (const Stage& stage : stages) refuse_changed_options(run, stage);
  run.record_options();  // only now: a refused change must not be what the run is said to have been made with
  for (const Stage& stage : stages) {
    if (is_current(run, stage)) {
      spdlog::info("== {}: finished before, in {}", stage.name,
                   format_seconds(run.record(stage.name)->wall_s));
    } else {
      run_stage(run, stage);
    }
  }
}

void run_one_stage(Run& run, const std::vector<Stage>& stages, const std::string& name, bool again) {
  const auto wanted =
      std::find_if(stages.begin(), stages.end(), [&](const Stage& stage) { return stage.name == name; });
  if (wanted == stages.end()) throw usage_error("this build of tinynas has no stage '" + name + "'");
  for (auto stage = stages.begin(); stage != wanted; ++stage) {
    refuse_changed_options(run, *stage);
    if (!is_current(run, *stage)) {
      throw usage_error(run.directory().string() + ": stage '" + name + "' needs '" + stage->name +
                        "' first: tinynas " + stage->name + " " + run.directory().string());
    }
  }
  const StageRecord* record = run.record(name);
  if (record != nullptr && !again && changed_option(run, *wanted, *record).empty() &&
      is_current(run, *wanted)) {
    spdlog::info("== {}: finished before, in {}; --again repeats it", name, format_seconds(record->wall_s));
    return;
  }
  run.record_options();
  for (auto later = wanted; later != stages.end(); ++later) run.forget(later->name);
  run_stage(run, *wanted);
}

}  // namespace tinynas
