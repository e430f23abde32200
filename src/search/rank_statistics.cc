#include "search/rank_statistics.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "base/error.h"

namespace tinynas {
namespace {

void require_pairs(const Series& x, const Series& y) {
  if (x.size() != y.size()) {
    throw std::logic_error("rank statistics: series of " + std::to_string(x.size()) + " and " +
                           std::to_string(y.size()) + " values");
  }
}

int sign(double value) { return (value > 0) - (value < 0); }

// 1 for the smallest; tied values have the mean of their ranks.
Series ranks(const Series& values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return values[a] < values[b]; });
  Series result(values.size());
  for (size_t first = 0; first < order.size();) {
    size_t last = first + 1;
    while (last < order.size() && values[order[last]] == values[order[first]]) ++last;
    for (size_t i = first; i < last; ++i) result[order[i]] = static_cast<double>(first + 1 + last) / 2;
    first = last;
  }
  return result;
}

std::optional<double> pearson(const Series& x, const Series& y) {
  const double count = static_cast<double>(x.size());
  const double mean_x = std::accumulate(x.begin(), x.end(), 0.0) / count;
  const double mean_y = std::accumulate(y.begin(), y.end(), 0.0) / count;
  double xx = 0, yy = 0, xy = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    yy += (y[i] - mean_y) * (y[i] - mean_y);
    xy += (x[i] - mean_x) * (y[i] - mean_y);
  }
  if (xx == 0 || yy == 0) return std::nullopt;
  return std::clamp(xy / std::sqrt(xx * yy), -1.0, 1.0);
}

// Linear between order statistics; `sorted` is not empty.
double quantile(const Series& sorted, double fraction) {
  const double position = fraction * static_cast<double>(sorted.size() - 1);
  const size_t below = static_cast<size_t>(position);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (position - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

Series picked(const Series& values, const std::vector<size_t>& indices) {
  Series result;
  result.reserve(indices.size());
  for (const size_t i : indices) result.push_back(values[i]);
  return result;
}

nlohmann::json json_of(const std::optional<double>& value) {
  return value ? nlohmann::json(*value) : nlohmann::json();
}
nlohmann::json json_of(const std::optional<Interval>& interval) {
  return interval ? nlohmann::json({interval->low, interval->high}) : nlohmann::json();
}

}  // namespace

std::optional<double> kendall_tau_b(const Series& x, const Series& y) {
  require_pairs(x, y);
  int64_t difference = 0;  // concordant less discordant
  int64_t untied_x = 0;
  int64_t untied_y = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    for (size_t j = i + 1; j < x.size(); ++j) {
      const int dx = sign(x[i] - x[j]);
      const int dy = sign(y[i] - y[j]);
      difference += dx * dy;
      untied_x += dx != 0;
      untied_y += dy != 0;
    }
  }
  if (untied_x == 0 || untied_y == 0) return std::nullopt;
  return static_cast<double>(difference) /
         std::sqrt(static_cast<double>(untied_x) * static_cast<double>(untied_y));
}

std::optional<double> spearman_rho(const Series& x, const Series& y) {
  require_pairs(x, y);
  if (x.empty()) return std::nullopt;
  return pearson(ranks(x), ranks(y));
}

std::optional<double> root_mean_square_error(const Series& x, const Series& y) {
  require_pairs(x, y);
  if (x.empty()) return std::nullopt;
  double sum = 0;
  for (size_t i = 0; i < x.size(); ++i) sum += (x[i] - y[i]) * (x[i] - y[i]);
  return std::sqrt(sum / static_cast<double>(x.size()));
}

void BootstrapOptions::check() const {
  if (resamples < 1)
    throw usage_error("bootstrap: resamples: got " + std::to_string(resamples) + ", expected at least 1");
  if (!(confidence > 0 && confidence < 1)) {
    throw usage_error("bootstrap: confidence: got " + std::to_string(confidence) +
                      ", expected above 0, below 1");
  }
}

std::optional<Interval> bootstrap_interval(size_t size, const IndexStatistic& statistic, Rng rng,
                                           const BootstrapOptions& options) {
  options.check();
  if (size == 0) return std::nullopt;
  Series values;
  std::vector<size_t> indices(size);
  for (int resample = 0; resample < options.resamples; ++resample) {
    for (size_t& index : indices) index = static_cast<size_t>(rng.below(static_cast<int64_t>(size)));
    if (const std::optional<double> value = statistic(indices)) values.push_back(*value);
  }
  if (2 * values.size() < static_cast<size_t>(options.resamples)) return std::nullopt;
  std::sort(values.begin(), values.end());
  return Interval{quantile(values, (1 - options.confidence) / 2),
                  quantile(values, (1 + options.confidence) / 2)};
}

RankCorrelation rank_correlation(const Series& judge, const Series& truth, Rng rng,
                                 const BootstrapOptions& options) {
  require_pairs(judge, truth);
  const auto interval_of = [&](std::optional<double> (*statistic)(const Series&, const Series&)) {
    return bootstrap_interval(
        judge.size(),
        [&](const std::vector<size_t>& indices) {
          return statistic(picked(judge, indices), picked(truth, indices));
        },
        rng, options);
  };
  RankCorrelation result;
  result.networks = judge.size();
  result.tau = kendall_tau_b(judge, truth);
  result.rho = spearman_rho(judge, truth);
  if (result.tau) result.tau_interval = interval_of(kendall_tau_b);
  if (result.rho) result.rho_interval = interval_of(spearman_rho);
  return result;
}

nlohmann::json to_json(const RankCorrelation& correlation) {
  return {{"networks", correlation.networks},
          {"tau", json_of(correlation.tau)},
          {"tau_interval", json_of(correlation.tau_interval)},
          {"rho", json_of(correlation.rho)},
          {"rho_interval", json_of(correlation.rho_interval)}};
}

std::string with_interval(const std::optional<double>& value, const std::optional<Interval>& interval) {
  if (!value) return "not defined";
  return fmt::format("{:.2f}", *value) +
         (interval ? fmt::format(" [{:.2f}, {:.2f}]", interval->low, interval->high) : std::string());
}

std::string describe(const RankCorrelation& correlation) {
  return "tau " + with_interval(correlation.tau, correlation.tau_interval) + ", rho " +
         with_interval(correlation.rho, correlation.rho_interval);
}

}  // namespace tinynas
