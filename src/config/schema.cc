#include "config/schema.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <stdexcept>

#include "base/error.h"
#include "base/units.h"

namespace tinynas {
namespace {

// The shortest text that reads back as the same number.
std::string number_text(double value) {
  char buffer[64];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value);
  return error == std::errc() ? std::string(buffer, end) : std::to_string(value);
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::string range_text(double min, double max) {
  const bool low = std::isfinite(min);
  const bool high = std::isfinite(max);
  if (low && high) return " from " + number_text(min) + " to " + number_text(max);
  if (low) return " of at least " + number_text(min);
  if (high) return " of at most " + number_text(max);
  return "";
}

std::string last_part(const std::string& key) { return key.substr(key.rfind('.') + 1); }

}  // namespace

std::string OptionSpec::expected() const {
  std::string text;
  switch (kind) {
    case OptionKind::kFlag:
      text = "true or false";
      break;
    case OptionKind::kInteger:
      text = "an integer" + range_text(min, max);
      break;
    case OptionKind::kReal:
      text = "a number" + range_text(min, max);
      break;
    case OptionKind::kText:
      text = "text";
      break;
    case OptionKind::kChoice:
      text = "one of " + joined(choices);
      break;
    case OptionKind::kBytes:
      text = "bytes such as 320k, 1M or 65536 (k = 1024 bytes)";
      break;
    case OptionKind::kCount:
      text = "a count such as 60M, 750k or 1000 (k = 1000)";
      break;
    case OptionKind::kDuration:
      text = "a duration with its unit, such as 200ms or 1.5s";
      break;
    case OptionKind::kEnergy:
      text = "an energy with its unit, such as 30mJ";
      break;
  }
  return optional ? text + ", or none" : text;
}

nlohmann::json OptionSpec::parse(const std::string& text, const std::string& where) const {
  const auto refuse = [&]() -> Error {
    return usage_error(where + ": " + key + ": got '" + text + "', expected " + expected());
  };
  if (optional && (text == "none" || text == "~" || text == "null" || text.empty())) return nullptr;
  const std::string what = where + ": " + key;
  const auto in_range = [&](auto value) {
    if (static_cast<double>(value) < min || static_cast<double>(value) > max) throw refuse();
    return value;
  };
  switch (kind) {
    case OptionKind::kFlag:
      if (text == "true" || text == "yes" || text == "on") return true;
      if (text == "false" || text == "no" || text == "off") return false;
      throw refuse();
    case OptionKind::kInteger: {
      int64_t value = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
      if (error != std::errc() || end != text.data() + text.size()) throw refuse();
      return in_range(value);
    }
    case OptionKind::kReal: {
      char* end = nullptr;
      const double value = std::strtod(text.c_str(), &end);
      if (text.empty() || end != text.c_str() + text.size() || !std::isfinite(value)) throw refuse();
      return in_range(value);
    }
    case OptionKind::kText:
      return text;
    case OptionKind::kChoice:
      if (std::find(choices.begin(), choices.end(), text) == choices.end()) throw refuse();
      return text;
    case OptionKind::kBytes:
      return in_range(parse_bytes(text, what));
    case OptionKind::kCount:
      return in_range(parse_count(text, what));
    case OptionKind::kDuration:
      return in_range(parse_duration_ms(text, what));
    case OptionKind::kEnergy:
      return in_range(parse_energy_mj(text, what));
  }
  throw refuse();
}

std::string OptionSpec::format(const nlohmann::json& value) const {
  if (value.is_null()) return "none";
  switch (kind) {
    case OptionKind::kFlag:
      return value.get<bool>() ? "true" : "false";
    case OptionKind::kInteger:
      return std::to_string(value.get<int64_t>());
    case OptionKind::kReal:
      return number_text(value.get<double>());
    case OptionKind::kText:
    case OptionKind::kChoice:
      return value.get<std::string>();
    case OptionKind::kBytes: {
      const int64_t bytes = value.get<int64_t>();
      return bytes > 0 && bytes % 1024 == 0 ? std::to_string(bytes / 1024) + "k" : std::to_string(bytes);
    }
    case OptionKind::kCount: {
      const int64_t count = value.get<int64_t>();
      if (count > 0 && count % 1000000 == 0) return std::to_string(count / 1000000) + "M";
      return count > 0 && count % 1000 == 0 ? std::to_string(count / 1000) + "k" : std::to_string(count);
    }
    case OptionKind::kDuration:
      return number_text(value.get<double>()) + "ms";
    case OptionKind::kEnergy:
      return number_text(value.get<double>()) + "mJ";
  }
  return "";
}

Schema& Schema::add(OptionSpec option) {
  if (find(option.key) != nullptr) throw std::logic_error("option declared twice: " + option.key);
  if (option.default_value.is_null() && !option.optional) {
    throw std::logic_error("option without a default: " + option.key);
  }
  // The default must itself be a value that a person could write.
  if (option.parse(option.format(option.default_value), "schema") != option.default_value) {
    throw std::logic_error("default does not survive its own text form: " + option.key);
  }
  options_.push_back(std::move(option));
  return *this;
}

const OptionSpec* Schema::find(const std::string& key) const {
  for (const OptionSpec& option : options_) {
    if (option.key == key) return &option;
  }
  return nullptr;
}

bool Schema::has_section(const std::string& section) const {
  return std::any_of(options_.begin(), options_.end(),
                     [&](const OptionSpec& option) { return option.key.starts_with(section + "."); });
}

void Schema::throw_unknown(const std::string& key, const std::string& where) const {
  std::vector<std::string> names;
  for (const OptionSpec& option : options_) {
    for (size_t dot = option.key.find('.'); dot != std::string::npos; dot = option.key.find('.', dot + 1)) {
      names.push_back(option.key.substr(0, dot));
    }
    names.push_back(option.key);
  }
  std::string nearest;
  int nearest_distance = 1 << 20;
  for (const std::string& name : names) {
    int distance = edit_distance(key, name);
    // "sram" means limits.sram, "train.popluation" search.population: the right word in the wrong section.
    if (last_part(key).size() >= 3)
      distance = std::min(distance, edit_distance(last_part(key), last_part(name)) + 1);
    if (distance < nearest_distance) {
      nearest_distance = distance;
      nearest = name;
    }
  }
  const bool near_enough = nearest_distance <= std::max<int>(2, static_cast<int>(last_part(key).size()) / 2);
  throw usage_error(
      where + ": unknown key '" + key + "'" +
      (near_enough ? "; did you mean '" + nearest + "'?" : "; `tinynas search --dry-run` prints all keys"));
}

int edit_distance(const std::string& a, const std::string& b) {
  const size_t rows = a.size() + 1;
  const size_t columns = b.size() + 1;
  std::vector<int> table(rows * columns);
  const auto at = [&](size_t i, size_t j) -> int& { return table[i * columns + j]; };
  for (size_t i = 0; i < rows; ++i) at(i, 0) = static_cast<int>(i);
  for (size_t j = 0; j < columns; ++j) at(0, j) = static_cast<int>(j);
  for (size_t i = 1; i < rows; ++i) {
    for (size_t j = 1; j < columns; ++j) {
      const int replaced = at(i - 1, j - 1) + (a[i - 1] == b[j - 1] ? 0 : 1);
      at(i, j) = std::min({at(i - 1, j) + 1, at(i, j - 1) + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        at(i, j) = std::min(at(i, j), at(i - 2, j - 2) + 1);
    }
  }
  return table.back();
}

}  // namespace tinynas
