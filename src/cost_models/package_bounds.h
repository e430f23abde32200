// Upper bounds of what is known exactly only after the package was linked: its code and its stack.
#pragma once

#include <cstdint>

#include "cost_models/memory_plan.h"
#include "graph/graph.h"

namespace tinynas {

struct PackageBounds {
  int64_t code_bytes = 0;  // kernels that are linked, operators' constants and calls, alignment of the tables
  int64_t stack_bytes = 0;  // deepest call below <package>_run(), itself included, without interrupts
};

// For Thumb-2 cores (Cortex-M4, M7, M33) and gcc -O2 or -Os with --gc-sections. export's tests link packages
// and compare.
PackageBounds package_bounds(const Graph& graph, const MemoryPlan& plan);

}  // namespace tinynas
