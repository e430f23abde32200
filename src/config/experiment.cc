#include "config/experiment.h"

#include "base/error.h"
#include "base/files.h"

namespace tinynas {
namespace {

const std::string kEffortOrigin = "effort ";

void apply_own_sources(Config& config, const ExperimentSources& sources) {
  if (sources.config_file) config.apply_yaml_file(*sources.config_file);
  for (const std::string& assignment : sources.assignments) config.set_assignment(assignment, "--set");
  for (const GivenFlag& flag : sources.flags) config.set(flag.key, flag.text, flag.flag);
}

}  // namespace

Config resolve_experiment(const ExperimentSources& sources) {
  Config config(experiment_schema());
  if (sources.previous) {
    config.apply_yaml_file(*sources.previous);
    apply_own_sources(config, sources);
    return config;
  }
  // A first pass over the person's own sources finds the effort, whose preset then goes below them.
  apply_own_sources(config, sources);
  const std::string effort = config.text("effort");
  const std::filesystem::path preset = sources.efforts_directory / (effort + ".yaml");

  Config resolved(experiment_schema());
  resolved.apply_yaml(read_file(preset), kEffortOrigin + effort + ", " + preset.string());
  apply_own_sources(resolved, sources);
  return resolved;
}

bool set_by_effort(const Config& config, const std::string& key) {
  return config.origin(key).starts_with(kEffortOrigin);
}

}  // namespace tinynas
