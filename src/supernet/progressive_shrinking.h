// Once-for-All's progressive shrinking as a rule on architectures.
#pragma once

#include "space/architecture.h"

namespace tinynas {

struct ShrinkingPhase {
  enum class Elastic { kKernel, kDepth, kExpansion };
  Elastic elastic = Elastic::kKernel;  // what became elastic last; what comes later is at its largest
  // The start of a phase: of the dimension that became elastic only the larger half of the options (two of
  // three).
  bool narrow = false;
};

// The phase at `progress` in [0, 1): kernels alone before kernel_end, with depths before depth_end, then with
// expansions and output channels. Kernels are elastic at once, the others narrow for the first sixth of
// their phase (25 of 145 epochs in Once-for-All's code).
ShrinkingPhase shrinking_phase(double progress, double kernel_end, double depth_end);

// `drawn` with every dimension that `phase` does not let shrink (so far) set to `largest`'s; kernels of
// blocks that this adds are drawn. A member of the space.
Architecture grow_to_phase(const SearchSpace& space, const Architecture& largest, const Architecture& drawn,
                           const ShrinkingPhase& phase, Rng& rng);

}  // namespace tinynas
