#include "cost_models/best_schedule.h"

namespace tinynas {
namespace {

ScheduledCosts planned(const Graph& graph, const CostOptions& options, const PlanOptions& plan_options) {
  ScheduledCosts scheduled{plan_options, plan_memory(graph, plan_options), {}};
  CostOptions cost_options = options;
  cost_options.plan = plan_options;
  scheduled.costs = estimate(graph, scheduled.plan, cost_options);
  return scheduled;
}

}  // namespace

ScheduledCosts under_best_schedule(const Graph& graph, const CostOptions& options) {
  const PlanOptions& asked = options.plan;
  const bool decides =
      asked.schedule == Schedule::kAuto && asked.runtime == Runtime::kTinynas && options.sram_limit_bytes;
  if (!decides) return planned(graph, options, asked);

  const auto fits = [&](const ScheduledCosts& scheduled) {
    return scheduled.costs.sram.total_bytes() <= *options.sram_limit_bytes;
  };
  PlanOptions stream = asked;
  stream.schedule = Schedule::kStream;
  stream.max_extra_macs = 0;
  PlanOptions first = stream;
  if (asked.input == InputKind::kResident) first.schedule = Schedule::kLayer;
  ScheduledCosts best = planned(graph, options, first);
  const auto improve = [&](const PlanOptions& plan) {
    if (fits(best)) return;
    ScheduledCosts streamed = planned(graph, options, plan);
    if (streamed.costs.sram.total_bytes() < best.costs.sram.total_bytes()) best = std::move(streamed);
  };
  if (first.schedule == Schedule::kLayer) improve(stream);
  stream.max_extra_macs = asked.max_extra_macs;
  if (stream.max_extra_macs > 0) improve(stream);
  return best;
}

}  // namespace tinynas
