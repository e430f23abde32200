// Quantised networks with seeded weights: what the benchmarks of the firmware run. Their values stand for
// nothing; their ranges are those of a trained network's, so that no clamp or rounding path is taken more or
// less often than usual.
#pragma once

#include <vector>

#include "quantize/int8_model.h"

namespace tinynas {

// Weights: normal, scaled by the inputs of an output (He et al. 2015), quantised with ranges calibrated on
// two images.
Int8Model seeded_model(const Graph& graph, uint64_t seed);

// Values uniform over int8, NHWC.
std::vector<int8_t> seeded_input(const Graph& graph, uint64_t seed);

}  // namespace tinynas
