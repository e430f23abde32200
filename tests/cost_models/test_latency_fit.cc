#include <Eigen/Dense>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/rng.h"
#include "cost_models/latency_fit.h"

using namespace tinynas;
using Catch::Matchers::Contains;

namespace {

double between(Rng& rng, double low, double high) { return low + (high - low) * rng.uniform(); }

struct Data {
  std::vector<std::vector<double>> features;
  std::vector<double> targets;
};

// Rows of log-uniform features whose target is their product with `planted`, times 1 + noise.
Data planted_data(Rng& rng, const std::vector<double>& planted, int rows, double noise) {
  Data data;
  for (int row = 0; row < rows; ++row) {
    std::vector<double> features;
    double target = 0;
    for (const double coefficient : planted) {
      features.push_back(std::exp(between(rng, std::log(10.0), std::log(1e6))));
      target += coefficient * features.back();
    }
    data.features.push_back(features);
    data.targets.push_back(target * (1 + noise * between(rng, -1, 1)));
  }
  return data;
}

// Sum of squared relative errors.
double cost(const Data& data, const std::vector<double>& coefficients) {
  double total = 0;
  for (size_t row = 0; row < data.targets.size(); ++row) {
    double predicted = 0;
    for (size_t i = 0; i < coefficients.size(); ++i) predicted += coefficients[i] * data.features[row][i];
    total += std::pow(predicted / data.targets[row] - 1, 2);
  }
  return total;
}

}  // namespace

TEST_CASE("a fit recovers planted coefficients") {
  Rng rng(301);
  for (int round = 0; round < 50; ++round) {
    std::vector<double> planted;
    for (int i = 0; i < 4; ++i) planted.push_back(std::exp(between(rng, -3, 3)));
    const Data data = planted_data(rng, planted, 25, 0);
    const LinearFit fit = fit_nonnegative(data.features, data.targets, "planted");
    for (size_t i = 0; i < planted.size(); ++i)
      CHECK(fit.coefficients[i] == Approx(planted[i]).epsilon(1e-6));
    CHECK(*fit.r2 == Approx(1));
    CHECK(*fit.error_band() < 1e-6);
    CHECK(fit.rows == 25);
    for (size_t row = 0; row < 25; ++row) CHECK(fit.fitted[row] == Approx(data.targets[row]));
  }
}

TEST_CASE("no coefficients above 0 fit better than the fit, and none is negative") {
  Rng rng(302);
  for (int round = 0; round < 60; ++round) {
    // Planted negative coefficients make the bound bind.
    std::vector<double> planted{between(rng, 0.5, 2), between(rng, -0.2, 0.5), between(rng, -0.1, 1)};
    Data data = planted_data(rng, planted, 12, 0.3);
    for (double& target : data.targets) target = std::max(target, 1.0);
    const LinearFit fit = fit_nonnegative(data.features, data.targets, "bound");
    const double best = cost(data, fit.coefficients);
    for (const double coefficient : fit.coefficients) CHECK(coefficient >= 0);
    for (int trial = 0; trial < 200; ++trial) {
      std::vector<double> other = fit.coefficients;
      for (double& coefficient : other) {
        coefficient = std::max(0.0, coefficient * (1 + between(rng, -0.1, 0.1)) + between(rng, -1e-3, 1e-3));
      }
      CHECK(cost(data, other) >= best * (1 - 1e-9));
    }
  }
}

