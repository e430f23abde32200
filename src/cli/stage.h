// Stages of a run: what each reads, writes and depends on, so that finished ones are never repeated.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/run.h"

namespace tinynas {

struct Stage {
  std::string name;
  std::string doc;                       // one line: what it does
  std::vector<std::string> config_keys;  // options, or whole sections, that its result depends on
  std::vector<std::string> inputs;       // files of earlier stages that it reads
  std::vector<std::string> outputs;      // files or folders that it leaves
  std::function<nlohmann::json(Run&)>
      run;  // returns its summary; may throw Error(kInterrupted) with its state kept
};

// Of the values of the options `keys` (or whole sections) in `config`: equal for equal values, whoever set
// them.
std::string config_hash(const Config& config, const std::vector<std::string>& keys);

// Runs the stages in order. A stage that is finished, whose inputs are what they were and whose outputs are
// intact is skipped. Throws Error(kUsage) naming the option when one that a finished stage depends on was
// changed. An interruption or error leaves every finished stage finished.
void run_stages(Run& run, const std::vector<Stage>& stages);

// One stage by name: the stages before it must be finished. A finished one is repeated when its options
// changed or `again` is set; what came after it is then stale and forgotten. Throws Error(kUsage) otherwise
// as run_stages.
void run_one_stage(Run& run, const std::vector<Stage>& stages, const std::string& name, bool again);

}  // namespace tinynas
