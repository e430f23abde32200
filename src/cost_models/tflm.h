// TensorFlow Lite Micro with CMSIS-NN's int8 kernels, as a runtime to be judged on.
//
// Its activations follow from its own planner and kernels (PlanOptions::of(Runtime::kTflm)). What its
// interpreter keeps beside them, and what a .tflite file holds beside weights, is fitted to four networks
// that were measured whole: figures from here are approximate, and whoever prints them says so.
#pragma once

#include <cstdint>

#include "graph/graph.h"

namespace tinynas {

// Bytes of scratch that CMSIS-NN's kernels for cores with the DSP extension (Cortex-M4, M7) ask for: what its
// functions arm_*_get_buffer_size return there. Convolution: two columns of int16 (1x1 with stride 1: none);
// depthwise: one column of int16 for each channel (3x3 with padding of at most 1, and depth
// multipliers above 1: none); average pooling: an int32 for each channel; others: none.
int64_t tflm_scratch_bytes(const Graph& graph, const Op& op);

struct TflmOverhead {
  int64_t persistent_bytes = 0;  // tensors' and nodes' structs, quantisation data of every channel, allocator
  int64_t stack_bytes = 0;       // measured on person detection
  int64_t file_bytes = 0;        // the .tflite file without weights and biases
  int64_t code_bytes =
      0;  // interpreter and kernels: the largest of the four, so an upper bound for their operators
};

// Least-squares fits over operators and output channels to the networks of `tflm_peers()`.
TflmOverhead tflm_overhead(const Graph& graph);

// One network measured on a Cortex-M4 with TensorFlow Lite Micro and CMSIS-NN in an emulator.
struct TflmPeer {
  const char* name;
  int operators;              // of its .tflite file
  int channels;               // output channels of all operators with weights
  int64_t weights_bytes;      // int8 weights and int32 biases
  int64_t total_ram_bytes;    // arena + stack + rest
  int64_t activations_bytes;  // of that
  int64_t linked_flash_bytes;
  int64_t code_bytes;  // of that, all but the file
};
struct TflmPeers {
  const TflmPeer* begin() const;
  const TflmPeer* end() const;
};
TflmPeers tflm_peers();

}  // namespace tinynas
