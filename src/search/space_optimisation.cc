#include "search/space_optimisation.h"

#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <tuple>

#include "base/interrupt.h"
#include "base/progress.h"

namespace tinynas {
namespace {

constexpr int kCdfPoints = 21;
constexpr double kP80 = 0.8;
constexpr size_t kContenders = 3;

struct Sample {
  int64_t macs = 0;
  std::vector<Violation> violations;
};

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

Sample draw(const Constraint& constraint, const SubSpace& sub_space, Rng rng) {
  const CostReport costs = constraint.costs(sample(constraint.space(), sub_space, rng));
  return {costs.macs, violations(costs, constraint.limits())};
}

SubSpaceReport summarise(const SubSpace& sub_space, const std::vector<Sample>& samples,
                         const SpaceOptimisationOptions& options) {
  SubSpaceReport report;
  report.sub_space = sub_space;
  report.sampled = static_cast<int>(samples.size());
  std::vector<int64_t> fitting_macs;
  for (const Sample& sample : samples) {
    for (const Violation& violation : sample.violations) ++report.violations[violation.limit];
    if (sample.violations.empty()) fitting_macs.push_back(sample.macs);
  }
  report.fitting = static_cast<int>(fitting_macs.size());
  report.eligible = report.fitting > 0 && report.fraction() >= options.min_fit_fraction;
  int most = 0;
  for (const auto& [limit, count] : report.violations) {
    if (count > most && count >= options.binding_fraction * report.sampled) {
      most = count;
      report.binding_limit = limit;
    }
  }
  if (fitting_macs.empty()) return report;
  std::sort(fitting_macs.begin(), fitting_macs.end());
  double sum = 0;
  for (const int64_t macs : fitting_macs) sum += static_cast<double>(macs);
  report.mean_macs = sum / report.fitting;
  report.p80_macs = quantile_of(fitting_macs, kP80);
  for (int i = 0; i < kCdfPoints; ++i) {
    report.macs_cdf.push_back(quantile_of(fitting_macs, static_cast<double>(i) / (kCdfPoints - 1)));
  }
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

// Every channel count after rounding: widths for which it is the same make the same networks.
std::vector<int> channels_of(const SearchSpace& space, double width) {
  std::vector<int> channels{scaled_channels(space.stem.channels, width, space.divisor)};
  for (const StageSpec& stage : space.stages) {
    channels.push_back(scaled_channels(stage.channels, width, space.divisor));
  }
  if (space.head_channels > 0) channels.push_back(scaled_channels(space.head_channels, width, space.divisor));
  return channels;
}

// The best of the chosen one's class that hold different networks.
std::vector<const SubSpaceReport*> contenders(const SearchSpace& space,
                                              const std::vector<SubSpaceReport>& ranked) {
  std::vector<const SubSpaceReport*> top;
  for (const SubSpaceReport& report : ranked) {
    if (top.size() == kContenders || rank_class(report) != rank_class(ranked.front())) break;
    const bool known = std::any_of(top.begin(), top.end(), [&](const SubSpaceReport* other) {
      return other->sub_space.resolution == report.sub_space.resolution &&
             channels_of(space, other->sub_space.width) == channels_of(space, report.sub_space.width);
    });
    if (!known) top.push_back(&report);
  }
  return top;
}

std::string warning_of(const SpaceOptimisation& result, const SpaceOptimisationOptions& options) {
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
Architecture nearest_to_fitting(const Constraint& constraint, const std::vector<SubSpaceReport>& reports) {
  Architecture nearest;
  auto least = std::make_pair(std::numeric_limits<double>::infinity(), std::numeric_limits<int64_t>::max());
  for (const SubSpaceReport& report : reports) {
    const Architecture architecture = smallest(constraint.space(), report.sub_space);
    const CostReport costs = constraint.costs(architecture);
    double worst = 0;
    for (const Violation& violation : violations(costs, constraint.limits())) {
      worst = std::max(worst, violation.excess_ratio());
    }
    if (const auto excess = std::make_pair(worst, costs.macs); excess < least) {
      least = excess;
      nearest = architecture;
    }
  }
  return nearest;
}

}  // namespace

void SpaceOptimisationOptions::check() const {
  const auto require = [](bool ok, const char* option, double got, const char* expected) {
    if (!ok)
      throw usage_error(std::string("space optimisation: ") + option + ": got " + std::to_string(got) +
                        ", expected " + expected);
  };
  require(samples >= 1, "samples", samples, "at least 1");
  require(threads >= 0, "threads", threads, "at least 1, or 0 for all");
  require(min_fit_fraction >= 0 && min_fit_fraction <= 1, "min_fit_fraction", min_fit_fraction, "0 to 1");
  require(binding_fraction > 0 && binding_fraction <= 1, "binding_fraction", binding_fraction,
          "above 0, up to 1");
}

SpaceOptimisation optimise_space(const Constraint& constraint, const SpaceOptimisationOptions& options) {
  options.check();
  const SearchSpace& space = constraint.space();
  const Rng root = Rng(options.seed).fork("space optimisation");
  tbb::task_arena arena(options.threads > 0 ? options.threads : tbb::task_arena::automatic);
  SpaceOptimisation result;
  Progress progress("space", static_cast<int64_t>(space.widths.size() * space.resolutions.size()));
  for (const double width : space.widths) {
    for (const int resolution : space.resolutions) {
      check_interrupt();
      const SubSpace sub_space{width, resolution};
      const Rng rng = root.fork(describe(sub_space));
      std::vector<Sample> samples(static_cast<size_t>(options.samples));
      arena.execute([&] {
        tbb::parallel_for(size_t{0}, samples.size(),
                          [&](size_t i) { samples[i] = draw(constraint, sub_space, rng.fork(i)); });
      });
      result.sub_spaces.push_back(summarise(sub_space, samples, options));
      result.sub_spaces.back().smallest_fits = constraint.fits(smallest(space, sub_space));
      progress.update(static_cast<int64_t>(result.sub_spaces.size()), describe(sub_space));
    }
  }
  progress.finish();

  std::sort(result.sub_spaces.begin(), result.sub_spaces.end(), ranks_before);
  const SubSpaceReport& best = result.sub_spaces.front();
  if (best.fitting == 0 && !best.smallest_fits) {
    throw nothing_fits_error(constraint, nearest_to_fitting(constraint, result.sub_spaces));
  }
  result.chosen = best.sub_space;
  for (const SubSpaceReport* report : contenders(space, result.sub_spaces)) {
    result.top.push_back(report->sub_space);
    result.memory_binds |= report->binding_limit == "sram" || report->binding_limit == "flash";
  }
  result.warning = warning_of(result, options);
  return result;
}

nlohmann::json to_json(const SpaceOptimisation& result) {
  const auto grid_point = [](const SubSpace& sub_space) {
    return nlohmann::json{{"width", sub_space.width}, {"resolution", sub_space.resolution}};
  };
  nlohmann::json top = nlohmann::json::array();
  for (const SubSpace& sub_space : result.top) top.push_back(grid_point(sub_space));
  nlohmann::json reports = nlohmann::json::array();
  for (const SubSpaceReport& report : result.sub_spaces) {
    nlohmann::json entry = grid_point(report.sub_space);
    entry.update({{"sampled", report.sampled},
                  {"fitting", report.fitting},
                  {"fraction", report.fraction()},
                  {"eligible", report.eligible},
                  {"smallest_fits", report.smallest_fits},
                  {"mean_macs", report.mean_macs},
                  {"mean_flops", report.mean_flops()},
                  {"p80_macs", report.p80_macs},
                  {"macs_cdf", report.macs_cdf},
                  {"violations", report.violations},
                  {"binding_limit", report.binding_limit}});
    reports.push_back(std::move(entry));
  }
  return {{"chosen", grid_point(result.chosen)},
          {"top", top},
          {"memory_binds", result.memory_binds},
          {"warning", result.warning},
          {"sub_spaces", reports}};
}

}  // namespace tinynas
