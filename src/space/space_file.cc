#include "space/space_file.h"

#include <algorithm>
#include <map>
#include <vector>

#include "base/closest.h"
#include "base/error.h"
#include "base/files.h"
#include "base/yaml_document.h"

namespace tinynas {
namespace {

constexpr const char* kInteger = "an integer";

// Where every key of a file stands, by its path ("stages[2].kernels"); the first line is 1.
class KeyLines {
 public:
  void add(const std::string& path, int line) { lines_.emplace(path, line); }
  bool has(const std::string& path) const { return lines_.count(path) > 0; }

  // The line of the key, or of the nearest one around it.
  int line_of(std::string path) const {
    while (!path.empty()) {
      if (const auto found = lines_.find(path); found != lines_.end()) return found->second;
      const size_t cut = path.find_last_of(".[");
      path.resize(cut == std::string::npos ? 0 : cut);
    }
    return 1;
  }

 private:
  std::map<std::string, int> lines_;
};

// One mapping of the file, whose keys must all be known.
class Section {
 public:
  // `path` is what errors put before a key: "" or "stages[2].". `file` and `lines` must outlive the section.
  Section(YAML::Node node, const std::string& file, KeyLines& lines, std::string path,
          const std::vector<std::string>& keys)
      : node_(std::move(node)), file_(file), lines_(lines), path_(std::move(path)) {
    if (!node_.IsMap())
      fail(node_, path_.empty() ? "the file" : path_.substr(0, path_.size() - 1), "expected a mapping");
    for (const auto& entry : node_) {
      const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "?";
      if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
        const auto nearest = closest_word(key, keys);
        fail(entry.first, path_ + key, "unknown key" + (nearest ? "; did you mean '" + *nearest + "'?" : ""));
      }
      if (lines_.has(path_ + key)) fail(entry.first, path_ + key, "stands here a second time");
      lines_.add(path_ + key, entry.first.Mark().line + 1);
    }
  }

  bool has(const std::string& key) const { return static_cast<bool>(node_[key]); }

  YAML::Node required(const std::string& key) const {
    const YAML::Node value = node_[key];
    if (!value) fail(node_, path_ + key, "is missing");
    return value;
  }

  template <typename T>
  T scalar(const std::string& key, const char* expected) const {
    return convert<T>(required(key), path_ + key, expected);
  }

  template <typename T>
  std::vector<T> list(const std::string& key, const char* expected) const {
    const YAML::Node value = required(key);
    if (!value.IsSequence())
      fail(value, path_ + key, std::string("expected a list: [") + expected + ", ...]");
    std::vector<T> items;
    for (const auto& item : value) items.push_back(convert<T>(item, path_ + key, expected));
    return items;
  }

  // 3, or [10, 4]: rows, columns. `columns` is 0 when there is one number.
  void rows_columns(const std::string& key, int& rows, int& columns) const {
    const YAML::Node value = required(key);
    const char* const expected = "an integer, or [rows, columns]";
    if (!value.IsSequence()) {
      rows = convert<int>(value, path_ + key, expected);
      return;
    }
    const std::vector<int> both = list<int>(key, expected);
    if (both.size() != 2 || both[1] < 1)
      fail(value, path_ + key, std::string("expected ") + expected + ", 1 or more");
    rows = both[0];
    columns = both[1];
  }

  Section section(const std::string& key, const std::vector<std::string>& keys) const {
    return {required(key), file_, lines_, path_ + key + ".", keys};
  }

  std::vector<Section> sections(const std::string& key, const std::vector<std::string>& keys) const {
    const YAML::Node value = required(key);
    if (!value.IsSequence()) fail(value, path_ + key, "expected a list of mappings");
    std::vector<Section> items;
    for (size_t i = 0; i < value.size(); ++i) {
      const std::string name = path_ + key + "[" + std::to_string(i) + "]";
      lines_.add(name, value[i].Mark().line + 1);
      items.emplace_back(value[i], file_, lines_, name + ".", keys);
    }
    return items;
  }

  [[noreturn]] void fail_at(const std::string& key, const std::string& problem) const {
    fail(required(key), path_ + key, problem);
  }

 private:
  template <typename T>
  T convert(const YAML::Node& value, const std::string& key, const char* expected) const {
    T result{};
    if (!value.IsScalar()) fail(value, key, std::string("expected ") + expected);
    if (!YAML::convert<T>::decode(value, result)) {
      fail(value, key, "got '" + value.Scalar() + "', expected " + expected);
    }
    return result;
  }

