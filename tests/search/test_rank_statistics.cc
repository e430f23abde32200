#include <catch2/catch.hpp>
#include <cmath>

#include "base/error.h"
#include "search/rank_statistics.h"

using namespace tinynas;

namespace {

Series random_series(size_t count, Rng& rng, int64_t levels) {
  Series values;
  for (size_t i = 0; i < count; ++i) values.push_back(static_cast<double>(rng.below(levels)));
  return values;
}

}  // namespace

TEST_CASE("tau-b and rho are those worked by hand") {
  // Pairs of (1,2,3,4) with (1,3,2,4): five concordant, one discordant. d = (0,-1,1,0): rho = 1 - 6*2/60.
  CHECK(kendall_tau_b({1, 2, 3, 4}, {1, 3, 2, 4}).value() == Approx(4.0 / 6));
  CHECK(spearman_rho({1, 2, 3, 4}, {1, 3, 2, 4}).value() == Approx(0.8));
  // x tied once: of six pairs five are not tied in x, all concordant: 5 / sqrt(5 * 6).
  CHECK(kendall_tau_b({1, 2, 2, 3}, {1, 2, 3, 4}).value() == Approx(5 / std::sqrt(30.0)));
  // Ranks 1, 2.5, 2.5, 4 with 1, 2, 3, 4: covariance 4.5, variances 4.5 and 5.
  CHECK(spearman_rho({1, 2, 2, 3}, {1, 2, 3, 4}).value() == Approx(4.5 / std::sqrt(4.5 * 5)));
  // Ties in both: pairs (1,2): x tied; (1,3), (2,3), (1,4), (2,4): concordant, concordant, concordant,
  // tied in y for (2,4); (3,4): discordant. C=3, D=1, untied x: 5, untied y: 5.
  CHECK(kendall_tau_b({1, 1, 2, 3}, {1, 2, 3, 2}).value() == Approx(2.0 / 5));
  CHECK(root_mean_square_error({1, 2, 3}, {1, 4, 3}).value() == Approx(std::sqrt(4.0 / 3)));
}

TEST_CASE("a series ranks itself perfectly, its reverse in reverse, and a constant one not at all") {
  const Series x{0.3, 0.1, 0.7, 0.2, 0.9};
  Series reversed;
  for (const double value : x) reversed.push_back(-value);
  for (const auto statistic : {kendall_tau_b, spearman_rho}) {
    CHECK(statistic(x, x).value() == Approx(1));
    CHECK(statistic(x, reversed).value() == Approx(-1));
    CHECK_FALSE(statistic(x, Series(5, 0.5)).has_value());
    CHECK_FALSE(statistic({1}, {1}).has_value());
    CHECK_FALSE(statistic({}, {}).has_value());
    CHECK_THROWS_AS(statistic(x, {1, 2}), std::logic_error);
  }
  CHECK_FALSE(root_mean_square_error({}, {}).has_value());
}

TEST_CASE("rank statistics are symmetric, bounded, and blind to monotone maps and to order") {
  Rng rng(3);
  for (int repeat = 0; repeat < 50; ++repeat) {
    const Series x = random_series(12, rng, 6);
    const Series y = random_series(12, rng, 20);
    std::vector<size_t> order{11, 3, 5, 0, 1, 10, 2, 9, 4, 8, 6, 7};
    Series mapped, moved_x, moved_y;
    for (const double value : x) mapped.push_back(std::exp(0.3 * value) + 7);
    for (const size_t i : order) {
      moved_x.push_back(x[i]);
      moved_y.push_back(y[i]);
    }
    for (const auto statistic : {kendall_tau_b, spearman_rho}) {
      const double value = statistic(x, y).value();
      CHECK(std::abs(value) <= 1);
      CHECK(statistic(y, x).value() == Approx(value));
      CHECK(statistic(mapped, y).value() == Approx(value));
      CHECK(statistic(moved_x, moved_y).value() == Approx(value).margin(1e-12));
    }
  }
}

TEST_CASE("the bootstrap interval of a mean is that of the normal approximation") {
  Rng rng(5);
  Series values;
  double sum = 0, squares = 0;
  for (int i = 0; i < 200; ++i) {
    values.push_back(rng.normal());
    sum += values.back();
    squares += values.back() * values.back();
  }
  const auto mean = [&](const std::vector<size_t>& indices) -> std::optional<double> {
    double total = 0;
    for (const size_t i : indices) total += values[i];
    return total / static_cast<double>(indices.size());
  };
  const double error = std::sqrt((squares / 200 - sum / 200 * sum / 200) / 200);
  const Interval interval = bootstrap_interval(200, mean, Rng(1)).value();
  CHECK(interval.low == Approx(sum / 200 - 1.96 * error).margin(0.15 * error));
  CHECK(interval.high == Approx(sum / 200 + 1.96 * error).margin(0.15 * error));
  const Interval narrower = bootstrap_interval(200, mean, Rng(1), {2000, 0.5}).value();
  CHECK(narrower.low > interval.low);
  CHECK(narrower.high < interval.high);
}

TEST_CASE("a bootstrap depends on its seed alone, and is silent where the statistic is mostly not defined") {
  Rng rng(8);
  const Series x = random_series(15, rng, 100);
  const Series y = random_series(15, rng, 100);
  const RankCorrelation one = rank_correlation(x, y, Rng(4));
  const RankCorrelation same = rank_correlation(x, y, Rng(4));
  CHECK(to_json(one) == to_json(same));
  CHECK(to_json(one) != to_json(rank_correlation(x, y, Rng(5))));
  CHECK(one.tau_interval->low <= *one.tau);
  CHECK(*one.tau <= one.tau_interval->high);
  const auto rarely = [](const std::vector<size_t>& indices) -> std::optional<double> {
    if (indices[0] == 0) return 1.0;
    return std::nullopt;
  };
  CHECK_FALSE(bootstrap_interval(10, rarely, Rng(1)).has_value());
  const RankCorrelation constant = rank_correlation(Series(15, 1.0), y, Rng(4));
  CHECK_FALSE(constant.tau.has_value());
  CHECK(to_json(constant).at("tau").is_null());
  CHECK(describe(constant) == "tau not defined, rho not defined");
  CHECK_THROWS_AS(bootstrap_interval(3, rarely, Rng(1), {0, 0.95}), Error);
  CHECK_THROWS_AS(bootstrap_interval(3, rarely, Rng(1), {100, 1.0}), Error);
}
