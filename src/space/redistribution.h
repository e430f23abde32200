// MCUNetV2's redistribution of the receptive field (NeurIPS 2021, section 3.1).
#pragma once

#include "space/space.h"

namespace tinynas {

// The space with small kernels where strips compute halos again, which is early, and the receptive field
// given back later. Stages whose blocks see the input at a stride of less than 8 (stem included) keep only
// their smallest kernel of 3 or more. What the largest network loses of its receptive field by that, in rows
// of the input, is given back by so many more blocks (added to every depth) of the last stage whose kernels
// are elastic. Where no such stage is, or nothing is lost, the space comes back as it is. `space` must pass
// its check(); so does the result.
SearchSpace redistributed(const SearchSpace& space);

// Rows of the input that a value of the last feature map depends on, in the network of the largest kernels
// and depths; padding included.
int64_t largest_receptive_field(const SearchSpace& space);

}  // namespace tinynas
