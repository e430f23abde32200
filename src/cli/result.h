// result.json: what a run came to, in one object; the terminal report prints it.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/run.h"
#include "cli/workbench.h"

namespace tinynas {

// Accuracies on the test part, top-1 in [0,1].
struct TestAccuracy {
  double fp32 = 0;
  double int8 = 0;
  int64_t images = 0;
};

// The items of result.json, in bytes, with their "total".
nlohmann::json result_json(const SramCost& sram);
nlohmann::json result_json(const FlashCost& flash);

// From the summaries of the run's finished stages. Keys: design.md, section 6, and more; bytes, MACs, ms, mJ,
// fractions.
nlohmann::json make_result(Workbench& bench, const Run& run, const TestAccuracy& test, double report_wall_s);

// The report for people. `colour` adds ANSI colours; otherwise plain ASCII.
std::string render_result(const nlohmann::json& result, bool colour);

// The same of a result.json. Throws Error(kData) naming the file, what is missing and what to do, where
// another version of tinynas wrote it.
std::string result_text(const std::filesystem::path& file, bool colour);

// "0.1.0 (commit)", as built.
std::string version_text();
std::string git_commit();

}  // namespace tinynas
