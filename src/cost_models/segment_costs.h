// What every run of operators costs as one segment of a schedule: the bytes alive and the MACs computed
// again. docs/decisions/0022-streaming-plans.md has the model.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
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

  // Appends every stream segment that ends before `end`, of up to `most_bytes` and `most_macs` extra MACs,
  // for each number of `strips`, one after another. Segments that cannot be executed are left out: each
  // operator must be needed for the last one's rows, all rows of a tensor that is read later too; several
  // strips leave one output, and do not read an input whose rows come once.
  void append_streams(int end, std::span<const int> strips, int64_t most_bytes, int64_t most_macs,
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
    int64_t row_bytes = 0;
    int64_t bytes = 0;  // aligned
  };
  // Columns of a tensor that the strips need. Windows and the cuts at both borders compose: a strip that has
  // [b, e) of the last tensor needs [max(0, b step - before), min(end, (e - 1) step + reach)) of this one,
  // the largest where several readers are cut at different ends.
  struct Cut {
    int64_t reach = 0;
    int64_t end = 0;
  };
  struct Columns {
    int64_t step = 1;
    int64_t before = 0;
    size_t cuts = 0;
    std::array<Cut, 2> cut;  // by falling reach and rising end
    int64_t begin_for(int64_t first) const { return std::max<int64_t>(0, first * step - before); }
    int64_t end_for(int64_t last) const {
      int64_t most = std::min(last * step + cut[0].reach, cut[0].end);
      for (size_t i = 1; i < cuts; ++i)
        most = std::max(most, std::min(last * step + cut[i].reach, cut[i].end));
      return most;
    }
  };
  // Segments of one number of strips. What does not depend on it is done once for all lanes.
  struct Lane {
    int strips = 1;
    int64_t rings = 0;  // bytes of rings
    int64_t work = 0;   // scratch and single rows, the most at a step
    int64_t extra_macs = 0;
    std::array<int, kMaxStrips + 1> begins{};  // of the last tensor's columns, and how many it has
    int middle = 0;                            // one of the widest strips, far from both borders
    std::vector<Segment> found;
  };
  // Segments that grow from their end to the front, operator by operator.
  struct Sweep {
    int end = 0;
    int number = 0;      // what seen_ says of tensors that the sweep has met
    int64_t fresh = 0;   // of tensors that are held as a whole after the segment, and of accumulators
    int undecided = -1;  // a depthwise convolution whose row is not in work yet: its producer decides
    bool reads_streamed_input = false;
    bool has_strips = false;
  };

  int64_t aligned(int64_t bytes) const { return align_up(bytes, options_.alignment); }
  const RowTensor& tensor(TensorId id) const { return rows_.tensor(id); }
  Progress& progress(TensorId id) { return progress_[static_cast<size_t>(id)]; }
  const Progress& progress(TensorId id) const { return progress_[static_cast<size_t>(id)]; }
  bool seen(const Sweep& sweep, TensorId id) const { return seen_[static_cast<size_t>(id)] == sweep.number; }
  // Of what is kept by tensor, or by position, and lane.
  size_t at(int index, size_t lane) const { return static_cast<size_t>(index) * lane_count_ + lane; }
  int64_t row_bytes(size_t lane, TensorId id) const { return row_bytes_[at(id, lane)]; }

  static Columns read_columns(const Window& window, const Columns& made, int width);
  static bool unite(Columns& all, const Columns& more);
  static int64_t count(const Lane& lane, const Columns& columns, int strip);
  static int64_t widest(const Lane& lane, const Columns& columns);
  static int64_t recomputed_columns(const Lane& lane, const Columns& columns);

  void set_lanes(std::span<const int> strips);
  void drop_strips();
  void start_output(const Sweep& sweep);
  void add_operator(Sweep& sweep, int position);
  void need_input(const Sweep& sweep, int position, TensorId id);
  void need_columns(int position, TensorId id, bool first_reader);
  void size_rows(int position);
  void house_output(Sweep& sweep, int position);
  void house_ring(const Sweep& sweep, int position);
  void decide_depthwise(Sweep& sweep, int position);
  int64_t undecided_work(const Sweep& sweep, size_t lane) const;
  void raise(size_t lane, int position, int64_t bytes);
  void raise_row(int position);
  int64_t scratch(size_t lane, int position, bool in_place) const;
  int64_t row_scratch(int position, bool in_place, int columns) const;
  void offer(const Sweep& sweep, int first, int64_t most_bytes);
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
  std::vector<int> ring_rows_;
  std::vector<Columns> columns_;  // with strips alone
  std::vector<Lane> lanes_;
  size_t lane_count_ = 0;
  std::vector<size_t> active_;      // lanes
  std::vector<Ring> rings_;         // by tensor and lane
  std::vector<int64_t> row_bytes_;  // the same, of the widest strip
  std::vector<int64_t> work_;       // by position and lane
  // The same of a depthwise convolution in several strips, as scratch_.
  std::vector<std::array<int64_t, 2>> strip_scratch_;
};

}  // namespace tinynas
