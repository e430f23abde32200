// A mock executor of memory plans: it runs every schedule on an arena of stamps, row by row and strip by
// strip, and checks that each read finds what it asks for. It believes what a plan says about homes, strips
// and offsets; which rows and columns an operator needs it works out from the graph alone.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cost_models/memory_plan.h"
#include "cost_models/row_graph.h"
#include "cost_models/strip_columns.h"
#include "graph/graph.h"
#include "runtime/tn_buffer_sizes.h"

namespace tinynas::testing {

class StreamExecution {
 public:
  // `positions`: how many a convolution on whole tensors computes at once.
  StreamExecution(const Graph& graph, const MemoryPlan& plan, int positions = TN_CONV2D_POSITIONS)
      : graph_(graph),
        plan_(plan),
        positions_(positions),
        rows_(graph, order_of(plan)),
        arena_(static_cast<size_t>(plan.arena_bytes), 0),
        made_(graph.tensors.size(), 0),
        columns_made_(graph.tensors.size(), 0) {}

  // Empty when everything was found; else the first thing that went wrong.
  std::string run() {
    if (plan_.input == InputKind::kResident) write_whole(graph_.input);
    for (const PlanSegment& segment : plan_.segments) {
      for (int step = segment.first_step; !segment.streamed && step <= segment.last_step; ++step)
        run_layer(plan_.order[static_cast<size_t>(step)]);
      if (segment.streamed && runs_by_rows(graph_, plan_, segment)) run_stream(segment);
      if (segment.streamed && !runs_by_rows(graph_, plan_, segment)) run_whole(segment);
      if (!error_.empty()) return error_;
    }
    read_whole(graph_.output, "the end");
    return error_;
  }

  // Of the tensor's rows, in the last strip of its segment. Some are never asked for, where nobody reads
  // them.
  int rows_made(TensorId id) const { return made_[static_cast<size_t>(id)]; }

  // MACs of all rows and columns that were computed in stream segments, less each position's first time.
  int64_t extra_macs() const { return extra_macs_; }

 private:
  static constexpr uint32_t kPoison = 0xDEAD0000u;

  static std::vector<int> order_of(const MemoryPlan& plan) {
    std::vector<int> order;
    for (const PlanStep& step : plan.order) order.push_back(step.op);
    return order;
  }

  const Shape& shape(TensorId id) const { return graph_.tensor(id).shape; }
  const PlannedBuffer& buffer(TensorId id) const {
    return plan_.buffers[static_cast<size_t>(plan_.buffer_of_tensor[static_cast<size_t>(id)])];
  }
  uint32_t stamp(TensorId id, int row, int column) const {
    return (static_cast<uint32_t>(id + 1) << 20) + static_cast<uint32_t>(row * shape(id).w + column) + 1;
  }
  void fail(const std::string& what) {
    if (error_.empty()) error_ = what;
  }
  std::string place(TensorId id, int row, int column) const {
    return graph_.tensor(id).name + "[" + std::to_string(row) + "][" + std::to_string(column) + "]";
  }

  ColumnRange columns(TensorId id) const {
    if (strips_.empty()) return {0, shape(id).w};
    return strips_[static_cast<size_t>(id)][static_cast<size_t>(strip_)];
  }

  int64_t address(TensorId id, int row, int column) const {
    const PlannedBuffer& home = buffer(id);
    const Shape& s = shape(id);
    if (home.ring_rows == 0) return home.offset_bytes + (int64_t{row} * s.w + column) * s.c;
    const RowSlots& slots = plan_.slots[static_cast<size_t>(id)];
    const int64_t slot = (int64_t{row} * slots.row_step + slots.row_shift) % home.ring_rows;
    const int begin = columns(slots.column_origin).begin;
    const int64_t at = int64_t{column - begin} * s.c;
    if (at < 0 || at + s.c > home.row_bytes) return -1;
    return home.offset_bytes + slot * home.row_bytes + at;
  }

  void write(TensorId id, int row, int column, uint32_t value) {
    const int64_t at = address(id, row, column);
    if (at < 0 || at + shape(id).c > plan_.arena_bytes) return fail(place(id, row, column) + " is outside");
    std::fill_n(arena_.begin() + at, shape(id).c, value);
  }

  void read(TensorId id, int row, int column, const std::string& reader) {
    const int64_t at = address(id, row, column);
    const auto found = [&](int64_t byte) {
      return arena_[static_cast<size_t>(byte)] == stamp(id, row, column);
    };
    bool all = at >= 0 && at + shape(id).c <= plan_.arena_bytes;
    for (int64_t byte = at; all && byte < at + shape(id).c; ++byte) all = found(byte);
    if (!all) fail(reader + " does not find " + place(id, row, column));
  }

