#include "cost_models/segment_layout.h"

#include <algorithm>

#include "cost_models/step_rules.h"

namespace tinynas {
namespace {

const RowTensor& output_of(const RowGraph& graph, int position) {
  return graph.tensor(graph.op(position).output);
}

bool adds_two(const RowOp& op) { return op.is_add && op.inputs[0] != op.inputs[1]; }

class Layouter {
 public:
  Layouter(const Graph& graph, const RowGraph& rows, const PlanOptions& options, const SegmentRange& range,
           int strips)
      : graph_(graph),
        rows_(rows),
        options_(options),
        range_(range),
        columns_(strips > 1 ? strip_columns(rows, range.first, range.end - 1, strips)
                            : std::vector<std::vector<ColumnRange>>()),
        index_(rows.tensors.size(), -1) {}

  SegmentLayout lay_out() {
    layout_.ops.resize(static_cast<size_t>(range_.end - range_.first));
    add_input_ring();
    for (int position = range_.first; position < range_.end; ++position) add_output(position);
    for (int position = range_.first; position < range_.end; ++position) add_scratch(position);
    const RowOp& last = rows_.op(range_.end - 1);
    layout_.accumulator_bytes = last.accumulator_bytes;
    count_extra_macs();
    return std::move(layout_);
  }

 private:
  const RowTensor& tensor(TensorId id) const { return rows_.tensor(id); }
  LaidOp& laid(int position) { return layout_.ops[static_cast<size_t>(position - range_.first)]; }
  LaidTensor& laid_tensor(TensorId id) {
    return layout_.tensors[static_cast<size_t>(index_[static_cast<size_t>(id)])];
  }

  int widest(TensorId id) const {
    if (columns_.empty()) return tensor(id).w;
    int most = 0;
    for (const ColumnRange& range : columns_[static_cast<size_t>(id)]) most = std::max(most, range.count());
    return most;
  }
  int64_t row_bytes(TensorId id) const { return widest(id) * tensor(id).column_bytes; }

  LaidTensor& append(TensorId id, RowHome home) {
    index_[static_cast<size_t>(id)] = static_cast<int>(layout_.tensors.size());
    LaidTensor& laid = layout_.tensors.emplace_back();
    laid.id = laid.shares = laid.slots.column_origin = id;
    laid.home = home;
    return laid;
  }

  void append_ring(TensorId id) {
    LaidTensor& ring = append(id, RowHome::kRing);
    ring.ring_rows = tensor(id).ring_rows;
    ring.row_bytes = row_bytes(id);
  }

  // Rows of an input that is not resident arrive in a ring of the segment that reads them.
  void add_input_ring() {
    if (options_.input != InputKind::kResident && range_.first == 0) append_ring(graph_.input);
  }

  void add_output(int position) {
    const RowOp& op = rows_.op(position);
    const TensorId id = op.output;
    if (!range_.holds(tensor(id))) {
      append(id, RowHome::kWhole);
      if (options_.in_place && sum_takes_last_row(rows_, range_, position)) share_last_row(position);
      return;
    }
    if (options_.in_place && sum_takes_waiting_row(rows_, range_, position)) {
      take_waiting_row(position);
    } else if (tensor(id).transient) {
      add_work_row(position);
    } else {
      append_ring(id);
    }
    if (options_.in_place && sum_takes_last_row(rows_, range_, position)) share_last_row(position);
  }

  // The earlier input's ring grows by the sum's rows, less the one that changes hands.
  void take_waiting_row(int position) {
    const RowOp& op = rows_.op(position);
    const TensorId owner = laid_tensor(op.inputs[0]).shares;
    LaidTensor& sum = append(op.output, RowHome::kRing);
    LaidTensor& ring = laid_tensor(owner);
    ring.ring_rows += tensor(op.output).ring_rows - 1;
    ring.row_bytes = std::max(ring.row_bytes, row_bytes(op.output));
    sum.shares = sum.slots.column_origin = owner;
    laid(position).in_place_input = op.inputs[0];
  }

  void share_last_row(int position) {
    const RowOp& op = rows_.op(position);
    LaidTensor& row = laid_tensor(op.inputs[1]);
    const LaidTensor& sum = laid_tensor(op.output);
    row.home = sum.home;
    row.shares = sum.shares;
    row.slots = sum.slots;
    if (sum.home == RowHome::kWork) laid_tensor(sum.shares).first_position = position - 1;
    laid(position).in_place_input = op.inputs[1];
  }

  void add_work_row(int position) {
    const RowOp& op = rows_.op(position);
    const RowTensor& made = tensor(op.output);
    if (op.is_depthwise && depthwise_in_place(position)) {
      const LaidTensor& input = laid_tensor(op.inputs[0]);
      const int rows = input.ring_rows;
      LaidTensor& row = append(op.output, RowHome::kRing);
      row.shares = op.inputs[0];
      row.slots.row_step = op.rows.stride;
      row.slots.row_shift = (rows - op.rows.pad) % rows;
      laid(position).in_place_input = op.inputs[0];
      return;
    }
    LaidTensor& row = append(op.output, RowHome::kWork);
    row.ring_rows = 1;
    row.row_bytes = row_bytes(op.output);
    row.first_position = position;
    row.last_position = made.last_read;
  }

