// Least-squares fits of latency and instruction counts, with how far they can be trusted.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace tinynas {

// None of an empty list.
std::optional<double> root_mean_square(const std::vector<double>& values);

struct LinearFit {
  std::vector<double> coefficients;  // one per feature, all >= 0
  // Of the targets themselves: 1 - residual / total sum of squares. None where there are not more rows than
  // coefficients above 0: such a fit passes through every row.
  std::optional<double> r2;
  int rows = 0;
  std::vector<double> fitted;  // the prediction for every row
  // Relative residual (target - prediction) / target of every row, predicted from the other rows. Empty when
  // there are not more rows than coefficients above 0, and when a coefficient hangs on one row alone: without
  // that row nothing can be predicted, and leaving it out of the mean would hide just that.
  std::vector<double> leave_one_out;
  // Root mean square of leave_one_out.
  std::optional<double> error_band() const;
};

// Minimises sum(((features * c - target) / target)^2) over c >= 0: relative errors, because layers differ by
// factors of thousands, and no negative cost, because more work never takes less time: Lawson and Hanson's
// active sets, which end at the optimum. Columns that add nothing (dependent on others, or zero) get 0.
// leave_one_out comes from the leverages (hat matrix) of the chosen support. Throws Error(kUsage) naming
// `what`: no rows, rows of different lengths, a feature or target that is not finite, a negative feature, a
// target that is not above 0, numbers so large that the fit's sums overflow.
LinearFit fit_nonnegative(const std::vector<std::vector<double>>& features,
                          const std::vector<double>& targets, const std::string& what);

}  // namespace tinynas
