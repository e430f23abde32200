// A network under the schedule that suits it: what search, compile and report judge a candidate by.
#pragma once

#include "cost_models/costs.h"

namespace tinynas {

struct ScheduledCosts {
  // options.plan with its `auto` decided: plan_memory() makes `plan` of them again.
  PlanOptions options;
  MemoryPlan plan;
  CostReport costs;
};

// Schedule `layer` or `stream`: that one. `auto` with options.sram_limit_bytes: the layer schedule where its
// SRAM (arena, stack, reserve: all of SramCost) keeps to the limit (an input that is not resident has none);
// else streaming without computing anything twice; where that exceeds too, streaming with
// options.plan.max_extra_macs; and of those that exceed, the one that needs the least SRAM. `auto` without
// sram_limit_bytes: as plan_memory() decides. Throws as plan_memory() and estimate() do.
ScheduledCosts under_best_schedule(const Graph& graph, const CostOptions& options);

}  // namespace tinynas
