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
  const bool decides = asked.schedule == Schedule::kAuto && asked.runtime == Runtime::kTinynas &&
                       asked.input == InputKind::kResident && options.sram_limit_bytes;
  if (!decides) return planned(graph, options, asked);

  const auto fits = [&](const ScheduledCosts& scheduled) {
    return scheduled.costs.sram.total_bytes() <= *options.sram_limit_bytes;
  };
  PlanOptions plan = asked;
  plan.schedule = Schedule::kLayer;
  ScheduledCosts best = planned(graph, options, plan);
  plan.schedule = Schedule::kStream;
  plan.max_extra_macs = 0;
  while (!fits(best)) {
    ScheduledCosts streamed = planned(graph, options, plan);
    if (streamed.costs.sram.total_bytes() < best.costs.sram.total_bytes()) best = std::move(streamed);
    if (plan.max_extra_macs == asked.max_extra_macs) break;
    plan.max_extra_macs = asked.max_extra_macs;
  }
  return best;
}

}  // namespace tinynas
