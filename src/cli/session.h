// One command at work on one run directory.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "cli/run.h"
#include "cli/stage.h"
#include "cli/workbench.h"

namespace tinynas {

// Before a directory is made for it, the experiment must make sense. Throws Error(kUsage).
void check_makes_sense(const Config& config);

// --dry-run: the resolved configuration on standard output, as JSON or as commented YAML.
void print_config(const Config& config, bool json);

// Adds to an error that ends `work` what the person can do about it: how to go on after an interruption, that
// nothing is lost after a failure of the machine.
void with_advice(const Run& run, const std::function<void()>& work);

// The stored result on standard output: as JSON, or as the report for people.
void print_result(const Run& run, bool json);
// What `stage` reported, with its wall seconds: as JSON, or one line a figure.
void print_summary(const Run& run, const std::string& stage, bool json);

// Colours only on a terminal, and not where NO_COLOR is set.
bool stdout_has_colours();

}  // namespace tinynas
