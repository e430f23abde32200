#include "cli/cdf_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace tinynas {
namespace {

constexpr int kLabelEvery = 3;  // rows between the labels of the fraction axis

// Letters on a grid of blanks, row 0 at the top.
class Canvas {
 public:
  Canvas(int columns, int rows, double right)
      : columns_(columns),
        rows_(rows),
        right_(right),
        cells_(static_cast<size_t>(rows), std::string(static_cast<size_t>(columns), ' ')) {}

  // A column is the value at its middle. Steep stretches are filled, so that the curve stays one line.
  void draw(const CdfCurve& curve, char letter) {
    int previous = row_of(0.0);
    for (int column = 0; column < columns_; ++column) {
      const double fraction = cdf_at(curve, right_ * (column + 0.5) / columns_);
      const int row = row_of(fraction);
      const bool begins = fraction > 0 && cdf_at(curve, right_ * (column - 0.5) / columns_) < 1;
      if (begins) {
        for (int r = row; r <= std::max(row, previous - 1); ++r) mark(r, column, letter);
      }
      previous = row;
    }
  }

  const std::string& row(int r) const { return cells_[static_cast<size_t>(r)]; }

 private:
  int row_of(double fraction) const { return static_cast<int>(std::lround((1.0 - fraction) * (rows_ - 1))); }

  void mark(int r, int column, char letter) {
    char& cell = cells_[static_cast<size_t>(r)][static_cast<size_t>(column)];
    if (cell == ' ') cell = letter;
  }

  int columns_;
  int rows_;
  double right_;
  std::vector<std::string> cells_;
};

std::string painted(const std::string& letters, bool colour) {
  if (!colour) return letters;
  constexpr int kColours[] = {36, 33, 35, 32, 34, 31};
  std::string text;
  for (const char letter : letters) {
    text += letter == ' ' ? std::string(" ")
                          : fmt::format("\033[{}m{}\033[0m", kColours[(letter - 'A') % 6], letter);
  }
  return text;
}

// 0, a quarter, ... of the value axis, each ending under its column.
std::string value_axis(int columns, double right, const std::string& unit) {
  std::string line(static_cast<size_t>(columns) + 1, ' ');
  for (int i = 0; i <= 4; ++i) {
    const std::string text = fmt::format("{:.4g}", right * i / 4);
    const int end = std::max(columns * i / 4, static_cast<int>(text.size()) - 1);
    line.replace(static_cast<size_t>(end) + 1 - text.size(), text.size(), text);
  }
  return line + " " + unit;
}

}  // namespace

double cdf_at(const CdfCurve& curve, double value) {
  const std::vector<double>& q = curve.quantiles;
  if (value < q.front()) return 0.0;
  if (value >= q.back()) return 1.0;
  const auto above = std::upper_bound(q.begin(), q.end(), value);
  const auto i = static_cast<double>(above - q.begin());
  const double low = *(above - 1);
  return (i - 1 + (value - low) / (*above - low)) / static_cast<double>(q.size() - 1);
}

std::string plot_cdfs(const std::vector<CdfCurve>& curves, const std::string& unit,
                      const CdfPlotOptions& options) {
  if (curves.empty()) return "";
  if (curves.size() > 26) throw std::logic_error("more curves than letters");
  double right = 0;
  for (const CdfCurve& curve : curves) right = std::max(right, curve.quantiles.back());
  Canvas canvas(options.columns, options.rows, right);
  for (size_t i = 0; i < curves.size(); ++i) canvas.draw(curves[i], static_cast<char>('A' + i));

  std::string text;
  for (int r = 0; r < options.rows; ++r) {
    const double fraction = 1.0 - static_cast<double>(r) / (options.rows - 1);
    const bool labelled = r % kLabelEvery == 0 || r == options.rows - 1;
    text += (labelled ? fmt::format("{:>4.0f} % |", 100 * fraction) : std::string("       |")) +
            painted(canvas.row(r), options.colour) + "\n";
  }
  text += "       +" + std::string(static_cast<size_t>(options.columns), '-') + "\n";
  text += "       " + value_axis(options.columns, right, unit) + "\n";
  for (size_t i = 0; i < curves.size(); ++i) {
    const std::string letter(1, static_cast<char>('A' + i));
    text += "       " + painted(letter, options.colour) + " " + curves[i].label + "\n";
  }
  return text;
}

}  // namespace tinynas
