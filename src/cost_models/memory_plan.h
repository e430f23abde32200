// The memory plan: which bytes of the arena hold which tensor, when. It is the contract between search, export and
// report; no other code computes memory (design.md, section 1).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace tinynas {

// Part of every key that stores a cost: raise it whenever a plan of the same graph may change.
inline constexpr int kPlanVersion = 1;

struct PlanOptions {
  bool in_place = true;  // depthwise stride 1 and add may write over an input that dies there
  int alignment = 4;     // bytes; offsets and the arena size are multiples of it
};

// One stretch of the arena: a tensor (several when operators work in place on it) or an operator's scratch.
struct PlannedBuffer {
  std::string name;                // the first tensor's name, or "<op>.scratch"
  std::vector<TensorId> tensors;   // tensors that live here one after another; empty for scratch
  int64_t offset_bytes = 0;
  int64_t size_bytes = 0;
  int first_step = 0;              // alive from this step of `order` to last_step, both included; the graph input is
  int last_step = 0;               // alive from step 0, the output to the last step
};

struct PlanStep {
  int op = 0;                // index into graph.ops
  bool in_place = false;     // the output is at inputs[in_place_input]'s bytes
  int in_place_input = 0;
  int64_t live_bytes = 0;    // tensors alive at this step + its scratch, before alignment and packing
  int64_t scratch_bytes = 0; // from the kernel's own *_get_buffer_size
  int scratch_buffer = -1;   // index into buffers, -1 for none
};

struct MemoryPlan {
  std::vector<PlanStep> order;
  std::vector<PlannedBuffer> buffers;
  std::vector<int> buffer_of_tensor;    // TensorId -> index into buffers
  int64_t arena_bytes = 0;              // includes the resident input and scratch
  int64_t arena_excl_input_bytes = 0;   // arena_bytes - the input tensor's bytes
  int64_t input_bytes = 0;
  int64_t lower_bound_bytes = 0;        // max over steps of live_bytes (aligned): no packing can be below
  int bottleneck_step = 0;              // the step whose live_bytes is the largest

  int64_t offset_of(TensorId id) const { return buffers[static_cast<size_t>(buffer_of_tensor[static_cast<size_t>(id)])].offset_bytes; }
};

// The `layer` schedule: the operators in the graph's order, one after another. An operator works in place where its kernel
// can, the input dies there and that does not raise the bytes alive at its step (a depthwise convolution of very few
// channels needs more scratch than a second tensor). Buffers are packed as in packing.h. The graph must pass its check();
// throws Error(kUsage) when the alignment is not a power of two.
MemoryPlan plan_memory(const Graph& graph, const PlanOptions& options = {});

}  // namespace tinynas
