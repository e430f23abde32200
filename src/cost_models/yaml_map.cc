#include "cost_models/yaml_map.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/closest.h"
#include "base/error.h"
#include "base/units.h"

namespace tinynas {

std::string list_of(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

YamlMap::YamlMap(YAML::Node node, std::string where, const std::vector<std::string>& keys)
    : node_(std::move(node)), where_(std::move(where)) {
  if (!node_.IsMap()) throw usage_error(where_ + ": expected a mapping with the keys " + list_of(keys));
  std::vector<std::string> seen;
  for (const auto& entry : node_) {
    const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "(not a word)";
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
      const auto meant = closest_word(key, keys);
      throw usage_error(where_ + ": unknown key \"" + key + "\"" +
                        (meant ? ", did you mean \"" + *meant + "\"? Expected " : ", expected ") +
                        list_of(keys));
    }
    if (std::find(seen.begin(), seen.end(), key) != seen.end())
      throw usage_error(name_of(key) + ": stands twice");
    seen.push_back(key);
  }
}

bool YamlMap::has(const std::string& key) const { return static_cast<bool>(node_[key]); }

YAML::Node YamlMap::node(const std::string& key) const {
  if (!has(key)) throw usage_error(where_ + ": " + key + ": is missing");
  return node_[key];
}

std::string YamlMap::text(const std::string& key) const {
  const YAML::Node value = node(key);
  if (!value.IsScalar() || value.Scalar().empty()) throw usage_error(name_of(key) + ": expected a text");
  return value.Scalar();
}

int64_t YamlMap::bytes(const std::string& key) const { return parse_bytes(text(key), name_of(key)); }
int64_t YamlMap::count(const std::string& key) const { return parse_count(text(key), name_of(key)); }

int64_t YamlMap::address(const std::string& key) const {
  const std::string written = text(key);
  uint32_t value = 0;
  const bool hexadecimal = written.rfind("0x", 0) == 0;
  const char* first = written.data() + (hexadecimal ? 2 : 0);
  const char* last = written.data() + written.size();
  const auto [end, error] = std::from_chars(first, last, value, 16);
  if (!hexadecimal || error != std::errc() || end != last) {
    throw usage_error(name_of(key) + ": got '" + written + "', expected a 32-bit address such as 0x20000000");
  }
  return value;
}

double YamlMap::positive(const std::string& key) const {
  const std::string written = text(key);
  double value = 0;
  if (!YAML::convert<double>::decode(node(key), value) || !std::isfinite(value) || !(value > 0)) {
    throw usage_error(name_of(key) + ": got '" + written + "', expected a number above 0");
  }
  return value;
}

std::vector<std::string> YamlMap::texts(const std::string& key) const {
  const YAML::Node value = node(key);
  if (!value.IsSequence()) throw usage_error(name_of(key) + ": expected a list");
  std::vector<std::string> list;
  for (const YAML::Node& entry : value) {
    if (!entry.IsScalar() || entry.Scalar().empty())
      throw usage_error(name_of(key) + ": expected a list of words");
    list.push_back(entry.Scalar());
  }
  return list;
}

}  // namespace tinynas
