// The options of a tinynas experiment and the order in which they are resolved.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"

namespace tinynas {

// Every option of `tinynas search`, documented. The one list: files, --set, flags and config.resolved.yaml
// use it.
const Schema& experiment_schema();

// One dedicated flag that was given, such as {"--sram", "limits.sram", "320k"}.
struct GivenFlag {
  std::string flag;
  std::string key;
  std::string text;
};

struct ExperimentSources {
  std::filesystem::path efforts_directory;           // <effort>.yaml, the presets
  std::optional<std::filesystem::path> previous;     // config.resolved.yaml of the run that goes on
  std::optional<std::filesystem::path> config_file;  // --config
  std::vector<std::string> assignments;              // --set a.b=c
  std::vector<GivenFlag> flags;
};

// Effort preset < config file < --set < dedicated flags. A run that goes on starts from its own resolved
// configuration instead of a preset. The effort itself comes from the strongest source that names one.
// Throws Error(kUsage) naming file:line or flag, the key, what was got and what is expected.
Config resolve_experiment(const ExperimentSources& sources);

// True when the value was set by the effort preset: a report names such caps and how to override them.
bool set_by_effort(const Config& config, const std::string& key);

}  // namespace tinynas
