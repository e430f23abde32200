// The memory plan: which bytes of the arena hold which tensor, when. It is the contract between search,
// export and report; no other code computes memory (design.md, section 1).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cost_models/kernels.h"
#include "cost_models/runtime.h"
#include "cost_models/variant.h"
#include "graph/graph.h"

namespace tinynas {

// Part of every key that stores a cost: raise it whenever a plan of the same graph may change.
inline constexpr int kPlanVersion = 3;

struct PlanOptions {
  Runtime runtime = Runtime::kTinynas;  // whose kernels run: their scratch, and what they can do in place
  // Ours: which instructions they use. Without a board, those of a Cortex-M4.
  KernelVariant variant = KernelVariant::kDsp;
  bool in_place = true;  // depthwise and add may write over an input that dies there
  bool search_order =
      true;  // look for the order of operators that keeps the fewest bytes alive; false: the graph's
  bool greedy_packing = false;  // the largest buffer first and nothing else, as TensorFlow Lite Micro packs
  int alignment = 4;            // bytes; offsets and the arena size are multiples of it

  // How `runtime` itself plans: kTflm works nowhere in place, in the file's order, packs greedily and aligns
  // to 16 bytes.
  static PlanOptions of(Runtime runtime, KernelVariant variant = KernelVariant::kDsp);
};

// One stretch of the arena: a tensor (several when operators work in place on it) or an operator's scratch.
struct PlannedBuffer {
  TensorId tensor = -1;  // the first that lives here; -1 for scratch
  int64_t offset_bytes = 0;
  int64_t size_bytes = 0;
  int first_step = 0;  // alive from this step of `order` to last_step, both included; the graph input is
  int last_step = 0;   // alive from step 0, the output to the last step
  int full_until_step =
      0;  // where an operator in place leaves a smaller tensor (a strided depthwise convolution), the
  int64_t tail_bytes = 0;  // buffer is tail_bytes long after this step; else full_until_step = last_step

  int64_t bytes_at(int step) const { return step <= full_until_step ? size_bytes : tail_bytes; }
};

struct PlanStep {
  int op = 0;                       // index into graph.ops
  Kernel kernel = Kernel::kConv2d;  // of ours, whatever the runtime
  bool in_place = false;            // the output is at inputs[in_place_input]'s bytes
  int in_place_input = 0;
  int64_t live_bytes = 0;     // tensors alive at this step + its scratch, before alignment and packing
  int64_t scratch_bytes = 0;  // from the kernel's own *_get_buffer_size
  int scratch_buffer = -1;    // index into buffers, -1 for none
};

struct MemoryPlan {
  std::vector<PlanStep> order;
  std::vector<PlannedBuffer> buffers;
  std::vector<int> buffer_of_tensor;   // TensorId -> index into buffers
  int64_t arena_bytes = 0;             // includes the resident input and scratch
  int64_t arena_excl_input_bytes = 0;  // arena_bytes - the input tensor's bytes
  int64_t input_bytes = 0;
  int64_t lower_bound_bytes =
      0;                    // max over steps of live_bytes (aligned): no packing of this order can be below
  int bottleneck_step = 0;  // the step whose live_bytes is the largest

  int64_t offset_of(TensorId id) const {
    return buffers[static_cast<size_t>(buffer_of_tensor[static_cast<size_t>(id)])].offset_bytes;
  }
};

// The `layer` schedule: the operators one after another, in the graph's order or, where that branches, in the
// one that keeps the fewest bytes alive (operator_order.h). An operator works in place where its kernel can,
// the input dies there and that does not raise the bytes alive at its step (a depthwise convolution of very
// few channels needs more scratch than a second tensor). Buffers are packed as in packing.h. The graph must
// pass its check(); its names are not read. Throws Error(kUsage) when the alignment is not a power of two, or
// when the arena would be beyond 2^31 - 1 bytes.
MemoryPlan plan_memory(const Graph& graph, const PlanOptions& options = {});

// For people and files: the first tensor's name, or "<operator>.scratch".
std::string buffer_name(const Graph& graph, const MemoryPlan& plan, const PlannedBuffer& buffer);
// Tensors that live in a buffer one after another, by time; empty for scratch.
std::vector<TensorId> tensors_of_buffer(const Graph& graph, const MemoryPlan& plan, int buffer);

}  // namespace tinynas
