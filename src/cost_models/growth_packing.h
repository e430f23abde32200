// Packing where some buffers grow into others that are being consumed.
#pragma once

#include <vector>

#include "cost_models/packing.h"

namespace tinynas {

// `buffer` may overlap `into` while both are alive, if it begins at least `gap` bytes below it.
struct Growth {
  int buffer = 0;  // index into the lifetimes
  int into = 0;
  int64_t gap = 0;
};

// As pack(), where two buffers that are alive together lie apart or, if the upper one is grown into by the
// lower one, as far as that asks for. First fit in a few orders, from the bottom or both ends, and a bounded
// search around the peak; ends at `lower_bound`. Depends on nothing but its arguments.
Packing pack_growing(const std::vector<Lifetime>& lifetimes, const std::vector<Growth>& growths,
                     int64_t lower_bound);

}  // namespace tinynas
