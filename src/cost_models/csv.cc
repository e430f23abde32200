#include "cost_models/csv.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <stdexcept>
#include <string_view>

#include "base/closest.h"
#include "base/error.h"
#include "base/files.h"

namespace tinynas {
namespace {

std::string trimmed(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::vector<std::string> split_fields(const std::string& line, const std::string& place) {
  std::vector<std::string> fields;
  size_t at = 0;
  while (true) {
    at = std::min(line.find_first_not_of(" \t", at), line.size());
    std::string field;
    if (at < line.size() && line[at] == '"') {
      for (++at;; ++at) {
        if (at >= line.size()) throw usage_error(place + ": a quote is opened and not closed");
        if (line[at] == '"' && line.compare(at, 2, "\"\"") != 0) break;
        if (line[at] == '"') ++at;
        field += line[at];
      }
      const size_t comma = std::min(line.find(',', at), line.size());
      if (!trimmed(line.substr(at + 1, comma - at - 1)).empty()) {
        throw usage_error(place + ": got text after a closing quote, expected a comma");
      }
      at = comma;
    } else {
      const size_t comma = std::min(line.find(',', at), line.size());
      field = trimmed(line.substr(at, comma - at));
      at = comma;
    }
    fields.push_back(field);
    if (at >= line.size()) return fields;
    ++at;
  }
}

}  // namespace

CsvTable::CsvTable(const std::string& text, const std::string& where) : where_(where) {
  int number = 0;
  // Spreadsheets put a byte order mark in front.
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  for (size_t at = text.starts_with(kMark) ? kMark.size() : 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = trimmed(text.substr(at, end - at));
    at = end + 1;
    ++number;
    if (line.empty() || line[0] == '#') continue;
    const std::string place = where + ":" + std::to_string(number);
    std::vector<std::string> fields = split_fields(line, place);
    if (columns_.empty()) {
      header_line_ = number;
      for (const std::string& column : fields) {
        if (column.empty()) throw usage_error(place + ": a column has no name");
        if (has(column)) throw usage_error(place + ": column \"" + column + "\" stands twice");
        columns_.push_back(column);
      }
      continue;
    }
    if (fields.size() != columns_.size()) {
      throw usage_error(place + ": got " + std::to_string(fields.size()) + " fields, expected " +
                        std::to_string(columns_.size()) + ": " + joined(columns_));
    }
    rows_.push_back({number, std::move(fields)});
  }
  if (columns_.empty()) throw usage_error(where + ": is empty, expected a line with the columns' names");
}

bool CsvTable::has(const std::string& column) const {
  return std::find(columns_.begin(), columns_.end(), column) != columns_.end();
}

void CsvTable::require_columns(const std::vector<std::string>& known,
                               const std::vector<std::string>& required) const {
  const std::string place = where_ + ":" + std::to_string(header_line_);
  for (const std::string& column : columns_) {
    if (std::find(known.begin(), known.end(), column) != known.end()) continue;
    const auto meant = closest_word(column, known);
    throw usage_error(place + ": unknown column \"" + column + "\"" +
                      (meant ? ", did you mean \"" + *meant + "\"? Expected " : ", expected ") +
                      joined(known));
  }
  for (const std::string& column : required) {
    if (!has(column)) throw usage_error(place + ": column \"" + column + "\" is missing");
  }
}

const std::string& CsvTable::text(size_t row, const std::string& column) const {
  const auto found = std::find(columns_.begin(), columns_.end(), column);
  if (found == columns_.end()) throw std::logic_error("the table has no column " + column);
  return rows_.at(row).fields[static_cast<size_t>(found - columns_.begin())];
}

double CsvTable::number(size_t row, const std::string& column) const {
  const std::string& field = text(row, column);
  double value = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  if (error != std::errc() || end != field.data() + field.size() || !std::isfinite(value) || value < 0) {
    throw usage_error(place(row) + ": " + column + ": got '" + field + "', expected a number of at least 0");
  }
  return value;
}

double CsvTable::positive(size_t row, const std::string& column) const {
  const std::string& field = text(row, column);
  double value = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  if (error != std::errc() || end != field.data() + field.size() || !std::isfinite(value) || !(value > 0)) {
    throw usage_error(place(row) + ": " + column + ": got '" + field + "', expected a number above 0");
  }
  return value;
}

std::string CsvTable::place(size_t row) const { return where_ + ":" + std::to_string(rows_.at(row).line); }

CsvTable read_csv(const std::filesystem::path& path) {
  constexpr int64_t kMostBytes = 16 * kMebibyte;  // a row is some dozen bytes
  return CsvTable(read_given_file(path, kMostBytes, ExitCode::kUsage), path.string());
}

}  // namespace tinynas