  // Of its input, by the operator alone, in the widest strip.
  int columns_read(const RowOp& op) const {
    if (columns_.empty() || op.reduces) return tensor(op.inputs[0]).w;
    int most = 0;
    for (const ColumnRange& range : columns_[static_cast<size_t>(op.output)])
      most = std::max(most, input_columns(op.columns, range, tensor(op.inputs[0]).w).count());
    return most;
  }

  int64_t scratch(int position, bool in_place) const {
    const RowOp& op = rows_.op(position);
    return row_scratch_bytes(graph_, graph_.ops[static_cast<size_t>(op.op)], in_place, columns_read(op),
                             options_.variant);
  }

  bool depthwise_in_place(int position) const {
    const RowOp& op = rows_.op(position);
    if (!options_.in_place || !depthwise_takes_dying_row(graph_, rows_, range_, position,
                                                         row_bytes(op.inputs[0]), row_bytes(op.output)))
      return false;
    const auto aligned = [&](int64_t bytes) { return align_up(bytes, options_.alignment); };
    return aligned(scratch(position, true)) <=
           aligned(scratch(position, false)) + aligned(row_bytes(op.output));
  }

  void add_scratch(int position) {
    const bool in_place = rows_.op(position).is_depthwise && laid(position).in_place_input >= 0;
    laid(position).scratch_bytes = scratch(position, in_place);
  }

  void count_extra_macs() {
    if (columns_.empty()) return;
    std::vector<int> rows(rows_.tensors.size(), 0);  // that are made at all
    for (int position = range_.end - 1; position >= range_.first; --position) {
      const RowOp& op = rows_.op(position);
      int& made = rows[static_cast<size_t>(op.output)];
      if (position == range_.end - 1) made = tensor(op.reduces ? op.inputs[0] : op.output).h;
      for (int i = 0; i < op.input_count; ++i) {
        const TensorId id = op.inputs[static_cast<size_t>(i)];
        int& needed = rows[static_cast<size_t>(id)];
        needed = std::max(needed, std::min(tensor(id).h, op.rows.last(made - 1) + 1));
      }
      int end = 0;
      int again = 0;
      for (const ColumnRange& range : columns_[static_cast<size_t>(op.output)]) {
        again += std::max(0, end - range.begin);
        end = std::max(end, range.end);
      }
      if (op.reduces) continue;
      laid(position).extra_macs = op.column_macs / tensor(op.output).h * made * again;
      layout_.extra_macs += laid(position).extra_macs;
    }
  }

  const Graph& graph_;
  const RowGraph& rows_;
  const PlanOptions& options_;
  const SegmentRange range_;
  const std::vector<std::vector<ColumnRange>> columns_;  // none for one strip
  std::vector<int> index_;                               // of a tensor in layout_.tensors
  SegmentLayout layout_;
};

}  // namespace

bool sum_takes_waiting_row(const RowGraph& graph, const SegmentRange& range, int position) {
  const RowOp& op = graph.op(position);
  const RowTensor& sum = graph.tensor(op.output);
  if (!adds_two(op) || !range.holds(sum) || sum.transient) return false;
  const RowTensor& waiting = graph.tensor(op.inputs[0]);
  return waiting.producer >= range.first && waiting.last_read == position && waiting.dies_in_add;
}

bool sum_takes_last_row(const RowGraph& graph, const SegmentRange& range, int position) {
  const RowOp& op = graph.op(position);
  if (!adds_two(op) || sum_takes_waiting_row(graph, range, position)) return false;
  const RowTensor& last = graph.tensor(op.inputs[1]);
  // A sum of sums would hand on what it was handed.
  return last.producer >= range.first && last.transient && !graph.op(last.producer).is_add;
}

bool depthwise_takes_dying_row(const Graph& graph, const RowGraph& rows, const SegmentRange& range,
                               int position, int64_t input_row_bytes, int64_t output_row_bytes) {
  const RowOp& op = rows.op(position);
  const RowTensor& in = rows.tensor(op.inputs[0]);
  const RowTensor& out = output_of(rows, position);
  if (!op.is_depthwise || !range.holds(out) || !out.transient || rows.op(out.last_read).is_add) return false;
  // Its ring has a slot for every row of the window, and no other tensor's rows are in it.
  return in.producer == position - 1 && in.producer >= range.first && !rows.op(in.producer).is_add &&
         in.readers == 1 && !in.transient && in.ring_rows == op.rows.kernel &&
         output_row_bytes <= input_row_bytes &&
         every_window_begins_inside(graph.ops[static_cast<size_t>(op.op)], graph.tensor(op.inputs[0]).shape,
                                    graph.tensor(op.output).shape);
}

SegmentLayout lay_out(const Graph& graph, const RowGraph& rows, const PlanOptions& options,
                      const SegmentRange& range, int strips) {
  return Layouter(graph, rows, options, range, strips).lay_out();
}

}  // namespace tinynas