  void write_whole(TensorId id) {
    for (int row = 0; row < shape(id).h; ++row) {
      for (int column = 0; column < shape(id).w; ++column) write(id, row, column, stamp(id, row, column));
    }
  }
  void read_whole(TensorId id, const std::string& reader) {
    for (int row = 0; row < shape(id).h; ++row) {
      for (int column = 0; column < shape(id).w; ++column) read(id, row, column, reader);
    }
  }

  void poison(int index) {
    if (index < 0) return;
    const PlannedBuffer& scratch = plan_.buffers[static_cast<size_t>(index)];
    std::fill_n(arena_.begin() + scratch.offset_bytes, scratch.size_bytes, kPoison);
  }

  void run_layer(const PlanStep& step) {
    const Op& op = graph_.ops[static_cast<size_t>(step.op)];
    poison(step.scratch_buffer);
    if (!step.in_place) write_whole(op.output);
    for (const TensorId id : op.inputs) read_whole(id, op.name);
    if (!step.in_place) return;
    if (address(op.inputs[static_cast<size_t>(step.in_place_input)], 0, 0) != address(op.output, 0, 0))
      fail(op.name + " is in place at another address");
    write_whole(op.output);
  }

  // The layer's kernel, where a convolution streams between whole tensors: blocks of positions, one after
  // another. With several positions all is read before anything is written; with one, or a 1x1 window,
  // nothing is read before the block's outputs are spoilt.
  void run_whole(const PlanSegment& segment) {
    const PlanStep& step = plan_.order[static_cast<size_t>(segment.first_step)];
    const RowOp& row = rows_.op(segment.first_step);
    const Shape& out = shape(row.output);
    const bool spoils = positions_ == 1 || step.kernel == Kernel::kConv2d1x1;
    poison(step.scratch_buffer);
    for (int begin = 0; begin < out.h * out.w && error_.empty(); begin += positions_) {
      const int end = std::min(begin + positions_, out.h * out.w);
      for (int at = begin; spoils && at < end; ++at) write(row.output, at / out.w, at % out.w, kPoison + 1);
      for (int at = begin; at < end; ++at) read_window(row, at / out.w, at % out.w);
      for (int at = begin; at < end; ++at)
        write(row.output, at / out.w, at % out.w, stamp(row.output, at / out.w, at % out.w));
    }
    made_[static_cast<size_t>(row.output)] = out.h;
  }

  void read_window(const RowOp& row, int out_y, int out_x) {
    const TensorId id = row.inputs[0];
    const std::string& reader = graph_.ops[static_cast<size_t>(row.op)].name;
    for (int y = std::max(0, row.rows.first(out_y)); y <= std::min(shape(id).h - 1, row.rows.last(out_y));
         ++y) {
      const int last = std::min(shape(id).w - 1, row.columns.last(out_x));
      for (int x = std::max(0, row.columns.first(out_x)); x <= last; ++x) read(id, y, x, reader);
    }
  }

  void run_stream(const PlanSegment& segment) {
    segment_ = &segment;
    const RowOp& last = rows_.op(segment.last_step);
    if (last.reduces) {
      poison(segment.accumulator_buffer);
      if (segment.accumulator_buffer < 0) fail("a global mean without sums");
    }
    for (int step = segment.first_step; step <= segment.last_step; ++step)
      columns_made_[static_cast<size_t>(rows_.op(step).output)] = 0;
    strips_.clear();
    if (segment.strips > 1) {
      strips_ = strip_columns(rows_, segment.first_step, segment.last_step, segment.strips);
      if (strips_.empty()) return fail("no columns for a strip");
    }
    for (strip_ = 0; strip_ < segment.strips; ++strip_) {
      input_rows_ = 0;
      for (int step = segment.first_step; step <= segment.last_step; ++step)
        made_[static_cast<size_t>(rows_.op(step).output)] = 0;
      const int count = shape(last.reduces ? last.inputs[0] : last.output).h;
      for (int row = 0; row < count && error_.empty(); ++row) make_row(segment.last_step, row);
      for (int step = segment.first_step; step <= segment.last_step; ++step) count_columns(step);
    }
    if (last.reduces) write_whole(last.output);
    strips_.clear();
  }

  void count_columns(int step) {
    const RowOp& op = rows_.op(step);
    if (op.reduces) return;
    const ColumnRange range = columns(op.output);
    int& before = columns_made_[static_cast<size_t>(op.output)];
    const int64_t again = std::max(0, before - range.begin);
    extra_macs_ +=
        again * made_[static_cast<size_t>(op.output)] *
        (macs(graph_, graph_.ops[static_cast<size_t>(op.op)]) / shape(op.output).w / shape(op.output).h);
    before = std::max(before, range.end);
  }

