#include "search/constraint.h"

#include "base/hash.h"
#include "base/units.h"
#include "graph/lower.h"

namespace tinynas {
namespace {

nlohmann::json board_json(const Board& board, Runtime runtime) {
  const LatencyModel* latency = board.latency_model(runtime);
  return {{"name", board.name},
          {"core", board.core},
          {"sram_reserve_bytes", board.sram_reserve_bytes},
          {"flash_reserve_bytes", board.flash_reserve_bytes},
          {"clock_hz", board.clock_hz},
          {"active_power_mw", board.active_power_mw},
          {"latency", latency != nullptr ? to_json(*latency) : nlohmann::json()}};
}

// Under `auto` the limit decides the schedule, and thereby the costs.
nlohmann::json schedule_json(const CostOptions& options) {
  const bool decides = options.plan.schedule == Schedule::kAuto && options.sram_limit_bytes;
  return {{"schedule", name_of(options.plan.schedule)},
          {"input", name_of(options.plan.input)},
          {"max_extra_macs", options.plan.max_extra_macs},
          {"sram_limit_bytes", decides ? nlohmann::json(*options.sram_limit_bytes) : nlohmann::json()}};
}

}  // namespace

Constraint::Constraint(SearchSpace space, int num_classes, Limits limits, CostOptions options)
    : space_(std::move(space)), num_classes_(num_classes), limits_(limits), options_(options) {
  space_.check();
  limits_.check(options_.board != nullptr);
  if (num_classes_ < 1) {
    throw usage_error("number of classes: got " + std::to_string(num_classes_) + ", expected at least 1");
  }
  options_.per_operator = false;
  const nlohmann::json described = {
      {"space", to_json(space_)},
      {"num_classes", num_classes_},
      {"plan_version", kPlanVersion},
      {"in_place", options_.plan.in_place},
      {"alignment", options_.plan.alignment},
      {"variant", name_of(options_.plan.variant)},
      {"schedule", schedule_json(options_)},
      {"board", options_.board ? board_json(*options_.board, options_.plan.runtime) : nlohmann::json()}};
  key_ = hash_hex(described.dump());
}

CostReport Constraint::costs(const Architecture& architecture) const {
  return estimate(lower(space_, architecture, num_classes_, Names::kNone), options_);
}

std::vector<Violation> Constraint::violations(const Architecture& architecture) const {
  return tinynas::violations(costs(architecture), limits_);
}

std::string describe(const SubSpace& sub_space) { return encode(Architecture{sub_space, {}}); }

Error nothing_fits_error(const Constraint& constraint, const Architecture& smallest) {
  return nothing_fits_error(smallest.sub_space, cost_row(constraint.costs(smallest)), constraint.limits());
}

Error nothing_fits_error(const SubSpace& sub_space, const CostRow& smallest, const Limits& limits) {
  std::string message = "nothing fits. The smallest network, " + describe(sub_space) + ", needs " +
                        format_bytes(smallest.sram_bytes) + " SRAM, " + format_bytes(smallest.flash_bytes) +
                        " Flash and " + format_count(smallest.macs) + " MACs:";
  for (const Violation& violation : violations(smallest, limits)) message += "\n  " + describe(violation);
  return {ExitCode::kNothingFits, message};
}

Architecture sample_fitting(const Constraint& constraint, const SubSpace& sub_space, Rng& rng, int attempts) {
  // Each crossing halves the distance to the smallest network on average: far more rounds than any space has
  // genes.
  constexpr int kMaxCrossings = 64;
  const SearchSpace& space = constraint.space();
  for (int i = 0; i < attempts; ++i) {
    Architecture drawn = sample(space, sub_space, rng);
    if (constraint.fits(drawn)) return drawn;
  }
  const Architecture least = smallest(space, sub_space);
  if (!constraint.fits(least)) throw nothing_fits_error(constraint, least);
  Architecture shrinking = sample(space, sub_space, rng);
  for (int i = 0; i < kMaxCrossings; ++i) {
    if (constraint.fits(shrinking)) return shrinking;
    shrinking = crossover(space, shrinking, least, rng);
  }
  return least;
}

}  // namespace tinynas
