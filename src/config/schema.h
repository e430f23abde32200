// What may be configured: every option with its type, default, range and documentation, declared once.
#pragma once

#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace tinynas {

enum class OptionKind {
  kFlag,  // true or false
  kInteger,
  kReal,
  kText,
  kChoice,    // one of `choices`
  kBytes,     // "320k", powers of 1024
  kCount,     // "60M", powers of 1000
  kDuration,  // "200ms"; held in milliseconds
  kEnergy     // "30mJ"; held in millijoules
};

struct OptionSpec {
  std::string key;  // dotted: "train.steps"
  OptionKind kind = OptionKind::kText;
  nlohmann::json default_value;  // null = not set; only optional options may be null
  std::string doc;               // one line; stands as a comment in config.resolved.yaml
  double min = -std::numeric_limits<double>::infinity();  // numbers, in the unit that is held; both included
  double max = std::numeric_limits<double>::infinity();
  std::vector<std::string> choices;
  bool optional = false;  // "none" unsets it

  // The value that `text` means. Throws Error(kUsage): "<where>: <key>: got '<text>', expected <what>".
  nlohmann::json parse(const std::string& text, const std::string& where) const;
  // Text that parse() reads back as the same value; "none" for null.
  std::string format(const nlohmann::json& value) const;
  // For people: "an integer from 1 to 1000", "one of smoke, quick".
  std::string expected() const;
};

class Schema {
 public:
  // Throws std::logic_error when the key was declared before or its default is out of its own range.
  Schema& add(OptionSpec option);

  const std::vector<OptionSpec>& options() const { return options_; }
  // nullptr when there is none.
  const OptionSpec* find(const std::string& key) const;
  // True when `section` is a proper prefix of a key: "train" of "train.steps".
  bool has_section(const std::string& section) const;
  // Error(kUsage) for a key that does not exist, with the nearest key or section: "unknown key ... did you
  // mean ...?".
  [[noreturn]] void throw_unknown(const std::string& key, const std::string& where) const;

 private:
  std::vector<OptionSpec> options_;
};

// Number of single-character insertions, deletions, replacements and swaps of neighbours between two words.
int edit_distance(const std::string& a, const std::string& b);

}  // namespace tinynas
