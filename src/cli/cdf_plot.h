// Cumulative distributions as text, for a terminal.
#pragma once

#include <string>
#include <vector>

namespace tinynas {

struct CdfCurve {
  std::string label;  // beside its letter in the legend
  std::vector<double>
      quantiles;  // the values at equally spaced fractions from 0 to 1, ascending; two or more
};

struct CdfPlotOptions {
  int columns = 64;  // of the drawing, without its axis
  int rows = 12;
  bool colour = false;  // ANSI
};

// The fraction of values that are at most `value`, linear between the quantiles: 0 below the first, 1 from
// the last on.
double cdf_at(const CdfCurve& curve, double value);

// One letter a curve (A, B, ...), fraction over value from 0 to the largest of all; where curves meet the
// earlier one is seen. `unit` is written under the value axis. Empty without curves. Throws std::logic_error
// above 26 curves.
std::string plot_cdfs(const std::vector<CdfCurve>& curves, const std::string& unit,
                      const CdfPlotOptions& options = {});

}  // namespace tinynas
