#include <fmt/format.h>

#include <iostream>
#include <memory>

#include "cli/commands.h"
#include "cli/experiment_flags.h"
#include "cli/paths.h"
#include "space/architecture.h"
#include "space/space_file.h"

namespace tinynas {
namespace {

template <typename T>
std::string range(const std::vector<T>& grid) {
  return grid.size() == 1 ? fmt::format("{}", grid.front())
                          : fmt::format("{}..{}", grid.front(), grid.back());
}

void spaces(const OutputFlags& output) {
  output.apply();
  nlohmann::json list = nlohmann::json::array();
  std::string table = fmt::format("{:<14} {:>7} {:>12} {:>12} {:>11}\n", "space", "stages", "widths",
                                  "resolutions", "sub-spaces");
  for (const auto& file : list_configs("spaces")) {
    const SearchSpace space = load_space(file);
    list.push_back(to_json(space));
    table += fmt::format("{:<14} {:>7} {:>12} {:>12} {:>11}\n", space.name, space.stages.size(),
                         range(space.widths), range(space.resolutions),
                         space.widths.size() * space.resolutions.size());
  }
  std::cout << (output.json ? list.dump(1) + "\n" : table) << std::flush;
}

}  // namespace

void add_spaces_command(CLI::App& app, Action& action) {
  const auto output = std::make_shared<OutputFlags>();
  CLI::App* command =
      app.add_subcommand("spaces", "Search spaces that --set space=NAME knows (configs/spaces)");
  command->footer("Example:\n  tinynas spaces");
  output->add(*command);
  command->callback([&action, output] { action = [output] { spaces(*output); }; });
}

}  // namespace tinynas
