// TensorFlow Lite Micro with CMSIS-NN's int8 kernels, as a runtime to be judged on.
#pragma once

#include <cstdint>

#include "graph/graph.h"

namespace tinynas {

// Bytes of scratch that CMSIS-NN's kernels for cores with the DSP extension (Cortex-M4, M7) ask for: what the
// functions arm_*_get_buffer_size of CMSIS-NN return there. Convolution: two columns of int16 (1x1 with
// stride 1: none); depthwise: one column of int16 for each channel (3x3 with padding of at most 1: none);
// others: none.
int64_t tflm_scratch_bytes(const Graph& graph, const Op& op);

}  // namespace tinynas