TEST_CASE("leave-one-out residuals are those of fits without the row") {
  Rng rng(303);
  for (int round = 0; round < 20; ++round) {
    const Data data = planted_data(rng, {2.0, 5.0, 0.5}, 10, 0.05);
    const LinearFit fit = fit_nonnegative(data.features, data.targets, "whole");
    bool all_positive = true;
    for (const double coefficient : fit.coefficients) all_positive = all_positive && coefficient > 0;
    if (!all_positive) continue;  // without a row another support may be chosen
    REQUIRE(fit.leave_one_out.size() == 10);
    double squares = 0;
    for (size_t left_out = 0; left_out < 10; ++left_out) {
      Eigen::MatrixXd design(9, 3);
      for (size_t row = 0, to = 0; row < 10; ++row) {
        if (row == left_out) continue;
        for (size_t i = 0; i < 3; ++i) {
          design(static_cast<Eigen::Index>(to), static_cast<Eigen::Index>(i)) =
              data.features[row][i] / data.targets[row];
        }
        ++to;
      }
      const Eigen::VectorXd solution = design.colPivHouseholderQr().solve(Eigen::VectorXd::Ones(9));
      double predicted = 0;
      for (size_t i = 0; i < 3; ++i)
        predicted += solution(static_cast<Eigen::Index>(i)) * data.features[left_out][i];
      const double error = 1 - predicted / data.targets[left_out];
      CHECK(fit.leave_one_out[left_out] == Approx(error).margin(1e-9));
      squares += error * error;
    }
    CHECK(*fit.error_band() == Approx(std::sqrt(squares / 10)));
  }
}

TEST_CASE("columns that depend on others or are zero do not break a fit") {
  Rng rng(304);
  Data data = planted_data(rng, {3.0, 7.0}, 8, 0);
  for (auto& row : data.features) row.insert(row.end(), {2 * row[0], 0.0});
  const LinearFit fit = fit_nonnegative(data.features, data.targets, "dependent");
  CHECK(cost(data, fit.coefficients) < 1e-12);
  CHECK(fit.coefficients[3] == 0);
}

TEST_CASE("as many rows as coefficients say nothing about the error") {
  const LinearFit fit = fit_nonnegative({{1e6, 1}, {4e6, 1}}, {20, 50}, "two");
  CHECK(fit.coefficients[0] == Approx(1e-5));
  CHECK(fit.coefficients[1] == Approx(10));
  CHECK_FALSE(fit.r2.has_value());
  CHECK_FALSE(fit.error_band().has_value());
}

TEST_CASE("a coefficient that hangs on one row leaves the error unknown, whatever the other rows say") {
  // Two rows tell the fixed cost, the third alone the slope: without it nothing is known of larger networks.
  const LinearFit fit = fit_nonnegative({{10e6, 1}, {10e6, 1}, {50e6, 1}}, {100, 100, 400}, "alone");
  CHECK(fit.coefficients[0] == Approx(7.5e-6));
  CHECK(fit.leave_one_out.empty());
  CHECK_FALSE(fit.error_band().has_value());
  // A row further on makes it known, and what it says is what the other three predict of each.
  const LinearFit known =
      fit_nonnegative({{10e6, 1}, {10e6, 1}, {50e6, 1}, {90e6, 1}}, {100, 100, 400, 800}, "known");
  CHECK(known.leave_one_out.size() == 4);
  CHECK(*known.error_band() > 0.03);
}

TEST_CASE("numbers that overflow the fit's sums are refused") {
  const std::vector<std::vector<double>> features{{1e306, 1}, {5e306, 1}, {9e306, 1}, {2e307, 1}};
  CHECK_THROWS_WITH(fit_nonnegative(features, {1e307, 5e307, 9.5e307, 1.7e308}, "huge.csv"),
                    Contains("huge.csv") && Contains("too large"));
}

TEST_CASE("what is no measurement is refused") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  const auto refused = [](const std::vector<std::vector<double>>& features,
                          const std::vector<double>& targets) {
    try {
      fit_nonnegative(features, targets, "table.csv");
    } catch (const Error& error) {
      CHECK(error.code() == ExitCode::kUsage);
      CHECK_THAT(error.what(), Contains("table.csv"));
      return true;
    }
    return false;
  };
  CHECK(refused({}, {}));
  CHECK(refused({{1}, {2}}, {1}));
  CHECK(refused({{1}, {2, 3}}, {1, 2}));
  for (const double bad : {nan, infinity, -1.0, 0.0}) CHECK(refused({{1}, {2}}, {1, bad}));
  for (const double bad : {nan, infinity, -1.0}) CHECK(refused({{1}, {bad}}, {1, 2}));
  CHECK(refused({{0}, {0}}, {1, 2}));
}
