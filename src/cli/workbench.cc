#include "cli/workbench.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <sstream>

#include "base/error.h"
#include "base/files.h"
#include "base/json_text.h"
#include "cli/options.h"
#include "cli/paths.h"
#include "cost_models/board.h"
#include "space/redistribution.h"
#include "space/space_file.h"

namespace tinynas {
namespace {

// Images up to this side get the space with few strides.
constexpr int kLargestSmallImage = 48;

}  // namespace

Board board_by_name(const std::string& name, const std::string& what) {
  return load_board(find_config("boards", name, what), load_measurements(measurements_directory()));
}

nlohmann::json read_json_file(const std::filesystem::path& path) {
  return parse_json(read_file(path), path.string());
}

void write_json_file(const std::filesystem::path& path, const nlohmann::json& json) {
  write_file_atomic(path, json.dump(1) + "\n");
}

Workbench::Workbench(const Config& config) : config_(config) {
  if (const auto name = config.optional_text("board"))
    board_ = board_by_name(*name, config.origin("board") + ": board");
  for (const std::string& name : board_names(config))
    boards_.push_back(board_by_name(name, config.origin("boards") + ": boards"));
}

CostOptions Workbench::cost_options(const Board* board) const {
  CostOptions options;
  options.plan = plan_options(config_, board);
  options.board = board;
  options.sram_limit_bytes = limits_of(config_, board).sram_bytes;
  return options;
}

Limits Workbench::limits() const { return limits_of(config_, board()); }

const Dataset& Workbench::dataset() {
  if (!dataset_) {
    dataset_ = load_dataset(dataset_options(config_));
    const Dataset& set = *dataset_;
    spdlog::info("   data: {}, {} classes, {}x{}x{}; {} training, {} validation, {} test images", set.name,
                 set.class_names.size(), set.train.height, set.train.width, set.train.channels,
                 set.train.size(), set.val.size(), set.test.size());
  }
  return *dataset_;
}

const ImageSet& Workbench::resampled(const std::string& part, const ImageSet& set, int resolution) {
  if (set.height == resolution && set.width == resolution) return set;
  const auto key = std::pair(part, resolution);
  const auto found = resampled_.find(key);
  if (found != resampled_.end()) return found->second;
  return resampled_.emplace(key, resample(set, resolution)).first->second;
}

const ImageSet& Workbench::train(int resolution) { return resampled("train", dataset().train, resolution); }
const ImageSet& Workbench::val(int resolution) { return resampled("val", dataset().val, resolution); }
const ImageSet& Workbench::test(int resolution) { return resampled("test", dataset().test, resolution); }

SearchSpace Workbench::configured_space() {
  std::string name = config_.text("space");
  if (name == "auto") name = dataset().train.height <= kLargestSmallImage ? "mbconv-32" : "mbconv";
  SearchSpace space = load_space(find_config("spaces", name, config_.origin("space") + ": space"));
  if (space.columns > 0) {
    throw usage_error(config_.origin("space") + ": space: got '" + name + "', which is for spectrograms of " +
                      std::to_string(space.columns) +
                      " columns; the data set holds images, which are resampled to R x R: expected a space "
                      "without `columns`");
  }
  space.input_channels = dataset().train.channels;
  if (config_.flag("redistribute")) space = redistributed(space);
  return space;
}

Constraint Workbench::constraint(const SearchSpace& space, int num_classes) const {
  return Constraint(space, num_classes, limits(), cost_options());
}

std::vector<Constraint> Workbench::constraints(const SearchSpace& space, int num_classes) const {
  if (boards_.empty()) return {constraint(space, num_classes)};
  std::vector<Constraint> all;
  for (const Board& board : boards_) {
    all.emplace_back(space, num_classes, limits_of(config_, &board), cost_options(&board));
  }
  return all;
}

std::vector<std::string> board_names(const Config& config) {
  std::vector<std::string> names;
  const std::optional<std::string> list = config.optional_text("boards");
  if (!list) return names;
  std::istringstream parts(*list + ",");
  for (std::string part; std::getline(parts, part, ',');) {
    const size_t first = part.find_first_not_of(' ');
    const std::string name =
        first == std::string::npos ? "" : part.substr(first, part.find_last_not_of(' ') - first + 1);
    if (name.empty() || std::find(names.begin(), names.end(), name) != names.end()) {
      throw usage_error(config.origin("boards") + ": boards: got '" + *list +
                        "', expected different names, comma-separated (`tinynas boards` lists them)");
    }
    names.push_back(name);
  }
  return names;
}

Config config_of_board(const Config& config, const std::string& board) {
  Config one = config;
  const std::string origin = config.origin("boards");
  one.set("boards", "none", origin);
  one.set("board", board, origin);
  return one;
}

std::filesystem::path trials_path(const Run& run) {
  return run.path(run.config().optional_text("search.trials").value_or("trials.db"));
}

void remove_work_of_other_weights(const Run& run) {
  for (const char* stale : {"finetune.state", "comparison.state", "comparison.partial.json"}) {
    std::filesystem::remove(run.path(stale));
  }
}

ChosenSpace load_chosen_space(const Run& run) {
  const std::filesystem::path path = run.path("space.json");
  const nlohmann::json json = read_json_file(path);
  try {
    const nlohmann::json& chosen = json.at("chosen");
    return {space_from_json(json.at("space"), path.string() + ": space"),
            {chosen.at("width").get<double>(), chosen.at("resolution").get<int>()},
            json.at("num_classes").get<int>()};
  } catch (const nlohmann::json::exception& error) {
    throw usage_error(path.string() + ": not what the space stage writes: " + error.what());
  }
}

ArchitectureFile load_architecture(const Run& run) {
  const std::filesystem::path path = run.path("arch.json");
  return architecture_from_json(read_json_file(path), path.string());
}

}  // namespace tinynas
