#include "space/space_file.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <set>
#include <vector>

#include "base/closest.h"
#include "base/error.h"
#include "base/files.h"

namespace tinynas {
namespace {

// One mapping of the file, whose keys must all be known.
class Section {
 public:
  // `path` is what errors put before a key: "" or "stages[2].".
  Section(YAML::Node node, std::string file, std::string path, const std::vector<std::string>& keys)
      : node_(std::move(node)), file_(std::move(file)), path_(std::move(path)) {
    if (!node_.IsMap())
      fail(node_, path_.empty() ? "the file" : path_.substr(0, path_.size() - 1), "expected a mapping");
    std::set<std::string> seen;
    for (const auto& entry : node_) {
      const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "?";
      if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
        const auto nearest = closest_word(key, keys);
        fail(entry.first, path_ + key, "unknown key" + (nearest ? "; did you mean '" + *nearest + "'?" : ""));
      }
      if (!seen.insert(key).second) fail(entry.first, path_ + key, "stands here a second time");
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

  Section section(const std::string& key, const std::vector<std::string>& keys) const {
    return {required(key), file_, path_ + key + ".", keys};
  }

  std::vector<Section> sections(const std::string& key, const std::vector<std::string>& keys) const {
    const YAML::Node value = required(key);
    if (!value.IsSequence()) fail(value, path_ + key, "expected a list of mappings");
    std::vector<Section> items;
    for (size_t i = 0; i < value.size(); ++i) {
      items.emplace_back(value[i], file_, path_ + key + "[" + std::to_string(i) + "].", keys);
    }
    return items;
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
  std::string file_;
  std::string path_;
};

SearchSpace read_space(const Section& root) {
  const char* const integer = "an integer";
  SearchSpace space;
  space.name = root.scalar<std::string>("name", "a name");
  if (root.has("input_channels")) space.input_channels = root.scalar<int>("input_channels", integer);
  const Section stem = root.section("stem", {"channels", "kernel", "stride"});
  space.stem.channels = stem.scalar<int>("channels", integer);
  space.stem.kernel = stem.scalar<int>("kernel", integer);
  space.stem.stride = stem.scalar<int>("stride", integer);
  for (const Section& item :
       root.sections("stages", {"channels", "stride", "kernels", "expansions", "depths"})) {
    StageSpec stage;
    stage.channels = item.scalar<int>("channels", integer);
    stage.stride = item.scalar<int>("stride", integer);
    stage.kernels = item.list<int>("kernels", integer);
    stage.expansions = item.list<int>("expansions", integer);
    stage.depths = item.list<int>("depths", integer);
    space.stages.push_back(std::move(stage));
  }
  if (root.has("head_channels")) space.head_channels = root.scalar<int>("head_channels", integer);
  if (root.has("divisor")) space.divisor = root.scalar<int>("divisor", integer);
  space.widths = root.list<double>("widths", "a number");
  space.resolutions = root.list<int>("resolutions", integer);
  return space;
}

}  // namespace

SearchSpace parse_space(const std::string& yaml, const std::string& where) {
  SearchSpace space;
  try {
    space = read_space(Section(
        YAML::Load(yaml), where, "",
        {"name", "input_channels", "stem", "stages", "head_channels", "divisor", "widths", "resolutions"}));
  } catch (const YAML::Exception& error) {
    throw usage_error(where + ":" + std::to_string(std::max(error.mark.line, 0) + 1) + ": " + error.msg);
  }
  try {
    space.check();
  } catch (const Error& error) {
    throw Error(error.code(), where + ": " + error.what());
  }
  return space;
}

SearchSpace load_space(const std::filesystem::path& path) {
  return parse_space(read_file(path), path.string());
}

}  // namespace tinynas
