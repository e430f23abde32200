#include "cost_models/latency_fit.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "base/error.h"

namespace tinynas {
namespace {

void check(const std::vector<std::vector<double>>& features, const std::vector<double>& targets,
           const std::string& what) {
  if (features.empty() || features.size() != targets.size()) {
    throw usage_error(what + ": got " + std::to_string(features.size()) + " rows of features and " +
                      std::to_string(targets.size()) + " measurements, expected as many of both, and some");
  }
  for (size_t row = 0; row < features.size(); ++row) {
    const std::string place = what + ": row " + std::to_string(row + 1);
    if (features[row].size() != features[0].size())
      throw usage_error(place + ": has another number of features");
    for (const double value : features[row]) {
      if (!std::isfinite(value) || value < 0) {
        throw usage_error(place + ": got the feature " + std::to_string(value) + ", expected at least 0");
      }
    }
    if (!std::isfinite(targets[row]) || !(targets[row] > 0)) {
      throw usage_error(place + ": got the measurement " + std::to_string(targets[row]) +
                        ", expected above 0");
    }
  }
  if (features[0].empty()) throw std::logic_error("a fit has at least one feature");
}

// Measurements near the largest double pass check(), but not the sums of their squares.
void check_finite(const LinearFit& fit, const std::string& what) {
  const auto finite = [](double value) { return std::isfinite(value); };
  if (std::all_of(fit.coefficients.begin(), fit.coefficients.end(), finite) &&
      std::all_of(fit.fitted.begin(), fit.fitted.end(), finite) && finite(fit.r2.value_or(0)) &&
      finite(fit.error_band().value_or(0)))
    return;
  throw usage_error(what + ": no fit: the numbers are too large or too small to compute with");
}

// A solution that is not 0 on its support alone.
struct Solution {
  std::vector<int> support;
  Eigen::VectorXd values;  // of the support
};

// Unconstrained least squares on some of the columns; none where they depend on one another.
std::optional<Eigen::VectorXd> solve(const Eigen::MatrixXd& design, const Eigen::VectorXd& wanted,
                                     const std::vector<int>& columns) {
  const Eigen::MatrixXd chosen = design(Eigen::all, columns);
  const Eigen::ColPivHouseholderQR<Eigen::MatrixXd> qr(chosen);
  if (qr.rank() < chosen.cols()) return std::nullopt;
  return Eigen::VectorXd(qr.solve(wanted));
}

// Lawson and Hanson, Solving Least Squares Problems (1974), chapter 23: columns enter where they would lower
// the error, and leave where their coefficient would be negative. Ends at the optimum, after finitely many
// supports.
Solution solve_nonnegative(const Eigen::MatrixXd& design, const Eigen::VectorXd& wanted) {
  constexpr double kNothing = 1e-10;  // gradients of columns of length 1, and targets of 1 for each row
  const auto columns = static_cast<int>(design.cols());
  Solution now;
  now.values.resize(0);
  Eigen::VectorXd residual = wanted;
  std::vector<bool> refused(static_cast<size_t>(columns), false);  // depends on the support
  while (true) {
    const Eigen::VectorXd gradient = design.transpose() * residual;
    int entering = -1;
    for (int column = 0; column < columns; ++column) {
      const bool inside = std::find(now.support.begin(), now.support.end(), column) != now.support.end();
      if (inside || refused[static_cast<size_t>(column)] || gradient(column) <= kNothing) continue;
      if (entering < 0 || gradient(column) > gradient(entering)) entering = column;
    }
    if (entering < 0) return now;
    std::vector<int> support = now.support;
    support.push_back(entering);
    Eigen::VectorXd at(support.size());
    at << now.values, 0.0;
    std::optional<Eigen::VectorXd> target = solve(design, wanted, support);
    // A column that depends on the others, or would leave at once, adds nothing.
    if (!target || (*target)(target->size() - 1) <= 0) {
      refused[static_cast<size_t>(entering)] = true;
      continue;
    }
    while (target && (target->array() <= 0).any()) {
      double step = 1;
      for (Eigen::Index i = 0; i < at.size(); ++i) {
        if ((*target)(i) <= 0) step = std::min(step, at(i) / (at(i) - (*target)(i)));
      }
      at += step * (*target - at);
      std::vector<int> kept;
      std::vector<double> kept_values;
      for (Eigen::Index i = 0; i < at.size(); ++i) {
        if ((*target)(i) <= 0 && at(i) <= kNothing) continue;
        kept.push_back(support[static_cast<size_t>(i)]);
        kept_values.push_back(at(i));
      }
      support = std::move(kept);
      at = Eigen::Map<const Eigen::VectorXd>(kept_values.data(),
                                             static_cast<Eigen::Index>(kept_values.size()));
      target = solve(design, wanted, support);
    }
    if (!target) throw std::logic_error("a part of independent columns depends on itself");
    const Eigen::VectorXd next = wanted - design(Eigen::all, support) * *target;
    if (!(next.squaredNorm() < residual.squaredNorm())) return now;  // nothing but rounding is left to gain
    now = {std::move(support), *target};
    residual = next;
    std::fill(refused.begin(), refused.end(), false);
  }
}

// (1 - prediction without the row) for every row, from the residuals and leverages of the whole fit; empty
// where one of them cannot be had.
std::vector<double> leave_one_out(const Eigen::MatrixXd& design, const Eigen::VectorXd& wanted,
                                  const Solution& best) {
  const Eigen::MatrixXd chosen = design(Eigen::all, best.support);
  if (chosen.rows() <= chosen.cols()) return {};
  const Eigen::HouseholderQR<Eigen::MatrixXd> qr(chosen);
  const Eigen::MatrixXd q = qr.householderQ() * Eigen::MatrixXd::Identity(chosen.rows(), chosen.cols());
  const Eigen::VectorXd residual = wanted - chosen * best.values;
  std::vector<double> errors;
  // A row that alone determines a coefficient has leverage 1: nothing can be predicted without it.
  constexpr double kAlone = 1e-9;
  for (Eigen::Index row = 0; row < chosen.rows(); ++row) {
    const double rest = 1 - q.row(row).squaredNorm();
    if (rest <= kAlone) return {};
    errors.push_back(residual(row) / rest);
  }
  return errors;
}

}  // namespace

std::optional<double> root_mean_square(const std::vector<double>& values) {
  if (values.empty()) return std::nullopt;
  double squares = 0;
  for (const double value : values) squares += value * value;
  return std::sqrt(squares / static_cast<double>(values.size()));
}

std::optional<double> LinearFit::error_band() const { return root_mean_square(leave_one_out); }

LinearFit fit_nonnegative(const std::vector<std::vector<double>>& features,
                          const std::vector<double>& targets, const std::string& what) {
  check(features, targets, what);
  const auto rows = static_cast<Eigen::Index>(features.size());
  const auto columns = static_cast<Eigen::Index>(features[0].size());
  Eigen::MatrixXd design(rows, columns);
  for (Eigen::Index row = 0; row < rows; ++row) {
    for (Eigen::Index column = 0; column < columns; ++column) {
      design(row, column) =
          features[static_cast<size_t>(row)][static_cast<size_t>(column)] / targets[static_cast<size_t>(row)];
    }
  }
  // Columns of one size: the rank then does not depend on the units.
  Eigen::VectorXd scale = design.colwise().norm().transpose();
  for (double& value : scale) value = value > 0 ? value : 1;
  design = design * scale.cwiseInverse().asDiagonal();
  const Eigen::VectorXd wanted = Eigen::VectorXd::Ones(rows);

  const Solution best = solve_nonnegative(design, wanted);
  if (best.support.empty()) throw usage_error(what + ": no fit: every feature is 0");

  LinearFit fit;
  fit.rows = static_cast<int>(rows);
  fit.coefficients.assign(static_cast<size_t>(columns), 0.0);
  for (size_t i = 0; i < best.support.size(); ++i) {
    const int column = best.support[i];
    fit.coefficients[static_cast<size_t>(column)] = best.values(static_cast<Eigen::Index>(i)) / scale(column);
  }
  const Eigen::Map<const Eigen::VectorXd> target(targets.data(), rows);
  const Eigen::VectorXd predicted =
      ((design(Eigen::all, best.support) * best.values).array() * target.array()).matrix();
  const double total = (target.array() - target.mean()).square().sum();
  if (targets.size() > best.support.size() && total > 0)
    fit.r2 = 1 - (predicted - target).squaredNorm() / total;
  fit.fitted.assign(predicted.begin(), predicted.end());
  fit.leave_one_out = leave_one_out(design, wanted, best);
  check_finite(fit, what);
  return fit;
}

}  // namespace tinynas
