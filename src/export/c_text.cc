#include "export/c_text.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "base/error.h"

namespace tinynas {
namespace {

constexpr size_t kColumns = 100;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_printable(char c) { return c >= ' ' && c <= '~'; }

template <typename T>
std::string numbers(const std::vector<T>& values) {
  std::string text;
  text.reserve(values.size() * 5);
  size_t line_start = 0;
  for (const T value : values) {
    char digits[16];
    const char* end = std::to_chars(digits, digits + sizeof digits, int{value}).ptr;
    const auto length = static_cast<size_t>(end - digits);
    if (text.empty() || text.size() + length + 2 - line_start > kColumns) {
      if (!text.empty()) text += '\n';
      line_start = text.size();
      text += "    ";
    } else {
      text += ' ';
    }
    text.append(digits, length);
    text += ',';
  }
  return text + '\n';
}

template <typename T>
std::string array(const char* type, const std::string& name, const std::vector<T>& values) {
  return std::string("const ") + type + " " + name + "[" + std::to_string(values.size()) + "] = {\n" +
         numbers(values) + "};\n";
}

}  // namespace

std::string c_symbol(const std::string& text) {
  std::string symbol = text;
  for (char& c : symbol) {
    if (!is_letter(c) && !is_digit(c)) c = '_';
  }
  return symbol;
}

std::string upper_case(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

std::string c_comment(const std::string& text) {
  std::string comment = text;
  for (char& c : comment) {
    if (!is_printable(c) || c == '*' || c == '\\' || c == '?') c = '_';
  }
  return comment;
}

std::string c_string(const std::string& text) {
  std::string literal = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\' || c == '?') {
      literal += {'\\', c};
    } else if (is_printable(c)) {
      literal += c;
    } else {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\%03o", static_cast<unsigned>(static_cast<unsigned char>(c)));
      literal += escape;
    }
  }
  return literal + "\"";
}

std::string c_float(float value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.9ef", static_cast<double>(value));
  return text;
}

std::string c_array(const std::string& name, const std::vector<int8_t>& values) {
  return array("int8_t", name, values);
}
std::string c_array(const std::string& name, const std::vector<int32_t>& values) {
  return array("int32_t", name, values);
}
std::string c_numbers(const std::vector<int8_t>& values) { return numbers(values); }

std::string join(const std::vector<std::string>& parts, const std::string& separator) {
  std::string text;
  for (size_t i = 0; i < parts.size(); ++i) text += (i == 0 ? "" : separator) + parts[i];
  return text;
}

std::string fill_template(const std::string& text, const std::map<std::string, std::string>& values) {
  std::string out;
  size_t position = 0;
  while (position < text.size()) {
    const size_t open = text.find('@', position);
    if (open == std::string::npos) break;
    const size_t close = text.find('@', open + 1);
    const std::string key = close == std::string::npos ? "" : text.substr(open + 1, close - open - 1);
    const auto value = values.find(key);
    if (value == values.end()) throw io_error("internal error: template key '@" + key + "@' has no value");
    out.append(text, position, open - position);
    out += value->second;
    position = close + 1;
  }
  return out.append(text, position);
}

}  // namespace tinynas
