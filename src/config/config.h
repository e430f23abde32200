// The values of one experiment: every option of a schema, each with where its value came from.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "config/schema.h"

namespace tinynas {

// Later calls override earlier ones: the caller applies effort preset, config file, --set and flags in that
// order.
class Config {
 public:
  // All defaults. Keeps a reference: the schema must outlive the configuration.
  explicit Config(const Schema& schema);

  // `origin` says who set it, for errors and reports: "--sram", "configs/cifar10.yaml:12".
  // Throws Error(kUsage) naming origin, key, what was got and what is expected.
  void set(const std::string& key, const std::string& text, const std::string& origin);
  // "a.b=c", as given to --set.
  void set_assignment(const std::string& assignment, const std::string& origin);
  // Throws Error(kUsage) naming file:line; kUsage as well when the file cannot be read (it is named on the
  // command line).
  void apply_yaml_file(const std::filesystem::path& path);
  // `where` stands for the file in errors.
  void apply_yaml(const std::string& yaml, const std::string& where);

  // Typed reading. std::logic_error for a key that is not declared or of another type: that is our mistake.
  bool flag(const std::string& key) const;
  int64_t integer(const std::string& key) const;
  double real(const std::string& key) const;
  std::string text(const std::string& key) const;
  std::optional<int64_t> optional_integer(const std::string& key) const;
  std::optional<double> optional_real(const std::string& key) const;
  std::optional<std::string> optional_text(const std::string& key) const;

  const nlohmann::json& value(const std::string& key) const;
  std::string formatted(const std::string& key) const;
  // "default" when nothing set it.
  const std::string& origin(const std::string& key) const;
  const Schema& schema() const { return *schema_; }

  // Every key, grouped in sections, each with its documentation and origin as comments. apply_yaml() reads it
  // back.
  std::string to_yaml() const;
  // Nested by section; quantities as numbers in bytes, counts, ms and mJ.
  nlohmann::json to_json() const;

 private:
  struct Value {
    nlohmann::json value;
    std::string origin = "default";
  };
  const Value& at(const std::string& key) const;

  const Schema* schema_;
  std::map<std::string, Value> values_;
};

}  // namespace tinynas
