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

BlockKind block_of(const JsonReader& reader) {
  const std::string text = reader.text();
  for (const BlockKind kind : {BlockKind::kMbConv, BlockKind::kDepthwiseSeparable}) {
    if (text == name_of(kind)) return kind;
  }
  reader.fail("\"mbconv\" or \"ds\"");
}

// 3, or [10, 4]: rows, columns.
void read_rows_columns(const JsonReader& reader, int& rows, int& columns) {
  if (!reader.is_array()) {
    rows = int_of(reader);
    return;
  }
  const std::vector<int> both = ints_of(reader);
  if (both.size() != 2 || both[1] < 1) reader.fail("[rows, columns], 1 or more");
  rows = both[0];
  columns = both[1];
}

nlohmann::json rows_columns(int rows, int columns) {
  return columns > 0 ? nlohmann::json{rows, columns} : nlohmann::json(rows);
}

StageSpec read_stage(const JsonReader& reader, BlockKind kind) {
  StageSpec stage;
  if (kind == BlockKind::kMbConv) {
    reader.only({"channels", "stride", "kernels", "expansions", "depths", "widths"});
    stage.channels = int_of(reader["channels"]);
    stage.expansions = ints_of(reader["expansions"]);
    if (reader.has("widths")) {
      stage.block_widths.clear();
      for (const JsonReader& part : reader["widths"].elements()) stage.block_widths.push_back(part.number());
    }
  } else {
    reader.only({"channels", "stride", "kernels", "depths"});
    const JsonReader channels = reader["channels"];
    if (channels.is_object()) {
      channels.only({"min", "max", "step"});
      stage.min_channels = int_of(channels["min"]);
      stage.channels = int_of(channels["max"]);
      stage.channel_step = int_of(channels["step"], 1);
    } else {
      stage.channels = int_of(channels);
    }
    stage.expansions = {1};
  }
  stage.stride = int_of(reader["stride"]);
  stage.kernels = ints_of(reader["kernels"]);
  stage.depths = ints_of(reader["depths"]);
  return stage;
}

nlohmann::json stage_json(const StageSpec& stage, BlockKind kind) {
  nlohmann::json json = {{"channels", stage.channels},
                         {"stride", stage.stride},
                         {"kernels", stage.kernels},
                         {"depths", stage.depths}};
  if (kind == BlockKind::kMbConv) json["expansions"] = stage.expansions;
  if (stage.elastic_widths()) json["widths"] = stage.block_widths;
  if (stage.elastic_channels()) {
    json["channels"] = {{"min", stage.min_channels}, {"max", stage.channels}, {"step", stage.channel_step}};
  }
  return json;
}

SearchSpace read_space(const JsonReader& reader) {
  reader.only({"name", "block", "input_channels", "columns", "stem", "stages", "head_channels", "divisor",
               "widths", "resolutions"});
  SearchSpace space;
  space.name = reader["name"].text();
  if (reader.has("block")) space.block = block_of(reader["block"]);
  space.input_channels = int_of(reader["input_channels"]);
  if (reader.has("columns")) space.columns = int_of(reader["columns"]);
  const JsonReader stem = reader["stem"];
  stem.only({"channels", "kernel", "stride"});
  space.stem.channels = int_of(stem["channels"]);
  read_rows_columns(stem["kernel"], space.stem.kernel, space.stem.kernel_w);
  read_rows_columns(stem["stride"], space.stem.stride, space.stem.stride_w);
  for (const JsonReader& element : reader["stages"].elements()) {
    space.stages.push_back(read_stage(element, space.block));
  }
  space.head_channels = int_of(reader["head_channels"]);
  space.divisor = int_of(reader["divisor"]);
  for (const JsonReader& element : reader["widths"].elements()) space.widths.push_back(element.number());
  space.resolutions = ints_of(reader["resolutions"]);
  return space;
}

BlockChoice read_block(const JsonReader& reader, BlockKind kind, bool has_widths) {
  const bool separable = kind == BlockKind::kDepthwiseSeparable;
  BlockChoice genes;
  if (separable) {
    reader.only({"kernel", "channels"});
  } else if (has_widths) {
    reader.only({"kernel", "expansion", "channels"});
  } else {
    reader.only({"kernel", "expansion"});
  }
  if (!separable) genes.expansion = int_of(reader["expansion"]);
  if (separable || has_widths) genes.channels = int_of(reader["channels"]);
  genes.kernel = int_of(reader["kernel"]);
  return genes;
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
  for (const StageSpec& stage : space.stages) stages.push_back(stage_json(stage, space.block));
  const StemSpec& stem = space.stem;
  nlohmann::json json = {{"name", space.name},
                         {"input_channels", space.input_channels},
                         {"stem",
                          {{"channels", stem.channels},
                           {"kernel", rows_columns(stem.kernel, stem.kernel_w)},
                           {"stride", rows_columns(stem.stride, stem.stride_w)}}},
                         {"stages", stages},
                         {"head_channels", space.head_channels},
                         {"divisor", space.divisor},
                         {"widths", space.widths},
                         {"resolutions", space.resolutions}};
  if (space.block != BlockKind::kMbConv) json["block"] = name_of(space.block);
  if (space.columns > 0) json["columns"] = space.columns;
  return json;
}

SearchSpace space_from_json(const nlohmann::json& json, const std::string& where) {
  SearchSpace space = read_space(JsonReader(json, where));
  check_in_file(where, [&] { space.check(); });
  return space;
}

nlohmann::json to_json(const SubSpace& sub_space) {
  return {{"width", sub_space.width}, {"resolution", sub_space.resolution}};
}

nlohmann::json to_json(const SearchSpace& space, const Architecture& architecture, int num_classes) {
  nlohmann::json stages = nlohmann::json::array();
  for (const StageChoice& stage : architecture.stages) {
    nlohmann::json blocks = nlohmann::json::array();
    for (const BlockChoice& block : stage.blocks) {
      nlohmann::json genes = {{"kernel", block.kernel}};
      if (space.block == BlockKind::kMbConv) genes["expansion"] = block.expansion;
      if (block.channels > 0) genes["channels"] = block.channels;
      blocks.push_back(std::move(genes));
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
    const size_t number = file.architecture.stages.size();
    const bool has_widths = number < file.space.stages.size() && file.space.stages[number].elastic_widths();
    StageChoice choice;
    for (const JsonReader& block : stage["blocks"].elements())
      choice.blocks.push_back(read_block(block, file.space.block, has_widths));
    file.architecture.stages.push_back(std::move(choice));
  }
  check_in_file(where, [&] { validate(file.space, file.architecture); });
  return file;
}

}  // namespace tinynas