  [[noreturn]] void fail(const YAML::Node& node, const std::string& key, const std::string& problem) const {
    throw usage_error(file_ + ":" + std::to_string(std::max(node.Mark().line, 0) + 1) + ": " + key + ": " +
                      problem);
  }

  YAML::Node node_;
  const std::string& file_;
  KeyLines& lines_;
  std::string path_;
};

BlockKind read_block(const Section& root) {
  if (!root.has("block")) return BlockKind::kMbConv;
  const std::string text = root.scalar<std::string>("block", "mbconv or ds");
  for (const BlockKind kind : {BlockKind::kMbConv, BlockKind::kDepthwiseSeparable}) {
    if (text == name_of(kind)) return kind;
  }
  root.fail_at("block", "got '" + text + "', expected mbconv or ds");
}

void read_channels(const Section& item, BlockKind kind, StageSpec& stage) {
  if (kind == BlockKind::kMbConv || !item.required("channels").IsMap()) {
    stage.channels = item.scalar<int>(
        "channels", kind == BlockKind::kMbConv ? kInteger : "an integer, or {min, max, step}");
    return;
  }
  const Section elastic = item.section("channels", {"min", "max", "step"});
  stage.min_channels = elastic.scalar<int>("min", kInteger);
  stage.channels = elastic.scalar<int>("max", kInteger);
  stage.channel_step = elastic.scalar<int>("step", kInteger);
  if (stage.channel_step < 1) {
    elastic.fail_at("step", "got " + std::to_string(stage.channel_step) + ", expected 1 or more");
  }
}

SearchSpace read_space(const Section& root) {
  SearchSpace space;
  space.name = root.scalar<std::string>("name", "a name");
  space.block = read_block(root);
  if (root.has("input_channels")) space.input_channels = root.scalar<int>("input_channels", kInteger);
  if (root.has("columns")) space.columns = root.scalar<int>("columns", kInteger);
  const Section stem = root.section("stem", {"channels", "kernel", "stride"});
  space.stem.channels = stem.scalar<int>("channels", kInteger);
  stem.rows_columns("kernel", space.stem.kernel, space.stem.kernel_w);
  stem.rows_columns("stride", space.stem.stride, space.stem.stride_w);
  std::vector<std::string> keys{"channels", "stride", "kernels", "depths"};
  if (space.block == BlockKind::kMbConv) keys.insert(keys.end(), {"expansions", "widths"});
  for (const Section& item : root.sections("stages", keys)) {
    StageSpec stage;
    read_channels(item, space.block, stage);
    stage.stride = item.scalar<int>("stride", kInteger);
    stage.kernels = item.list<int>("kernels", kInteger);
    stage.expansions =
        space.block == BlockKind::kMbConv ? item.list<int>("expansions", kInteger) : std::vector<int>{1};
    stage.depths = item.list<int>("depths", kInteger);
    if (item.has("widths")) stage.block_widths = item.list<double>("widths", "a number");
    space.stages.push_back(std::move(stage));
  }
  if (root.has("head_channels")) space.head_channels = root.scalar<int>("head_channels", kInteger);
  if (root.has("divisor")) space.divisor = root.scalar<int>("divisor", kInteger);
  space.widths = root.list<double>("widths", "a number");
  space.resolutions = root.list<int>("resolutions", kInteger);
  return space;
}

}  // namespace

SearchSpace parse_space(const std::string& yaml, const std::string& where) {
  KeyLines lines;
  SearchSpace space;
  try {
    space = read_space(Section(read_yaml_document(yaml, where), where, lines, "",
                               {"name", "block", "input_channels", "columns", "stem", "stages",
                                "head_channels", "divisor", "widths", "resolutions"}));
  } catch (const YAML::Exception& error) {
    throw usage_error(where + ":" + std::to_string(std::max(error.mark.line, 0) + 1) + ": " + error.msg);
  }
  if (const auto problem = space.problem()) {
    throw usage_error(where + ":" + std::to_string(lines.line_of(problem->field)) + ": " + problem->field +
                      ": " + problem->what);
  }
  return space;
}

SearchSpace load_space(const std::filesystem::path& path) {
  return parse_space(read_given_file(path, kMostYamlBytes, ExitCode::kUsage), path.string());
}

}  // namespace tinynas
