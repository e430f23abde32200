// The memory plan: which bytes of the arena hold which tensor, when. It is the contract between search,
// export and report; no other code computes memory (design.md, section 1).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cost_models/kernels.h"
#include "cost_models/runtime.h"
#include "cost_models/schedule.h"
#include "cost_models/variant.h"
#include "graph/graph.h"

namespace tinynas {

// Part of every key that stores a cost: raise it whenever a plan of the same graph may change.
inline constexpr int kPlanVersion = 6;

struct PlanOptions {
  Runtime runtime = Runtime::kTinynas;  // whose kernels run: their scratch, and what they can do in place
  // Ours: which instructions they use. Without a board, those of a Cortex-M4.
  KernelVariant variant = KernelVariant::kDsp;
  bool in_place = true;  // depthwise and add may write over an input that dies there
  bool search_order =
      true;  // look for the order of operators that keeps the fewest bytes alive; false: the graph's
  bool greedy_packing = false;  // the largest buffer first and nothing else, as TensorFlow Lite Micro packs
  int alignment = 4;            // bytes; offsets and the arena size are multiples of it

  // What follows is about streaming (docs/decisions/0022-streaming-plans.md). Only our kernels stream.
  Schedule schedule = Schedule::kLayer;
  InputKind input = InputKind::kResident;  // `rows` and `reread` need a schedule other than `layer`
  PlanObjective objective = PlanObjective::kSram;
  // MACs that vertical strips may compute again, as a fraction of the graph's (0.2 = 20 %), for kSram.
  double max_extra_macs = 0;
  // Bytes that the arena may have: what `auto` tries to meet with the layer schedule, and what kMacs must
  // keep to.
  std::optional<int64_t> sram_limit_bytes = std::nullopt;
  int max_strips = 16;  // in a segment, 1 to 64

  // Throws Error(kUsage) naming the option that is out of range or does not go with another.
  void check() const;

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

  // A ring of whole rows: size_bytes = ring_rows * row_bytes. 0: a tensor as a whole, scratch or
  // accumulators.
  int ring_rows = 0;
  int64_t row_bytes = 0;  // of a slot: the widest strip's columns, for every tensor that lives here
  // The output of a stream segment that grows into the rows of the segment's input that were consumed: while
  // both are alive it may overlap that buffer, lying at least gap_bytes below it. -1: it overlaps nothing.
  int grows_into = -1;
  int64_t gap_bytes = 0;

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
  int64_t extra_macs = 0;     // of columns that more than one strip computes
};

// A run of steps. `layer`: one operator after another, on whole tensors. `stream`: row by row, on demand.
struct PlanSegment {
  int first_step = 0;  // into MemoryPlan::order
  int last_step = 0;   // included
  bool streamed = false;
  int strips = 1;          // vertical strips that the segment is run for, one after another
  int64_t extra_macs = 0;  // MACs of columns that more than one strip computes
  int64_t peak_bytes = 0;  // the largest live_bytes of its steps
  int64_t ring_bytes = 0;  // of the rows that stay between operators, its part of every step
  // int32 sums of a global mean at its end, one a channel: index into buffers, -1 for none.
  int accumulator_buffer = -1;
};

// Where a tensor's rows lie in its ring: row r in slot (r * row_step + row_shift) mod ring_rows of its
// buffer, {1, 0} but for a depthwise convolution that writes its row over the row of its input that dies with
// it. In a segment of several strips a slot begins with the first column that column_origin has in the strip.
struct RowSlots {
  int row_step = 1;
  int row_shift = 0;  // 0 or more
  TensorId column_origin = -1;
};

struct MemoryPlan {
  std::vector<PlanStep> order;
  std::vector<PlannedBuffer> buffers;
  std::vector<int> buffer_of_tensor;  // TensorId -> index into buffers
  std::vector<PlanSegment> segments;  // they cover `order`
  std::vector<RowSlots> slots;        // by TensorId; empty where nothing streams
  InputKind input = InputKind::kResident;
  int64_t extra_macs = 0;              // sum over the segments
  int64_t arena_bytes = 0;             // includes the resident input (or the ring of its rows) and scratch
  int64_t arena_excl_input_bytes = 0;  // arena_bytes - input_bytes
  int64_t input_bytes = 0;  // the input tensor's bytes; `rows` and `reread`: of the ring of its rows
  int64_t lower_bound_bytes =
      0;                    // max over steps of live_bytes (aligned): no packing of this order can be below
  int bottleneck_step = 0;  // the step whose live_bytes is the largest

  bool streams() const { return !slots.empty(); }
  int64_t offset_of(TensorId id) const {
    return buffers[static_cast<size_t>(buffer_of_tensor[static_cast<size_t>(id)])].offset_bytes;
  }
};

// The plan for the options' schedule; docs/decisions/0022-streaming-plans.md has the streamed ones. Objective
// kMacs where no schedule keeps to sram_limit_bytes: the smallest arena. Where no schedule exists at all (an
// input that streams and is read again behind an operator that has no row kernel), Error(kUsage).
//
// The `layer` schedule: the operators one after another, in the graph's order or, where that branches, in the
// one that keeps the fewest bytes alive (operator_order.h). An operator works in place where its kernel can,
// the input dies there and that does not raise the bytes alive at its step (a depthwise convolution of very
// few channels needs more scratch than a second tensor). Buffers are packed as in packing.h. The graph must
// pass its check(); its names are not read. Throws Error(kUsage) when the alignment is not a power of two, or
// when the arena would be beyond 2^31 - 1 bytes.
MemoryPlan plan_memory(const Graph& graph, const PlanOptions& options = {});

struct Segment;  // cost_models/segment_costs.h
// The plan of a given partition of the operators, in the order that plan_memory() would run them in.
MemoryPlan plan_segments(const Graph& graph, const PlanOptions& options,
                         const std::vector<Segment>& segments);
// That order: indices into graph.ops.
std::vector<int> planned_order(const Graph& graph, const PlanOptions& options);

// Whether the operators of a segment are called row by row. Not those of a layer segment, and not a streamed
// convolution between two whole tensors, which streams only for its output to grow into its input: there the
// layer's kernel, which goes from the first position to the last, may run as it is.
bool runs_by_rows(const Graph& graph, const MemoryPlan& plan, const PlanSegment& segment);

// For people and files: the first tensor's name, or "<operator>.scratch".
std::string buffer_name(const Graph& graph, const MemoryPlan& plan, const PlannedBuffer& buffer);
// Tensors that live in a buffer one after another, by time; empty for scratch.
std::vector<TensorId> tensors_of_buffer(const Graph& graph, const MemoryPlan& plan, int buffer);

}  // namespace tinynas
