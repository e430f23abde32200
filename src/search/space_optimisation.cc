#include "search/space_optimisation.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <tuple>

namespace tinynas {
namespace {

constexpr int kCdfPoints = 21;
constexpr size_t kContenders = 3;

std::string percent(double fraction) {
  char text[16];
  std::snprintf(text, sizeof text, "%.3g %%", 100.0 * fraction);
  return text;
}

// Nearest rank: the smallest value that at least `quantile` of the sorted values do not exceed.
int64_t quantile_of(const std::vector<int64_t>& sorted, double quantile) {
  // The slack keeps 0.15 * 20 from becoming 4.
  const double rank = std::ceil(quantile * static_cast<double>(sorted.size()) - 1e-9);
  return sorted[static_cast<size_t>(std::max(rank, 1.0)) - 1];
}

void count_violations(SubSpaceReport& report, unsigned bits) {
  for (size_t i = 0; bits >> i != 0; ++i) {
    if ((bits >> i & 1u) != 0) ++report.violations[kLimitNames[i]];
  }
}

void describe_macs(SubSpaceReport& report, const std::vector<int64_t>& fitting) {
  double sum = 0;
  for (const int64_t macs : fitting) sum += static_cast<double>(macs);
  const auto count = static_cast<double>(fitting.size());
  report.mean_macs = sum / count;
  double squares = 0;
  for (const int64_t macs : fitting) squares += std::pow(static_cast<double>(macs) - report.mean_macs, 2);
  report.mean_macs_error = count > 1 ? std::sqrt(squares / (count - 1) / count) : 0;
  report.p50_macs = quantile_of(fitting, 0.5);
  report.p80_macs = quantile_of(fitting, 0.8);
  report.max_macs = fitting.back();
  for (int i = 0; i < kCdfPoints; ++i) {
    report.macs_cdf.push_back(quantile_of(fitting, static_cast<double>(i) / (kCdfPoints - 1)));
  }
}

SubSpaceReport summarise(const SubSpaceSamples& samples, const Limits& limits,
                         const JudgingOptions& options) {
  SubSpaceReport report;
  report.sub_space = samples.sub_space;
  report.sampled = static_cast<int>(samples.rows.size());
  report.smallest_fits = exceeded(samples.smallest, limits) == 0;
  std::vector<int64_t> fitting;  // ascending, as the rows are
  for (const CostRow& row : samples.rows) {
    const unsigned bits = exceeded(row, limits);
    if (bits == 0) fitting.push_back(row.macs);
    count_violations(report, bits);
  }
  report.fitting = static_cast<int>(fitting.size());
  report.eligible = report.fitting > 0 && report.fraction() >= options.min_fit_fraction;
  int most = 0;
  for (const auto& [limit, count] : report.violations) {
    if (count > most && count >= options.binding_fraction * report.sampled) {
      most = count;
      report.binding_limit = limit;
    }
  }
  if (!fitting.empty()) describe_macs(report, fitting);
  return report;
}

// 0 = eligible, 1 = too few samples fit, 2 = only the smallest network is known to fit, 3 = nothing fits.
int rank_class(const SubSpaceReport& report) {
  if (report.eligible) return 0;
  if (report.fitting > 0) return 1;
  return report.smallest_fits ? 2 : 3;
}

bool ranks_before(const SubSpaceReport& a, const SubSpaceReport& b) {
  const auto order = [](const SubSpaceReport& r) {
    return std::make_tuple(rank_class(r), rank_class(r) == 1 ? -r.fraction() : 0.0, -r.mean_macs,
                           -r.sub_space.resolution, -r.sub_space.width);
  };
  return order(a) < order(b);
}

bool same_networks(const SubSpaceReport& a, const SubSpaceReport& b) {
  return a.same_networks_as == b.same_networks_as;
}

// The best of the chosen one's class that hold different networks.
std::vector<const SubSpaceReport*> contenders(const std::vector<SubSpaceReport>& ranked) {
  std::vector<const SubSpaceReport*> top;
  for (const SubSpaceReport& report : ranked) {
    if (top.size() == kContenders || rank_class(report) != rank_class(ranked.front())) break;
    const bool known = std::any_of(
        top.begin(), top.end(), [&](const SubSpaceReport* other) { return same_networks(*other, report); });
    if (!known) top.push_back(&report);
  }
  return top;
}

std::optional<RunnerUp> runner_up_of(const std::vector<SubSpaceReport>& ranked) {
  const SubSpaceReport& chosen = ranked.front();
  const auto found = std::find_if(ranked.begin(), ranked.end(), [&](const SubSpaceReport& report) {
    return report.fitting > 0 && !same_networks(report, chosen);
  });
  if (found == ranked.end() || chosen.fitting == 0) return std::nullopt;
  RunnerUp second{found->sub_space, found->mean_macs, 0, 0, found->eligible};
  const double ratio = found->mean_macs / chosen.mean_macs;
  second.behind = 1.0 - ratio;
  second.behind_error = ratio * std::hypot(found->mean_macs_error / found->mean_macs,
                                           chosen.mean_macs_error / chosen.mean_macs);
  return second;
}

std::string warning_of(const SpaceOptimisation& result, const JudgingOptions& options) {
  const SubSpaceReport& best = result.sub_spaces.front();
  std::string warning;
  if (!best.eligible) {
    warning = "the limits are tight: in no (W,R) do " + percent(options.min_fit_fraction) + " of the " +
              std::to_string(best.sampled) + " samples fit; in the chosen " + describe(best.sub_space) + " " +
              (best.fitting > 0 ? percent(best.fraction()) + " do" : "only the smallest networks do");
  }
  if (!result.memory_binds) {
    std::string names;
    for (const SubSpace& sub_space : result.top) names += (names.empty() ? "" : ", ") + describe(sub_space);
    if (!warning.empty()) warning += "; ";
    warning += "neither SRAM nor Flash is the limit that binds in " + names +
               " (it is: " + best.binding_limit +
               "), so that ranking (W,R) by FLOPs says little; compare them by a short training";
  }
  return warning;
}

// The network of the grid that comes nearest to fitting: the smallest of the sub-space where the worst excess
// is least.
const SubSpaceSamples& nearest_to_fitting(const SpaceSamples& samples, const Limits& limits) {
  const SubSpaceSamples* nearest = nullptr;
  auto least = std::make_pair(std::numeric_limits<double>::infinity(), std::numeric_limits<int64_t>::max());
  for (const SubSpaceSamples& sub_space : samples.sub_spaces) {
    double worst = 0;
    for (const Violation& violation : violations(sub_space.smallest, limits)) {
      worst = std::max(worst, violation.excess_ratio());
    }
    if (const auto excess = std::make_pair(worst, sub_space.smallest.macs);
        nearest == nullptr || excess < least) {
      least = excess;
      nearest = &sub_space;
    }
  }
  return *nearest;
}

bool something_fits(const SubSpaceReport& best) { return best.fitting > 0 || best.smallest_fits; }

}  // namespace

void JudgingOptions::check() const {
  const auto require = [](bool ok, const char* option, double got, const char* expected) {
    if (!ok)
      throw usage_error(std::string("space optimisation: ") + option + ": got " + std::to_string(got) +
                        ", expected " + expected);
  };
  require(min_fit_fraction >= 0 && min_fit_fraction <= 1, "min_fit_fraction", min_fit_fraction, "0 to 1");
  require(binding_fraction > 0 && binding_fraction <= 1, "binding_fraction", binding_fraction,
          "above 0, up to 1");
}

void SpaceOptimisationOptions::check() const {
  SamplingOptions::check();
  JudgingOptions::check();
}

std::vector<SubSpaceReport> rank_sub_spaces(const SpaceSamples& samples, const Limits& limits,
                                            const JudgingOptions& options) {
  options.check();
  std::vector<SubSpaceReport> reports;
  reports.reserve(samples.sub_spaces.size());
  for (const SubSpaceSamples& sub_space : samples.sub_spaces) {
    reports.push_back(summarise(sub_space, limits, options));
    reports.back().same_networks_as = samples.sub_spaces[sub_space.same_as].sub_space;
  }
  std::sort(reports.begin(), reports.end(), ranks_before);
  return reports;
}

SpaceOptimisation judge(const SpaceSamples& samples, const Limits& limits, const JudgingOptions& options) {
  SpaceOptimisation result;
  result.sub_spaces = rank_sub_spaces(samples, limits, options);
  const SubSpaceReport& best = result.sub_spaces.front();
  if (!something_fits(best)) {
    const SubSpaceSamples& nearest = nearest_to_fitting(samples, limits);
    throw nothing_fits_error(nearest.sub_space, nearest.smallest, limits);
  }
  result.chosen = best.sub_space;
  result.runner_up = runner_up_of(result.sub_spaces);
  for (const SubSpaceReport* report : contenders(result.sub_spaces)) {
    result.top.push_back(report->sub_space);
    result.memory_binds |= report->binding_limit == "sram" || report->binding_limit == "flash";
  }
  result.warning = warning_of(result, options);
  return result;
}

SpaceOptimisation optimise_space(const Constraint& constraint, const SpaceOptimisationOptions& options) {
  options.check();
  return judge(draw_samples(constraint, options), constraint.limits(), options);
}

ChoiceMatrix choice_matrix(const SpaceSamples& samples, const std::vector<int64_t>& sram_bytes,
                           const std::vector<int64_t>& flash_bytes, const JudgingOptions& options) {
  ChoiceMatrix matrix{sram_bytes, flash_bytes, {}};
  for (const int64_t sram : sram_bytes) {
    auto& row = matrix.cells.emplace_back();
    for (const int64_t flash : flash_bytes) {
      Limits limits;
      limits.sram_bytes = sram;
      limits.flash_bytes = flash;
      const SubSpaceReport best = rank_sub_spaces(samples, limits, options).front();
      row.emplace_back();
      if (something_fits(best)) {
        row.back() = {best.sub_space, best.mean_macs, best.fraction(), best.eligible};
      }
    }
  }
  return matrix;
}

nlohmann::json to_json(const SpaceOptimisation& result) {
  nlohmann::json top = nlohmann::json::array();
  for (const SubSpace& sub_space : result.top) top.push_back(to_json(sub_space));
  nlohmann::json reports = nlohmann::json::array();
  for (const SubSpaceReport& report : result.sub_spaces) {
    nlohmann::json entry = to_json(report.sub_space);
    entry.update({{"sampled", report.sampled},
                  {"fitting", report.fitting},
                  {"fraction", report.fraction()},
                  {"eligible", report.eligible},
                  {"smallest_fits", report.smallest_fits},
                  {"mean_macs", report.mean_macs},
                  {"mean_macs_error", report.mean_macs_error},
                  {"mean_flops", report.mean_flops()},
                  {"p50_macs", report.p50_macs},
                  {"p80_macs", report.p80_macs},
                  {"max_macs", report.max_macs},
                  {"macs_cdf", report.macs_cdf},
                  {"violations", report.violations},
                  {"binding_limit", report.binding_limit}});
    reports.push_back(std::move(entry));
  }
  nlohmann::json runner_up = nullptr;
  if (result.runner_up) {
    runner_up = to_json(result.runner_up->sub_space);
    runner_up.update({{"mean_macs", result.runner_up->mean_macs},
                      {"behind", result.runner_up->behind},
                      {"behind_error", result.runner_up->behind_error},
                      {"eligible", result.runner_up->eligible}});
  }
  return {{"chosen", to_json(result.chosen)},    {"runner_up", runner_up},    {"top", top},
          {"memory_binds", result.memory_binds}, {"warning", result.warning}, {"sub_spaces", reports}};
}

nlohmann::json to_json(const ChoiceMatrix& matrix) {
  nlohmann::json rows = nlohmann::json::array();
  for (const auto& cells : matrix.cells) {
    nlohmann::json row = nlohmann::json::array();
    for (const std::optional<ChoiceMatrix::Cell>& cell : cells) {
      if (!cell) {
        row.push_back(nullptr);
        continue;
      }
      nlohmann::json entry = to_json(cell->chosen);
      entry.update(
          {{"mean_macs", cell->mean_macs}, {"fraction", cell->fraction}, {"eligible", cell->eligible}});
      row.push_back(std::move(entry));
    }
    rows.push_back(std::move(row));
  }
  return {{"sram_bytes", matrix.sram_bytes}, {"flash_bytes", matrix.flash_bytes}, {"cells", rows}};
}

}  // namespace tinynas
