// Patch-based inference, to compare with: MCUNetV2 (Lin et al. 2021, "MCUNetV2: Memory-Efficient Patch-based
// Inference for Tiny Deep Learning", section 3) computes the first operators p x p patches at a time and the
// rest layer by layer.
#pragma once

#include <cstdint>
#include <vector>

#include "cost_models/memory_plan.h"
#include "graph/graph.h"

namespace tinynas {

struct PatchPlan {
  int split = 0;    // operators computed in patches
  int patches = 1;  // on each axis
  // The most alive at a step, aligned: of a patch the tiles (depthwise and add in place, as layer by layer),
  // scratch and the whole tensor at the split; behind it the layer schedule. No packing: not above what any
  // implementation of this schedule needs with our kernels.
  int64_t bytes = 0;
  int64_t extra_macs = 0;  // of positions that more than one patch computes: the halos
};

// Every split behind which one tensor is alive, of up to `most_patches` patches on each axis; patches are
// equal parts of the split's tensor. Analytic. With a resident input it counts as a whole, else the widest
// patch's tile of it (options.input is `reread`; rows that come once cannot feed patches: Error(kUsage)).
std::vector<PatchPlan> patch_plans(const Graph& graph, const PlanOptions& options, int most_patches = 4);

// The fewest bytes with at most `most_macs` extra MACs; of those, the fewest MACs. patches = 0: there is
// none.
PatchPlan best_patch_plan(const std::vector<PatchPlan>& plans, int64_t most_macs);

}  // namespace tinynas
