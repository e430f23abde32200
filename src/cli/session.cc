#include "cli/session.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>

#include "base/error.h"
#include "cli/many_boards.h"
#include "cli/options.h"
#include "cli/result.h"

namespace tinynas {

void check_makes_sense(const Config& config) {
  if (!board_names(config).empty()) return check_boards(config);
  const Workbench bench(config);
  check_experiment(config, bench.board());
}

void print_config(const Config& config, bool json) {
  std::cout << (json ? config.to_json().dump(1) + "\n" : config.to_yaml()) << std::flush;
}

void with_advice(const Run& run, const std::function<void()>& work) {
  const std::string how_to_go_on = "go on with: tinynas search --resume --out " + run.directory().string();
  try {
    work();
  } catch (const Error& error) {
    if (error.code() == ExitCode::kInterrupted) {
      throw Error(error.code(),
                  "interrupted; the state is kept in " + run.directory().string() + "; " + how_to_go_on);
    }
    if (error.code() == ExitCode::kFailure) {
      throw Error(error.code(),
                  std::string(error.what()) + "\nNothing that was finished is lost; " + how_to_go_on);
    }
    throw;
  }
}

bool stdout_has_colours() {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return isatty(STDOUT_FILENO) == 1 && (no_color == nullptr || *no_color == '\0') && term != nullptr &&
         std::strcmp(term, "dumb") != 0;
}

void print_result(const Run& run, bool json) {
  const std::filesystem::path file = run.path("result.json");
  std::cout << (json ? read_json_file(file).dump(1) + "\n" : result_text(file, stdout_has_colours()))
            << std::flush;
}

void print_summary(const Run& run, const std::string& stage, bool json) {
  const StageRecord* record = run.record(stage);
  nlohmann::json summary = record->summary;
  summary["stage"] = stage;
  summary["directory"] = run.directory().string();
  summary["wall_s"] = record->wall_s;
  if (json) {
    std::cout << summary.dump(1) << std::endl;
    return;
  }
  for (const auto& [key, value] : summary.items()) {
    if (value.is_structured()) continue;  // tables are in the stage's own file
    std::cout << key << ": " << (value.is_string() ? value.get<std::string>() : value.dump()) << "\n";
  }
  std::cout << std::flush;
}

}  // namespace tinynas
