#include "config/config.h"

#include <functional>
#include <set>
#include <stdexcept>

#include "base/error.h"
#include "base/files.h"
#include "base/yaml_document.h"

namespace tinynas {
namespace {

// Calls `leaf(key, text, where)` for every scalar of a nested map.
void walk(const YAML::Node& map, const std::string& prefix, const std::string& where, const Schema& schema,
          const std::function<void(const std::string&, const std::string&, const std::string&)>& leaf) {
  std::set<std::string> seen;
  for (const auto& entry : map) {
    const std::string here = at_line(where, entry.first.Mark());
    if (!entry.first.IsScalar())
      throw usage_error(here + ": expected a key, got something that is not a word");
    const std::string key = prefix + entry.first.Scalar();
    if (!seen.insert(key).second) throw usage_error(here + ": " + key + ": given twice");
    if (entry.second.IsMap()) {
      if (!schema.has_section(key)) schema.throw_unknown(key, here);
      walk(entry.second, key + ".", where, schema, leaf);
      continue;
    }
    const OptionSpec* option = schema.find(key);
    if (option == nullptr) {
      if (!schema.has_section(key)) schema.throw_unknown(key, here);
      if (entry.second.IsNull()) continue;  // a section with everything commented out
      throw usage_error(here + ": " + key + ": expected a section of keys, got a value");
    }
    if (entry.second.IsSequence()) {
      throw usage_error(here + ": " + key + ": got a list, expected " + option->expected());
    }
    leaf(key, entry.second.IsNull() ? "" : entry.second.Scalar(), here);
  }
}

// A scalar that YAML reads back as this text.
std::string yaml_scalar(const std::string& text) {
  YAML::Emitter emitter;
  emitter << text;
  return emitter.c_str();
}

}  // namespace

Config::Config(const Schema& schema) : schema_(&schema) {
  for (const OptionSpec& option : schema.options()) values_[option.key].value = option.default_value;
}

void Config::set(const std::string& key, const std::string& text, const std::string& origin) {
  const OptionSpec* option = schema_->find(key);
  if (option == nullptr) schema_->throw_unknown(key, origin);
  values_[key] = {option->parse(text, origin), origin};
}

void Config::set_assignment(const std::string& assignment, const std::string& origin) {
  const size_t equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw usage_error(origin + ": got '" + assignment + "', expected KEY=VALUE such as train.steps=500");
  }
  set(assignment.substr(0, equals), assignment.substr(equals + 1), origin + " " + assignment);
}

void Config::apply_yaml_file(const std::filesystem::path& path) {
  apply_yaml(read_given_file(path, kMostYamlBytes, ExitCode::kUsage), path.string());
}

void Config::apply_yaml(const std::string& yaml, const std::string& where) {
  const YAML::Node root = read_yaml_document(yaml, where);
  if (root.IsNull()) return;  // an empty file changes nothing
  if (!root.IsMap()) throw usage_error(where + ": expected keys and values at the top level");
  walk(root, "", where, *schema_,
       [&](const std::string& key, const std::string& text, const std::string& here) {
         set(key, text, here);
       });
}

const Config::Value& Config::at(const std::string& key) const {
  const auto found = values_.find(key);
  if (found == values_.end()) throw std::logic_error("no such option: " + key);
  return found->second;
}

const nlohmann::json& Config::value(const std::string& key) const { return at(key).value; }
const std::string& Config::origin(const std::string& key) const { return at(key).origin; }
std::string Config::formatted(const std::string& key) const {
  return schema_->find(key)->format(at(key).value);
}

bool Config::flag(const std::string& key) const { return at(key).value.get<bool>(); }
int64_t Config::integer(const std::string& key) const { return at(key).value.get<int64_t>(); }
double Config::real(const std::string& key) const { return at(key).value.get<double>(); }
std::string Config::text(const std::string& key) const { return at(key).value.get<std::string>(); }

std::optional<int64_t> Config::optional_integer(const std::string& key) const {
  return at(key).value.is_null() ? std::nullopt : std::optional(integer(key));
}
std::optional<double> Config::optional_real(const std::string& key) const {
  return at(key).value.is_null() ? std::nullopt : std::optional(real(key));
}
std::optional<std::string> Config::optional_text(const std::string& key) const {
  return at(key).value.is_null() ? std::nullopt : std::optional(text(key));
}

std::string Config::to_yaml() const {
  std::string yaml = "# Every option of this run. The comment after a value says who set it.\n";
  std::vector<std::string> open;  // sections around the current line
  for (const OptionSpec& option : schema_->options()) {
    std::vector<std::string> path;
    size_t start = 0;
    for (size_t dot = option.key.find('.'); dot != std::string::npos; dot = option.key.find('.', start)) {
      path.push_back(option.key.substr(start, dot - start));
      start = dot + 1;
    }
    size_t shared = 0;
    while (shared < open.size() && shared < path.size() && open[shared] == path[shared]) ++shared;
    for (size_t i = shared; i < path.size(); ++i) {
      yaml += (i == 0 ? "\n" : "") + std::string(2 * i, ' ') + path[i] + ":\n";
    }
    open = path;
    const std::string indent(2 * path.size(), ' ');
    yaml += indent + "# " + option.doc + "\n";
    std::string origin = at(option.key).origin;
    for (char& c : origin) {
      if (static_cast<unsigned char>(c) < 0x20) c = ' ';  // a comment is one line
    }
    yaml += indent + option.key.substr(start) + ": " + yaml_scalar(option.format(at(option.key).value)) +
            (origin == "default" ? "" : "  # " + origin) + "\n";
  }
  return yaml;
}

nlohmann::json Config::to_json() const {
  nlohmann::json json = nlohmann::json::object();
  for (const OptionSpec& option : schema_->options()) {
    nlohmann::json* node = &json;
    size_t start = 0;
    for (size_t dot = option.key.find('.'); dot != std::string::npos; dot = option.key.find('.', start)) {
      node = &(*node)[option.key.substr(start, dot - start)];
      start = dot + 1;
    }
    (*node)[option.key.substr(start)] = at(option.key).value;
  }
  return json;
}

}  // namespace tinynas
