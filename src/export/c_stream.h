// A stream segment of the plan as C: a function for every operator, which makes rows of its output on demand
// and asks its inputs' functions for the rows that it needs. What the plan says of rings, strips and in-place
// rows becomes constants; nothing divides, nothing recurses.
#pragma once

#include <string>
#include <vector>

#include "cost_models/memory_plan.h"
#include "export/c_operators.h"

namespace tinynas {

// The functions of one segment, and of the last of them: `static void segment_<number>(int8_t *arena, const
// int8_t *input, int8_t *output)`. `operators`: of the whole plan, in its order.
std::string c_segment(const Graph& graph, const MemoryPlan& plan, const std::vector<COperator>& operators,
                      size_t number);

}  // namespace tinynas
