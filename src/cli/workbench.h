// What the stages of one run share: data set, board, space and the files that earlier stages left. Loaded
// when first asked for.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "cli/run.h"
#include "config/config.h"
#include "cost_models/costs.h"
#include "data/dataset.h"
#include "search/constraint.h"
#include "space/architecture.h"

namespace tinynas {

// What the space stage decided: space.json.
struct ChosenSpace {
  SearchSpace space;
  SubSpace sub_space;
  int num_classes = 0;
};

class Workbench {
 public:
  // Keeps a reference to the configuration.
  explicit Workbench(const Config& config);

  const Config& config() const { return config_; }
  // nullptr without a board.
  const Board* board() const { return board_ ? &*board_ : nullptr; }
  // Of `boards`: those that this run's supernet serves; empty for a run of one chip.
  const std::vector<Board>& boards() const { return boards_; }
  // What candidates are judged by and may need at most, of the run's one chip.
  CostOptions cost_options() const { return cost_options(board()); }
  Limits limits() const;

  const Dataset& dataset();
  // Parts of the data set at the network's resolution. The test part is for the verify and report stages
  // alone.
  const ImageSet& train(int resolution);
  const ImageSet& val(int resolution);
  const ImageSet& test(int resolution);

  // The configured space ("auto": by the image size), with the data set's number of channels.
  SearchSpace configured_space();
  // Of a run of one chip.
  Constraint constraint(const SearchSpace& space, int num_classes) const;
  // What the supernet has to serve: one for each of boards(), or the one of a single chip.
  std::vector<Constraint> constraints(const SearchSpace& space, int num_classes) const;

 private:
  CostOptions cost_options(const Board* board) const;
  const ImageSet& resampled(const std::string& part, const ImageSet& set, int resolution);

  const Config& config_;
  std::optional<Board> board_;
  std::vector<Board> boards_;
  std::optional<Dataset> dataset_;
  std::map<std::pair<std::string, int>, ImageSet> resampled_;
};

// The names of `boards`, without spaces around; empty without the option. Throws Error(kUsage) where a name
// is empty or given twice.
std::vector<std::string> board_names(const Config& config);

// The configuration of a run of one chip: of `config`, which is for several, with `board` instead.
Config config_of_board(const Config& config, const std::string& board);

// trials.db, or what search.trials names.
std::filesystem::path trials_path(const Run& run);

// What an interrupted stage after `train` left: it was made from the weights that the run had before.
void remove_work_of_other_weights(const Run& run);

// Throws Error(kUsage) naming the file when it is not what the space stage writes.
ChosenSpace load_chosen_space(const Run& run);
// arch.json
ArchitectureFile load_architecture(const Run& run);

// The board of configs/boards with that name, or of that file.
Board board_by_name(const std::string& name, const std::string& what);

nlohmann::json read_json_file(const std::filesystem::path& path);
void write_json_file(const std::filesystem::path& path, const nlohmann::json& json);

}  // namespace tinynas
