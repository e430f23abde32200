// configs/boards/*.yaml.
#include "cost_models/board.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cmath>

#include "base/closest.h"
#include "base/error.h"
#include "base/units.h"

namespace tinynas {
namespace {

const std::vector<std::string> kKeys = {"name",
                                        "core",
                                        "sram",
                                        "flash",
                                        "sram_reserve",
                                        "flash_reserve",
                                        "clock",
                                        "active_power_mw",
                                        "cycles_per_unit",
                                        "latency_source"};
const std::vector<std::string> kUnitKeys = {"conv2d",
                                            "conv2d_output",
                                            "conv2d_1x1",
                                            "conv2d_1x1_output",
                                            "depthwise_conv2d",
                                            "depthwise_conv2d_output",
                                            "depthwise_conv2d_in_place",
                                            "depthwise_conv2d_in_place_output",
                                            "fully_connected",
                                            "fully_connected_output",
                                            "add",
                                            "global_avg_pool"};

std::string list_of(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

// A mapping of a YAML file whose errors name the file and the key.
class YamlMap {
 public:
  YamlMap(YAML::Node node, std::string where, const std::vector<std::string>& keys)
      : node_(std::move(node)), where_(std::move(where)) {
    if (!node_.IsMap()) throw usage_error(where_ + ": expected a mapping with the keys " + list_of(keys));
    for (const auto& entry : node_) {
      const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "(not a word)";
      if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
        const auto meant = closest_word(key, keys);
        throw usage_error(where_ + ": unknown key \"" + key + "\"" +
                          (meant ? ", did you mean \"" + *meant + "\"?" : "") + " Expected " + list_of(keys));
      }
    }
  }

  bool has(const std::string& key) const { return static_cast<bool>(node_[key]); }

  YAML::Node node(const std::string& key) const {
    if (!has(key)) throw usage_error(where_ + ": " + key + ": is missing");
    return node_[key];
  }

  std::string text(const std::string& key) const {
    const YAML::Node value = node(key);
    if (!value.IsScalar() || value.Scalar().empty()) throw usage_error(name_of(key) + ": expected a text");
    return value.Scalar();
  }

  int64_t bytes(const std::string& key) const { return parse_bytes(text(key), name_of(key)); }
  int64_t count(const std::string& key) const { return parse_count(text(key), name_of(key)); }

  double positive(const std::string& key) const {
    const std::string written = text(key);
    double value = 0;
    if (!YAML::convert<double>::decode(node(key), value) || !std::isfinite(value) || !(value > 0)) {
      throw usage_error(name_of(key) + ": got '" + written + "', expected a number above 0");
    }
    return value;
  }

  std::string name_of(const std::string& key) const { return where_ + ": " + key; }

 private:
  YAML::Node node_;
  std::string where_;
};

void check_board(const Board& board, const std::string& where) {
  const auto require = [&](bool good, const char* key, const char* expected) {
    if (!good) throw usage_error(where + ": " + key + ": expected " + expected);
  };
  require(board.sram_bytes > 0, "sram", "more than 0 bytes");
  require(board.flash_bytes > 0, "flash", "more than 0 bytes");
  require(board.sram_reserve_bytes < board.sram_bytes, "sram_reserve", "less than sram");
  require(board.flash_reserve_bytes < board.flash_bytes, "flash_reserve", "less than flash");
  require(board.clock_hz > 0, "clock", "more than 0 Hz");
}

Board read_board(const YAML::Node& root, const std::string& where) {
  const YamlMap map(root, where, kKeys);
  Board board;
  board.name = map.text("name");
  board.core = map.text("core");
  board.sram_bytes = map.bytes("sram");
  board.flash_bytes = map.bytes("flash");
  if (map.has("sram_reserve")) board.sram_reserve_bytes = map.bytes("sram_reserve");
  if (map.has("flash_reserve")) board.flash_reserve_bytes = map.bytes("flash_reserve");
  board.clock_hz = static_cast<double>(map.count("clock"));
  if (map.has("active_power_mw")) board.active_power_mw = map.positive("active_power_mw");
  const YamlMap units(map.node("cycles_per_unit"), map.name_of("cycles_per_unit"), kUnitKeys);
  for (const std::string& key : kUnitKeys) board.cycles_per_unit[key] = units.positive(key);
  board.latency_source = map.text("latency_source");
  check_board(board, where);
  return board;
}

}  // namespace

Board load_board(const std::filesystem::path& yaml) {
  if (!std::filesystem::is_regular_file(yaml))
    throw usage_error("board file '" + yaml.string() + "' does not exist");
  try {
    return read_board(YAML::LoadFile(yaml.string()), yaml.string());
  } catch (const YAML::Exception& error) {
    throw usage_error(yaml.string() + ": is not YAML: " + error.what());
  }
}

std::vector<Board> load_boards(const std::filesystem::path& directory) {
  if (!std::filesystem::is_directory(directory)) {
    throw usage_error("board folder '" + directory.string() + "' does not exist");
  }
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<Board> boards;
  for (const std::filesystem::path& file : files) boards.push_back(load_board(file));
  return boards;
}

}  // namespace tinynas
