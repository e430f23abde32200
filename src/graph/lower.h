// From a genotype to operators.
#pragma once

#include "graph/block_network.h"
#include "space/architecture.h"

namespace tinynas {

// The genotype's blocks with their channels after the width multiplier. Throws Error(kUsage) when the
// architecture is not in the space.
BlockNetwork network_of(const SearchSpace& space, const Architecture& architecture, int num_classes);

// lower(network_of(...)): operators are called "stem"; "stage<i>.block<j>.expand|depthwise|project|add" (i, j
// from 0; "expand" is missing where expansion is 1, "add" where input and output shapes differ, both in DS
// blocks); "head" when the space has one; "pool"; "classifier". Conv outputs are ReLU6 but for an MBConv
// block's project (none).
// SAME padding, made explicit.
Graph lower(const SearchSpace& space, const Architecture& architecture, int num_classes,
            Names names = Names::kFull);

}  // namespace tinynas
