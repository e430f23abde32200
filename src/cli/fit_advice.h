// What a person may change about the schedule so that a network that does not fit does.
#pragma once

#include <string>

#include "cost_models/costs.h"

namespace tinynas {

// For each kind of input a line, beginning with a line break, with the flags under which the network keeps to
// `limits`, its SRAM and the fewest of a few limits of extra MACs; "" where none does. By the bounds of stack
// and code. options.plan.schedule, input and max_extra_macs are not read.
std::string fit_advice(const Graph& graph, const CostOptions& options, const Limits& limits);

}  // namespace tinynas
