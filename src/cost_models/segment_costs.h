// What every run of operators costs as one segment of a schedule: the bytes alive and the MACs computed
// again. docs/decisions/0022-streaming-plans.md has the model.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "cost_models/memory_plan.h"
#include "cost_models/row_graph.h"
#include "cost_models/segment_layout.h"
#include "cost_models/step_rules.h"
#include "cost_models/strip_columns.h"

namespace tinynas {

inline constexpr int kMaxStrips = 64;

struct Segment {
  int first = 0;  // positions
  int end = 0;    // not included
  int strips = 1;
  bool streamed = false;
  int64_t bytes = 0;  // alive at once, aligned: the largest of its steps
  int64_t extra_macs = 0;
  // Streamed: the output grows into this tensor, from gap_bytes below it; -1 for none.
  TensorId consumed = -1;
  int64_t gap_bytes = 0;
};

// Every tensor that is held as a whole at the border before a position, and their bytes (aligned).
struct Border {
  std::vector<TensorId> whole;
  int64_t bytes = 0;
};

class SegmentCosts {
 public:
  SegmentCosts(const Graph& graph, const RowGraph& rows, const PlanOptions& options);

  const Border& border(int position) const { return borders_[static_cast<size_t>(position)]; }

  // The operator at `position` on whole tensors. False where it reads an input that is not resident.
  bool layer(int position, Segment& segment) const;

  // Appends every stream segment of `strips` strips that ends before `end`, of up to `most_bytes` and
  // `most_macs` extra MACs. Segments that cannot be executed are left out: each operator must be needed for
  // the last one's rows, all rows of a tensor that is read later too; several strips leave one output.
  void append_streams(int end, int strips, int64_t most_bytes, int64_t most_macs,
                      std::vector<Segment>& segments);

 private:
  // Rows of a tensor that are there when the last operator writes row r: up to min(last, step * r + ahead),
  // at least; `final_last` is the last one that is ever made.
  struct Progress {
    int step = 1;
    int ahead = 0;
    int last = 0;
    int final_last = 0;
  };
  struct Ring {
    int rows = 0;
    int64_t row_bytes = 0;
    int64_t bytes = 0;  // aligned
  };
  // A segment that grows from its end to the front, operator by operator.
  struct Sweep {
    int end = 0;
    int strips = 1;
    int number = 0;     // what seen_ says of tensors that the sweep has met
    int64_t rings = 0;  // bytes of rings
    int64_t fresh = 0;  // of tensors that are held as a whole after the segment, and of accumulators
    int fresh_tensors = 0;
    int64_t work = 0;  // scratch and single rows, the most at a step
    int64_t extra_macs = 0;
    int undecided = -1;  // a depthwise convolution whose row is not in work yet: its producer decides
    bool reads_streamed_input = false;
  };

  int64_t aligned(int64_t bytes) const { return align_up(bytes, options_.alignment); }
  const RowTensor& tensor(TensorId id) const { return rows_.tensor(id); }
  Progress& progress(TensorId id) { return progress_[static_cast<size_t>(id)]; }
  const Progress& progress(TensorId id) const { return progress_[static_cast<size_t>(id)]; }
  bool seen(const Sweep& sweep, TensorId id) const { return seen_[static_cast<size_t>(id)] == sweep.number; }
  int widest(const Sweep& sweep, TensorId id) const;
  int64_t row_bytes(const Sweep& sweep, TensorId id) const;
  ColumnRange* columns(TensorId id) { return &columns_[static_cast<size_t>(id) * kMaxStrips]; }
  const ColumnRange* columns(TensorId id) const { return &columns_[static_cast<size_t>(id) * kMaxStrips]; }

  bool start_output(Sweep& sweep);
  bool add_operator(Sweep& sweep, int position);
  bool need_input(Sweep& sweep, int position, TensorId id);
  void house_output(Sweep& sweep, int position);
  void house_ring(Sweep& sweep, int position);
  void decide_depthwise(Sweep& sweep, int position);
  int64_t undecided_work(const Sweep& sweep) const;
  void raise(Sweep& sweep, int position, int64_t bytes);
  int64_t recomputed_columns(const Sweep& sweep, TensorId id) const;
  int64_t scratch(const Sweep& sweep, int position, bool in_place) const;
  int64_t row_scratch(int position, bool in_place, int columns) const;
  void offer(const Sweep& sweep, int first, int64_t most_bytes, std::vector<Segment>& segments) const;
  void grow_into_input(const Sweep& sweep, int first, Segment& segment) const;
  // Bytes that the output must begin below `consumed`; -1: nothing shows that it may overlap.
  int64_t gap(const Sweep& sweep, int first, TensorId consumed) const;

  const Graph& graph_;
  const RowGraph& rows_;
  const PlanOptions& options_;
  InPlaceRules in_place_;
  std::vector<Border> borders_;
  std::vector<std::array<int64_t, 2>> scratch_;  // by position, of all columns: not in place, in place
  int sweeps_ = 0;
  std::vector<int> seen_;  // by tensor, as what follows
  std::vector<Progress> progress_;
  std::vector<Ring> rings_;
  std::vector<ColumnRange> columns_;  // kMaxStrips a tensor; with one strip not used
  std::vector<int64_t> work_;         // by position
};

}  // namespace tinynas
