// Where the tensors of one stream segment live. docs/decisions/0022-streaming-plans.md argues why each kind
// of sharing is safe; tests/cost_models/test_stream_execution.cc runs it.
#pragma once

#include <cstdint>
#include <vector>

#include "cost_models/memory_plan.h"
#include "cost_models/row_graph.h"
#include "cost_models/strip_columns.h"

namespace tinynas {

// The operators from `first` to `end` (positions, `end` not included) as one stream segment.
struct SegmentRange {
  int first = 0;
  int end = 0;
  bool holds(const RowTensor& tensor) const {  // its rows need not outlive the segment
    return tensor.producer >= first && tensor.last_read < end;
  }
};

// Rules of sharing, each about the operator at `position` in a segment that holds what it says.
// The sum takes the slot of the row of its earlier input, which waits in a ring and dies there.
bool sum_takes_waiting_row(const RowGraph& graph, const SegmentRange& range, int position);
// The later input, a single row, is written where the sum will be; the addition works in place on it.
bool sum_takes_last_row(const RowGraph& graph, const SegmentRange& range, int position);
// A depthwise convolution writes its row into the slot of the first row of its window. `input_row_bytes`,
// `output_row_bytes`: of the ring's slot and of the row.
bool depthwise_takes_dying_row(const Graph& graph, const RowGraph& rows, const SegmentRange& range,
                               int position, int64_t input_row_bytes, int64_t output_row_bytes);

enum class RowHome {
  kWhole,  // all rows: read after the segment, or before it
  kRing,   // a buffer of ring_rows slots, alive in the whole segment
  kWork    // one row, alive from its producer's step to its reader's
};

struct LaidTensor {
  TensorId id = -1;
  RowHome home = RowHome::kWhole;
  TensorId shares = -1;  // the tensor whose buffer this one lies in; its own id where it has one
  int ring_rows = 0;     // of the buffer, all that share it included; for tensors that have one
  int64_t row_bytes = 0;
  int first_position = 0;  // kWork
  int last_position = 0;
  RowSlots slots;
};

struct LaidOp {
  int in_place_input = -1;  // TensorId, or -1
  int64_t scratch_bytes = 0;
  int64_t extra_macs = 0;  // of columns that more than one strip computes
};

struct SegmentLayout {
  std::vector<LaidTensor> tensors;  // the ring of the graph's input first, then outputs by position
  std::vector<LaidOp> ops;          // by position - first
  int64_t accumulator_bytes = 0;
  int64_t extra_macs = 0;
};

SegmentLayout lay_out(const Graph& graph, const RowGraph& rows, const PlanOptions& options,
                      const SegmentRange& range, int strips);

}  // namespace tinynas
