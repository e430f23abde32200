#include "cli/fit_advice.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/units.h"
#include "cost_models/best_schedule.h"

namespace tinynas {
namespace {

constexpr double kExtraMacs[] = {0, 0.1, 0.2, 0.5, 1, 10};  // in the order in which they are tried

// Throws Error(kUsage) where the network has no schedule for that input.
std::string line_for(const Graph& graph, CostOptions options, const Limits& limits, InputKind input) {
  options.plan.schedule = Schedule::kStream;
  options.plan.input = input;
  for (const double extra : kExtraMacs) {
    if (input == InputKind::kRows && extra > 0) break;  // they come once: nothing can be computed again
    options.plan.max_extra_macs = extra;
    const CostReport costs = under_best_schedule(graph, options).costs;
    if (!violations(costs, limits).empty()) continue;
    std::string flags = "--schedule auto";
    if (input != InputKind::kResident) flags += fmt::format(" --input {}", name_of(input));
    if (extra > 0) flags += fmt::format(" --max-extra-macs {}", extra);
    return fmt::format("\n  it would fit with {}: SRAM {}, {:.1f} % of the MACs computed again", flags,
                       format_bytes(costs.sram.total_bytes()),
                       100.0 * static_cast<double>(costs.extra_macs) / static_cast<double>(costs.macs));
  }
  return "";
}

}  // namespace

std::string fit_advice(const Graph& graph, const CostOptions& options, const Limits& limits) {
  std::string advice;
  for (const InputKind input : {InputKind::kResident, InputKind::kRows, InputKind::kReread}) {
    try {
      advice += line_for(graph, options, limits, input);
    } catch (const Error& error) {
      if (error.code() != ExitCode::kUsage) throw;
    }
  }
  return advice;
}

}  // namespace tinynas
