#include "cli/experiment_flags.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "base/progress.h"
#include "cli/paths.h"

namespace tinynas {
namespace {

struct FlagOfKey {
  const char* flag;
  const char* key;
  const char* value;
  const char* doc;
};

constexpr const char* kBudgets = "Budgets";

void add_flag(CLI::App& app, std::vector<GivenFlag>& given, const FlagOfKey& flag, const std::string& group) {
  app.add_option_function<std::string>(
         flag.flag,
         [&given, flag](const std::string& text) {
           given.push_back({flag.flag, flag.key, text});
         },
         flag.doc)
      ->type_name(flag.value)
      ->group(group);
}

bool is_fetched_set(const std::string& data) {
  return data == "cifar10" || data == "mnist" || data == "fashion-mnist";
}

// A name of a data set, an image folder (train/<class>/*), or the folder that the downloaded sets lie in.
void add_data(std::vector<GivenFlag>& given, const std::string& data) {
  if (is_fetched_set(data)) {
    given.push_back({"--data", "data.name", data});
    return;
  }
  if (std::filesystem::is_directory(std::filesystem::path(data) / "train")) {
    given.push_back({"--data", "data.name", "folder"});
  }
  given.push_back({"--data", "data.root", data});
}

}  // namespace

void ExperimentFlags::add_all(CLI::App& app) {
  static const FlagOfKey chip[] = {
      {"--sram", "limits.sram", "BYTES", "SRAM for the model: 320k, 64k (k = 1024 bytes)"},
      {"--flash", "limits.flash", "BYTES", "Flash for the model: 1M, 256k"},
      {"--board", "board", "NAME", "chip of `tinynas boards`: its memory, reserve, latency and energy"},
      {"--boards", "boards", "A,B,C",
       "several chips: one supernet, and a winner, a package and a report for each"},
      {"--max-macs", "limits.macs", "COUNT",
       "multiply-accumulates of one inference: 60M; none lifts the preset's cap"},
      {"--max-latency", "limits.latency", "TIME", "modelled latency: 200ms (needs --board)"},
      {"--max-energy", "limits.energy", "ENERGY", "modelled energy: 30mJ (needs --board)"},
      {"--runtime", "runtime", "NAME", "runtime that the limits are about: tinynas"},
      {"--schedule", "schedule", "NAME",
       "layer, stream (row by row), or auto, the default: stream where the SRAM limit asks for it"},
      {"--input", "input", "KIND",
       "resident (in the arena, the default), rows (they arrive once) or reread (fetched again at will)"},
      {"--max-extra-macs", "max_extra_macs", "PART",
       "MACs that streaming may compute again to need less SRAM: 0.2 = 20 % (default: 0)"}};
  static const FlagOfKey budgets[] = {
      {"--effort", "effort", "NAME",
       "preset: smoke (90 s), quick (20 min, the default), standard (hours), full (the papers')"},
      {"--method", "method", "NAME", "evolution"},
      {"--seed", "seed", "N", "two runs with one seed are identical"}};
  for (const FlagOfKey& flag : chip) add_flag(app, given, flag, "Limits");
  app.add_flag_callback(
         "--accept-uncalibrated",
         [this] {
           given.push_back({"--accept-uncalibrated", "limits.accept_uncalibrated", "true"});
         },
         "let --max-latency and --max-energy bind on an uncalibrated model (`tinynas boards`)")
      ->group("Limits");
  app.add_flag_callback(
         "--pareto",
         [this] {
           given.push_back({"--pareto", "search.pareto", "true"});
         },
         "the front of accuracy, SRAM, Flash, MACs and latency in one search (NSGA-II); the most accurate is "
         "built")
      ->group(kBudgets);
  app.add_option("--config", config_file, "experiment file (configs/*.yaml); unknown keys are errors")
      ->type_name("FILE")
      ->group(kBudgets);
  app.add_option("--data", data,
                 "cifar10, mnist, fashion-mnist, an image folder with train/<class>/, or where the sets lie")
      ->type_name("NAME|DIR")
      ->group(kBudgets);
  for (const FlagOfKey& flag : budgets) add_flag(app, given, flag, kBudgets);
  add_for_run(app);
}

void ExperimentFlags::add_for_run(CLI::App& app) {
  static const FlagOfKey machine[] = {
      {"--workers", "workers", "N", "threads; results do not depend on it (default: one per core)"},
      {"--device", "device", "NAME", "cpu or cuda"}};
  for (const FlagOfKey& flag : machine) add_flag(app, given, flag, kBudgets);
  app.add_option("--set", assignments, "any option by its key: --set train.steps=500 (repeatable)")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false)
      ->group(kBudgets);
}

ExperimentSources ExperimentFlags::sources(const std::optional<std::filesystem::path>& previous) const {
  ExperimentSources sources;
  sources.efforts_directory = home_directory() / "configs" / "efforts";
  if (previous) sources.previous = *previous / "config.resolved.yaml";
  // A fetched set comes with an experiment of its own (no flips for digits) where none is named.
  const std::filesystem::path of_data = home_directory() / "configs" / (data + ".yaml");
  if (!config_file.empty()) {
    sources.config_file = config_file;
  } else if (!previous && is_fetched_set(data) && std::filesystem::exists(of_data)) {
    sources.config_file = of_data;
  }
  sources.assignments = assignments;
  sources.flags = given;
  if (!data.empty()) add_data(sources.flags, data);
  return sources;
}

std::string refuse_negative(const std::string& text) {
  return text.starts_with('-') ? "'" + text + "': expected a whole number, 0 or more" : std::string();
}

std::string refuse_no_share(const std::string& text) {
  constexpr double kMost = 10;
  double share = -1;
  const bool is_number = CLI::detail::lexical_cast(text, share);
  if (is_number && share >= 0 && share <= kMost) return {};
  return "'" + text + "': expected a number from 0 to 10 (0.2 = 20 %)";
}

void OutputFlags::add(CLI::App& app) {
  app.add_flag("--json", json, "machine-readable result on standard output")->group("Output");
  app.add_flag("--quiet", quiet, "no progress, no log; warnings and errors only")->group("Output");
}

void OutputFlags::apply() const {
  Progress::set_enabled(!quiet);
  spdlog::set_level(quiet ? spdlog::level::warn : spdlog::level::info);
}

}  // namespace tinynas
