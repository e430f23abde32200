// The flags that describe an experiment, shared by `search` and the stage commands.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "config/experiment.h"

namespace tinynas {

// Filled by CLI11 while it parses; must outlive parsing.
struct ExperimentFlags {
  std::vector<GivenFlag> given;
  std::vector<std::string> assignments;
  std::string config_file;
  std::string data;

  // --sram, --flash, ...: everything about the experiment.
  void add_all(CLI::App& app);
  // --workers, --device and --set: what a stage command on an existing run takes.
  void add_for_run(CLI::App& app);

  // Sources of the configuration; `previous` is the directory of a run that goes on.
  ExperimentSources sources(const std::optional<std::filesystem::path>& previous) const;
};

// An option whose empty text is given, and not absent as CLI11 would have it for an optional: whoever reads
// it says what was expected. `text` must outlive parsing.
inline CLI::Option* add_text(CLI::App& app, const std::string& name, std::optional<std::string>& text,
                             const std::string& doc) {
  return app.add_option_function<std::string>(
      name, [&text](const std::string& given) { text = given; }, doc);
}

// Refuses a sign: CLI11 would read -1 as 2^64 - 1.
std::string refuse_negative(const std::string& text);
// The same for a part of all MACs: a number from 0 to 10, where 0.2 is 20 %.
std::string refuse_no_share(const std::string& text);

// Output of a command.
struct OutputFlags {
  bool json = false;
  bool quiet = false;
  void add(CLI::App& app);
  // Logging and progress as asked for: everything but results goes to standard error.
  void apply() const;
};

}  // namespace tinynas
