// How well one series of figures ranks what another one measured.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/rng.h"

namespace tinynas {

// Pairs (x[i], y[i]); both of the same length. Every function throws std::logic_error where the lengths
// differ.
using Series = std::vector<double>;

// Kendall's tau-b in [-1,1] (Kendall 1945, "The treatment of ties in ranking problems"): concordant less
// discordant pairs over the geometric mean of the pairs that are not tied in x and of those not tied in y.
// Nothing where a series is constant or there are fewer than two pairs. Quadratic in the length.
std::optional<double> kendall_tau_b(const Series& x, const Series& y);

// Spearman's rho in [-1,1]: Pearson's correlation of the ranks, tied values having their mean rank. Nothing
// where a series is constant or there are fewer than two pairs.
std::optional<double> spearman_rho(const Series& x, const Series& y);

// Root of the mean squared difference, in the unit of the series. Nothing for empty series.
std::optional<double> root_mean_square_error(const Series& x, const Series& y);

struct Interval {
  double low = 0;
  double high = 0;
};

struct BootstrapOptions {
  int resamples = 2000;
  double confidence = 0.95;

  // Throws Error(kUsage) naming the option that is out of range.
  void check() const;
};

// A statistic of a sample given by indices, which may repeat; nothing where it is not defined.
using IndexStatistic = std::function<std::optional<double>(const std::vector<size_t>&)>;

// Percentile bootstrap (Efron 1979; Efron and Tibshirani 1993, chapter 13): `statistic` of `resamples` draws
// of `size` indices out of `size` with replacement, and of these values the quantiles (1 -+ confidence) / 2,
// linear between order statistics. Resamples for which the statistic is not defined are left out; nothing
// where more than half are.
std::optional<Interval> bootstrap_interval(size_t size, const IndexStatistic& statistic, Rng rng,
                                           const BootstrapOptions& options = {});

// How `judge` ranks `truth`. What is not defined is absent.
struct RankCorrelation {
  size_t networks = 0;
  std::optional<double> tau;
  std::optional<Interval> tau_interval;
  std::optional<double> rho;
  std::optional<Interval> rho_interval;
};
RankCorrelation rank_correlation(const Series& judge, const Series& truth, Rng rng,
                                 const BootstrapOptions& options = {});

// {"networks", "tau", "tau_interval": [low, high], "rho", "rho_interval"}; null for what is not defined.
nlohmann::json to_json(const RankCorrelation& correlation);

// "0.62 [0.41, 0.78]"; without the interval where there is none, "not defined" without the value.
std::string with_interval(const std::optional<double>& value, const std::optional<Interval>& interval);

// "tau 0.62 [0.41, 0.78], rho 0.80 [0.58, 0.91]"; "not defined" for what is not.
std::string describe(const RankCorrelation& correlation);

}  // namespace tinynas
