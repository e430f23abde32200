// Tables of measurements as text: comma-separated, one header line, `#` starts a comment line.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace tinynas {

// Fields are trimmed; one in double quotes may hold commas, and "" for a quote. Empty lines and
// a byte order mark are skipped.
class CsvTable {
 public:
  // Throws Error(kUsage) naming file:line: no header, a column twice, a row of another number of fields, an
  // open quote. `where` stands for the file in errors.
  CsvTable(const std::string& text, const std::string& where);

  size_t rows() const { return rows_.size(); }
  const std::vector<std::string>& columns() const { return columns_; }
  bool has(const std::string& column) const;
  // Throws Error(kUsage) that names the unknown column and those that are known, unless every column of the
  // table is one of `known`; and when one of `required` is missing.
  void require_columns(const std::vector<std::string>& known, const std::vector<std::string>& required) const;

  // Fields of a row (from 0). std::logic_error for a column that the table has not.
  const std::string& text(size_t row, const std::string& column) const;
  // Finite and >= 0, or > 0; Error(kUsage) naming file:line and column otherwise.
  double number(size_t row, const std::string& column) const;
  double positive(size_t row, const std::string& column) const;

  // "measurements.csv:12"
  std::string place(size_t row) const;

 private:
  struct Row {
    int line = 0;
    std::vector<std::string> fields;
  };
  std::string where_;
  int header_line_ = 0;
  std::vector<std::string> columns_;
  std::vector<Row> rows_;
};

// Throws Error(kUsage) as the constructor does, and when the file cannot be read: it is named by a person or
// a board.
CsvTable read_csv(const std::filesystem::path& path);

}  // namespace tinynas