  void fetch_input(int rows) {
    for (; input_rows_ < rows; ++input_rows_) {
      const ColumnRange range = columns(graph_.input);
      for (int column = range.begin; column < range.end; ++column)
        write(graph_.input, input_rows_, column, stamp(graph_.input, input_rows_, column));
    }
  }

  void make_row(int step, int row) {
    const RowOp& op = rows_.op(step);
    for (int i = 0; i < op.input_count; ++i) {
      const TensorId id = op.inputs[static_cast<size_t>(i)];
      const int rows = std::min(shape(id).h, op.rows.last(row) + 1);
      const int producer = rows_.tensor(id).producer;
      if (id == graph_.input && plan_.input != InputKind::kResident) fetch_input(rows);
      if (producer < segment_->first_step) continue;
      while (made_[static_cast<size_t>(id)] < rows && error_.empty())
        make_row(producer, made_[static_cast<size_t>(id)]);
    }
    if (error_.empty()) run_row_kernel(step, row);
    ++made_[static_cast<size_t>(op.output)];
  }

  void write_row(const RowOp& op, int row, uint32_t poison) {
    const ColumnRange range = columns(op.output);
    for (int column = range.begin; column < range.end; ++column)
      write(op.output, row, column, poison != 0 ? poison : stamp(op.output, row, column));
  }

  // Neither kernel here is kinder than a real one: scratch is overwritten first, and so is the output row
  // unless the kernel works in place.
  void run_row_kernel(int step, int row) {
    const PlanStep& planned = plan_.order[static_cast<size_t>(step)];
    const RowOp& op = rows_.op(step);
    const std::string& name = graph_.ops[static_cast<size_t>(op.op)].name;
    poison(planned.scratch_buffer);
    if (op.reduces) {
      check_sums(row);
    } else if (!planned.in_place) {
      write_row(op, row, kPoison + 1);
    }
    const ColumnRange made = columns(op.output);
    for (int i = 0; i < op.input_count; ++i) {
      const TensorId id = op.inputs[static_cast<size_t>(i)];
      for (int y = std::max(0, op.rows.first(row)); y <= std::min(shape(id).h - 1, op.rows.last(row)); ++y) {
        if (op.reduces) {
          for (int x = columns(id).begin; x < columns(id).end; ++x) read(id, y, x, name);
          continue;
        }
        for (int out = made.begin; out < made.end; ++out) {
          const int last = std::min(shape(id).w - 1, op.columns.last(out));
          for (int x = std::max(0, op.columns.first(out)); x <= last; ++x) read(id, y, x, name);
        }
      }
    }
    if (op.reduces) return;
    if (planned.in_place) check_in_place(step, row);
    write_row(op, row, 0);
  }

  // An addition writes where it reads; a depthwise convolution over the slot of its window's first row.
  void check_in_place(int step, int row) {
    const RowOp& op = rows_.op(step);
    const PlanStep& planned = plan_.order[static_cast<size_t>(step)];
    const TensorId input =
        graph_.ops[static_cast<size_t>(op.op)].inputs[static_cast<size_t>(planned.in_place_input)];
    const ColumnRange range = columns(op.output);
    if (op.is_add) {
      if (address(op.output, row, range.begin) != address(input, row, range.begin))
        fail("an addition in place at another address");
      return;
    }
    const PlannedBuffer& ring = buffer(input);
    const int64_t slot = (op.rows.first(row) + int64_t{ring.ring_rows}) % ring.ring_rows;
    if (address(op.output, row, range.begin) != ring.offset_bytes + slot * ring.row_bytes)
      fail("a depthwise convolution in place at another row");
  }

  void check_sums(int row) {
    const PlannedBuffer& sums = plan_.buffers[static_cast<size_t>(segment_->accumulator_buffer)];
    for (int64_t byte = 0; byte < sums.size_bytes; ++byte) {
      uint32_t& there = arena_[static_cast<size_t>(sums.offset_bytes + byte)];
      if (there != kPoison && (row > 0 || strip_ > 0)) fail("the sums were overwritten");
      there = kPoison;
    }
  }

  const Graph& graph_;
  const MemoryPlan& plan_;
  const int positions_;
  const RowGraph rows_;
  std::vector<uint32_t> arena_;
  std::vector<int> made_;          // rows, by tensor
  std::vector<int> columns_made_;  // up to here, by tensor
  const PlanSegment* segment_ = nullptr;
  std::vector<std::vector<ColumnRange>> strips_;
  int strip_ = 0;
  int input_rows_ = 0;
  int64_t extra_macs_ = 0;
  std::string error_;
};

}  // namespace tinynas::testing
