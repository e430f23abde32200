// The order in which operators run: where a graph branches, some orders keep fewer bytes alive than others.
#pragma once

#include <cstdint>
#include <vector>

#include "cost_models/step_rules.h"
#include "graph/graph.h"

namespace tinynas {

struct OrderOptions {
  int alignment = 4;
  Runtime runtime = Runtime::kTinynas;
  KernelVariant variant = KernelVariant::kDsp;
  int max_states = 5000;  // sets of finished operators that the exact search looks at before it gives up
  int beam_width = 32;    // of the quick search before it, whose result it has to better
};

// The largest sum of bytes alive at a step (tensors and scratch, aligned), when the operators of `graph` run
// in `order` and each works in place where that is cheaper. `order`: indices into graph.ops, every input
// produced before it is read.
int64_t peak_of_order(const Graph& graph, const InPlaceRules& rules, const std::vector<int>& order,
                      const OrderOptions& options);

// An order with the least peak_of_order(): the graph's own where no other is better. Exact where the search
// ends within max_states, else the best that a beam search finds, never worse than the graph's own. Depends
// on nothing but its arguments.
std::vector<int> best_order(const Graph& graph, const InPlaceRules& rules, const OrderOptions& options);

}  // namespace tinynas
