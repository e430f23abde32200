// arch.json and space.json.
#include "base/json_reader.h"
#include "space/architecture.h"

namespace tinynas {
namespace {

constexpr const char* kArchitectureFormat = "tinynas-arch-1";
constexpr int64_t kMaxInt = INT32_MAX;  // the space's own check() knows the real ranges
constexpr int kMaxClasses = 1 << 16;

int int_of(const JsonReader& reader, int64_t low = 0, int64_t high = kMaxInt) {
  return static_cast<int>(reader.integer(low, high));
}

std::vector<int> ints_of(const JsonReader& reader) {
  std::vector<int> values;
  for (const JsonReader& element : reader.elements()) values.push_back(int_of(element));
  return values;
}

SearchSpace read_space(const JsonReader& reader) {
  reader.only(
      {"name", "input_channels", "stem", "stages", "head_channels", "divisor", "widths", "resolutions"});
  SearchSpace space;
  space.name = reader["name"].text();
  space.input_channels = int_of(reader["input_channels"]);
  const JsonReader stem = reader["stem"];
  stem.only({"channels", "kernel", "stride"});
  space.stem = {int_of(stem["channels"]), int_of(stem["kernel"]), int_of(stem["stride"])};
  for (const JsonReader& element : reader["stages"].elements()) {
    element.only({"channels", "stride", "kernels", "expansions", "depths"});
    StageSpec stage;
    stage.channels = int_of(element["channels"]);
    stage.stride = int_of(element["stride"]);
    stage.kernels = ints_of(element["kernels"]);
    stage.expansions = ints_of(element["expansions"]);
    stage.depths = ints_of(element["depths"]);
    space.stages.push_back(std::move(stage));
  }
  space.head_channels = int_of(reader["head_channels"]);
  space.divisor = int_of(reader["divisor"]);
  for (const JsonReader& element : reader["widths"].elements()) space.widths.push_back(element.number());
  space.resolutions = ints_of(reader["resolutions"]);
  return space;
}

// Adds the file to an error that a check() of ours, which does not know it, has thrown.
template <typename Check>
void check_in_file(const std::string& where, const Check& check) {
  try {
    check();
  } catch (const Error& error) {
    throw Error(error.code(), where + ": " + error.what());
  }
}

}  // namespace

nlohmann::json to_json(const SearchSpace& space) {
  nlohmann::json stages = nlohmann::json::array();
  for (const StageSpec& stage : space.stages) {
    stages.push_back({{"channels", stage.channels},
                      {"stride", stage.stride},
                      {"kernels", stage.kernels},
                      {"expansions", stage.expansions},
                      {"depths", stage.depths}});
  }
  const StemSpec& stem = space.stem;
  return {{"name", space.name},
          {"input_channels", space.input_channels},
          {"stem", {{"channels", stem.channels}, {"kernel", stem.kernel}, {"stride", stem.stride}}},
          {"stages", stages},
          {"head_channels", space.head_channels},
          {"divisor", space.divisor},
          {"widths", space.widths},
          {"resolutions", space.resolutions}};
}

SearchSpace space_from_json(const nlohmann::json& json, const std::string& where) {
  SearchSpace space = read_space(JsonReader(json, where));
  check_in_file(where, [&] { space.check(); });
  return space;
}

nlohmann::json to_json(const SearchSpace& space, const Architecture& architecture, int num_classes) {
  nlohmann::json stages = nlohmann::json::array();
  for (const StageChoice& stage : architecture.stages) {
    nlohmann::json blocks = nlohmann::json::array();
    for (const BlockChoice& block : stage.blocks) {
      blocks.push_back({{"kernel", block.kernel}, {"expansion", block.expansion}});
    }
    stages.push_back({{"blocks", blocks}});
  }
  return {{"format", kArchitectureFormat},
          {"space", to_json(space)},
          {"width", architecture.sub_space.width},
          {"resolution", architecture.sub_space.resolution},
          {"num_classes", num_classes},
          {"stages", stages}};
}

ArchitectureFile architecture_from_json(const nlohmann::json& json, const std::string& where) {
  const JsonReader reader(json, where);
  reader["format"].require_text(kArchitectureFormat);
  reader.only({"format", "space", "width", "resolution", "num_classes", "stages"});
  ArchitectureFile file;
  file.space = read_space(reader["space"]);
  check_in_file(where, [&] { file.space.check(); });
  file.num_classes = int_of(reader["num_classes"], 1, kMaxClasses);
  file.architecture.sub_space = {reader["width"].number(), int_of(reader["resolution"])};
  for (const JsonReader& stage : reader["stages"].elements()) {
    stage.only({"blocks"});
    StageChoice choice;
    for (const JsonReader& block : stage["blocks"].elements()) {
      block.only({"kernel", "expansion"});
      choice.blocks.push_back({int_of(block["kernel"]), int_of(block["expansion"])});
    }
    file.architecture.stages.push_back(std::move(choice));
  }
  check_in_file(where, [&] { validate(file.space, file.architecture); });
  return file;
}

}  // namespace tinynas
