// Reads JSON that people or older versions may have written: every failure names the file, the path inside
// it, what was found and what was expected. nlohmann's own exceptions know neither the file nor the
// expectation.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/error.h"

namespace tinynas {

// A value somewhere inside a JSON document. All accessors throw Error(kUsage), for example
// "arch.json: stages[1].blocks[0].kernel: got \"x\", expected an integer from 1 to 255".
class JsonReader {
 public:
  // `where` names the file. `value` must outlive the reader.
  JsonReader(const nlohmann::json& value, std::string where) : value_(&value), where_(std::move(where)) {}

  // Member of an object; must exist.
  JsonReader operator[](const char* key) const {
    if (!value_->is_object()) fail(std::string("an object with ") + key);
    const auto it = value_->find(key);
    const std::string path = path_.empty() ? std::string(key) : path_ + "." + key;
    if (it == value_->end()) throw usage_error(where_ + ": " + path + ": is missing");
    return JsonReader(*it, where_, path);
  }

  bool is_array() const { return value_->is_array(); }
  bool is_object() const { return value_->is_object(); }
  // Whether an object has that member.
  bool has(const char* key) const { return value_->is_object() && value_->contains(key); }

  // Whether an object has the member, and it is not null.
  bool has_value(const char* key) const { return has(key) && !(*value_)[key].is_null(); }

  // The members must be among `keys`, so that a misspelt one does not pass silently.
  void only(std::initializer_list<const char*> keys) const {
    if (!value_->is_object()) fail("an object");
    for (const auto& [key, unused] : value_->items()) {
      if (std::find(keys.begin(), keys.end(), key) != keys.end()) continue;
      std::string expected;
      for (const char* known : keys) expected += (expected.empty() ? "" : ", ") + std::string(known);
      throw usage_error(prefix() + "unknown key \"" + key + "\", expected " + expected);
    }
  }

  std::vector<JsonReader> elements() const {
    if (!value_->is_array()) fail("an array");
    std::vector<JsonReader> readers;
    readers.reserve(value_->size());
    for (size_t i = 0; i < value_->size(); ++i) {
      readers.push_back(JsonReader((*value_)[i], where_, path_ + "[" + std::to_string(i) + "]"));
    }
    return readers;
  }

  int64_t integer(int64_t low, int64_t high) const {
    const bool fits_int64 = value_->is_number_integer() &&
                            !(value_->is_number_unsigned() && value_->get<uint64_t>() > uint64_t{INT64_MAX});
    if (!fits_int64 || value_->get<int64_t>() < low || value_->get<int64_t>() > high) {
      fail("an integer from " + std::to_string(low) + " to " + std::to_string(high));
    }
    return value_->get<int64_t>();
  }

  double number() const {
    if (!value_->is_number() || !std::isfinite(value_->get<double>())) fail("a number");
    return value_->get<double>();
  }

  bool flag() const {
    if (!value_->is_boolean()) fail("true or false");
    return value_->get<bool>();
  }

  std::string text() const {
    if (!value_->is_string()) fail("a string");
    return value_->get<std::string>();
  }

  // A string that must be `expected`, such as a format version.
  void require_text(const std::string& expected) const {
    if (text() != expected) fail("\"" + expected + "\"");
  }

  [[noreturn]] void fail(const std::string& expected) const {
    // Containers are not printed: they may be long, and nested deeper than the stack.
    std::string got = value_->is_object() ? "an object"
                      : value_->is_array()
                          ? "an array"
                          : value_->dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
    if (got.size() > 40) got = got.substr(0, 37) + "...";
    throw usage_error(prefix() + "got " + got + ", expected " + expected);
  }

 private:
  JsonReader(const nlohmann::json& value, std::string where, std::string path)
      : value_(&value), where_(std::move(where)), path_(std::move(path)) {}

  std::string prefix() const { return where_ + ": " + (path_.empty() ? "" : path_ + ": "); }

  const nlohmann::json* value_;
  std::string where_;
  std::string path_;
};

}  // namespace tinynas
