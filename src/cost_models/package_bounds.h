// Upper bounds of what is known exactly only after the package was linked: its code and its stack.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "cost_models/memory_plan.h"
#include "graph/graph.h"

namespace tinynas {

// What the bounds were measured with, for whoever prints them.
inline constexpr const char* kBoundsHoldFor =
    "gcc -O2 or -Os with --gc-sections on a Cortex-M, without interrupts; not for -O0 or another compiler";

struct PackageBounds {
  int64_t code_bytes = 0;  // kernels that are linked, operators' constants and calls, alignment of the tables
  int64_t stack_bytes = 0;  // deepest call below <package>_run(), itself included, without interrupts
  // An input of kind `rows`: the state between two rows, exact where pointers have 4 bytes. Whoever pushes
  // rows has it beside the arena; a run that pulls them has it on its stack, which stack_bytes counts too.
  int64_t stream_bytes = 0;
};

// Whether kernel_sizes.inc has the core: else the largest of all stand in for it.
bool has_bounds_of(std::string_view core);

// For gcc -O2 or -Os with --gc-sections on `core` ("cortex-m4"), from kernel_sizes.inc, which
// tools/measure_kernels writes. A core that is not in it, and none (""), get the largest of all. export's
// tests link packages and compare. `linked_twice`: templates that are there with plain requantisation and
// with general (runtime/tn_dsp.h); which ones the weights decide.
PackageBounds package_bounds(const Graph& graph, const MemoryPlan& plan, std::string_view core = {},
                             const std::vector<Kernel>& linked_twice = {});

}  // namespace tinynas
