// A mapping of a YAML file whose errors name the file and the key.
#pragma once

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <string>
#include <vector>

namespace tinynas {

class YamlMap {
 public:
  // Throws Error(kUsage) for what is no mapping or has a key that is not in `keys`, with the nearest that is.
  YamlMap(YAML::Node node, std::string where, const std::vector<std::string>& keys);

  bool has(const std::string& key) const;
  // These throw Error(kUsage) naming file and key: missing, not of that kind, out of range.
  YAML::Node node(const std::string& key) const;
  std::string text(const std::string& key) const;
  int64_t bytes(const std::string& key) const;    // "320k", powers of 1024
  int64_t count(const std::string& key) const;    // "216M", powers of 1000
  int64_t address(const std::string& key) const;  // 0x20000000
  double positive(const std::string& key) const;
  std::vector<std::string> texts(const std::string& key) const;  // a list
  std::string name_of(const std::string& key) const { return where_ + ": " + key; }

 private:
  YAML::Node node_;
  std::string where_;
};

std::string list_of(const std::vector<std::string>& names);

}  // namespace tinynas
