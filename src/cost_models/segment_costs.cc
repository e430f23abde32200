#include "cost_models/segment_costs.h"

#include <algorithm>

namespace tinynas {

SegmentCosts::SegmentCosts(const Graph& graph, const RowGraph& rows, const PlanOptions& options)
    : graph_(graph),
      rows_(rows),
      options_(options),
      in_place_(graph, options.in_place),
      borders_(rows.ops.size() + 1),
      seen_(rows.tensors.size(), 0),
      progress_(rows.tensors.size()),
      rings_(rows.tensors.size()),
      work_(rows.ops.size(), 0) {
  scratch_.reserve(rows.ops.size());
  for (int position = 0; position < rows.size(); ++position) {
    const int width = tensor(rows.op(position).inputs[0]).w;
    scratch_.push_back({row_scratch(position, false, width), row_scratch(position, true, width)});
  }
  for (size_t id = 0; id < rows.tensors.size(); ++id) {
    const RowTensor& tensor = rows.tensors[id];
    const bool is_input = static_cast<TensorId>(id) == graph.input;
    if (is_input && options.input != InputKind::kResident) continue;
    for (int at = tensor.producer + 1; at <= std::min(tensor.last_read, rows.size()); ++at) {
      Border& border = borders_[static_cast<size_t>(at)];
      border.whole.push_back(static_cast<TensorId>(id));
      border.bytes += aligned(tensor.bytes);
    }
  }
}

bool SegmentCosts::layer(int position, Segment& segment) const {
  const RowOp& row = rows_.op(position);
  const Op& op = graph_.ops[static_cast<size_t>(row.op)];
  const bool input_streams = options_.input != InputKind::kResident;
  for (const TensorId id : op.inputs) {
    if (input_streams && id == graph_.input) return false;
  }
  const auto scratch = [&](bool in_place) {
    return aligned(scratch_bytes(graph_, op, in_place, options_.runtime, options_.variant));
  };
  int64_t beside = scratch(false) + aligned(tensor(op.output).bytes);
  for (size_t i = 0; i < op.inputs.size(); ++i) {
    const bool dies = tensor(op.inputs[i]).last_read == position && op.inputs[i] != graph_.output;
    if (!dies || !in_place_.can(op, i)) continue;
    beside = std::min(beside, scratch(true));
    break;
  }
  segment = {position, position + 1};
  segment.bytes = border(position).bytes + beside;
  return true;
}

int SegmentCosts::widest(const Sweep& sweep, TensorId id) const {
  if (sweep.strips == 1) return tensor(id).w;
  int most = 0;
  for (int strip = 0; strip < sweep.strips; ++strip) most = std::max(most, columns(id)[strip].count());
  return most;
}

int64_t SegmentCosts::row_bytes(const Sweep& sweep, TensorId id) const {
  return widest(sweep, id) * tensor(id).column_bytes;
}

int64_t SegmentCosts::recomputed_columns(const Sweep& sweep, TensorId id) const {
  int end = 0;
  int64_t again = 0;
  for (int strip = 0; strip < sweep.strips; ++strip) {
    again += std::max(0, end - columns(id)[strip].begin);
    end = std::max(end, columns(id)[strip].end);
  }
  return again;
}

// Only a depthwise convolution's scratch depends on the columns that it reads.
int64_t SegmentCosts::scratch(const Sweep& sweep, int position, bool in_place) const {
  const RowOp& op = rows_.op(position);
  if (sweep.strips == 1 || !op.is_depthwise)
    return scratch_[static_cast<size_t>(position)][static_cast<size_t>(in_place)];
  int most = 0;
  for (int strip = 0; strip < sweep.strips; ++strip) {
    const ColumnRange read = input_columns(op.columns, columns(op.output)[strip], tensor(op.inputs[0]).w);
    most = std::max(most, read.count());
  }
  return row_scratch(position, in_place, most);
}

int64_t SegmentCosts::row_scratch(int position, bool in_place, int columns) const {
  const Op& op = graph_.ops[static_cast<size_t>(rows_.op(position).op)];
  return aligned(row_scratch_bytes(graph_, op, in_place, columns, options_.variant));
}

void SegmentCosts::raise(Sweep& sweep, int position, int64_t bytes) {
  int64_t& work = work_[static_cast<size_t>(position)];
  work += bytes;
  sweep.work = std::max(sweep.work, work);
}

// The last operator's rows and columns are what is asked for.
bool SegmentCosts::start_output(Sweep& sweep) {
  const RowOp& last = rows_.op(sweep.end - 1);
  const RowTensor& counted = tensor(last.reduces ? last.inputs[0] : last.output);
  if (sweep.strips > counted.w) return false;
  seen_[static_cast<size_t>(last.output)] = sweep.number;
  progress(last.output) = {1, 0, counted.h - 1, counted.h - 1};
  if (sweep.strips == 1) return true;
  for (int strip = 0; strip < sweep.strips; ++strip)
    columns(last.output)[strip] = strip_of(counted.w, strip, sweep.strips);
  return true;
}

// Tells an input what the operator at `position` asks of it. False where a strip would need nothing.
bool SegmentCosts::need_input(Sweep& sweep, int position, TensorId id) {
  const RowOp& op = rows_.op(position);
  const RowTensor& in = tensor(id);
  const Progress& out = progress(op.output);
  const bool first_reader = !seen(sweep, id);
  Progress needed = out;
  if (!op.reduces) {
    const int below = op.rows.kernel - 1 - op.rows.pad;
    needed.step = out.step * op.rows.stride;
    needed.ahead = out.ahead * op.rows.stride + below;
    needed.last = std::min(in.h - 1, out.last * op.rows.stride + below);
    needed.final_last = std::min(in.h - 1, out.final_last * op.rows.stride + below);
  }
  Progress& there = progress(id);
  if (first_reader) {
    seen_[static_cast<size_t>(id)] = sweep.number;
    there = needed;
  } else {
    const int final_last = std::max(there.final_last, needed.final_last);
    // Either is true of the rows that are there at least; of two alike, the one that promises more.
    if (needed.step == there.step && needed.ahead > there.ahead) there = needed;
    there.final_last = final_last;
  }
  if (sweep.strips == 1) return true;
  for (int strip = 0; strip < sweep.strips; ++strip) {
    const ColumnRange& part = columns(op.output)[strip];
    const ColumnRange range = op.reduces ? part : input_columns(op.columns, part, in.w);
    if (range.count() <= 0) return false;
    ColumnRange& all = columns(id)[strip];
    all = first_reader ? range : ColumnRange{std::min(all.begin, range.begin), std::max(all.end, range.end)};
  }
  return true;
}

// The output of a depthwise convolution that nobody but the next operator needs lies over a row of the input,
// where that is a ring of this segment.
void SegmentCosts::decide_depthwise(Sweep& sweep, int position) {
  const int depthwise = sweep.undecided;
  if (depthwise < 0) return;
  sweep.undecided = -1;
  const RowOp& op = rows_.op(depthwise);
  const int64_t row = aligned(row_bytes(sweep, op.output));
  const bool in_place =
      depthwise_takes_dying_row(graph_, rows_, {position, sweep.end}, depthwise,
                                row_bytes(sweep, op.inputs[0]), row_bytes(sweep, op.output)) &&
      scratch(sweep, depthwise, true) <= scratch(sweep, depthwise, false) + row;
  if (in_place) {
    raise(sweep, depthwise, scratch(sweep, depthwise, true) - scratch(sweep, depthwise, false));
  } else {
    raise(sweep, depthwise, row);
    raise(sweep, depthwise + 1, row);
  }
}

// The work if the segment began with the undecided depthwise convolution.
int64_t SegmentCosts::undecided_work(const Sweep& sweep) const {
  if (sweep.undecided < 0) return sweep.work;
  const auto at = static_cast<size_t>(sweep.undecided);
  const int64_t row = aligned(row_bytes(sweep, rows_.op(sweep.undecided).output));
  return std::max({sweep.work, work_[at] + row, work_[at + 1] + row});
}

void SegmentCosts::house_ring(Sweep& sweep, int position) {
  const TensorId id = rows_.op(position).output;
  const RowTensor& made = tensor(id);
  Ring& ring = rings_[static_cast<size_t>(id)];
  ring = {made.ring_rows, row_bytes(sweep, id), 0};
  const SegmentRange range{position, sweep.end};
  const int join = made.last_read;
  if (options_.in_place && id == rows_.op(join).inputs[0] && sum_takes_waiting_row(rows_, range, join)) {
    const Ring& sum = rings_[static_cast<size_t>(rows_.op(join).output)];
    ring.rows += sum.rows - 1;
    ring.row_bytes = std::max(ring.row_bytes, sum.row_bytes);
    sweep.rings -= sum.bytes;
    // The other input no longer shares the sum's memory, if it did without this operator.
    if (sum_takes_last_row(rows_, {position + 1, sweep.end}, join)) {
      const TensorId other = rows_.op(join).inputs[1];
      const int64_t row = aligned(row_bytes(sweep, other));
      raise(sweep, tensor(other).producer, row);
      raise(sweep, join, row);
    }
  }
  ring.bytes = aligned(ring.rows * ring.row_bytes);
  sweep.rings += ring.bytes;
}

void SegmentCosts::house_output(Sweep& sweep, int position) {
  const RowOp& op = rows_.op(position);
  const RowTensor& made = tensor(op.output);
  const SegmentRange range{position, sweep.end};
  if (!range.holds(made)) {
    sweep.fresh += aligned(made.bytes) + aligned(op.accumulator_bytes);
    ++sweep.fresh_tensors;
  } else if (!made.transient) {
    house_ring(sweep, position);
  } else if (options_.in_place && op.output == rows_.op(made.last_read).inputs[1] &&
             sum_takes_last_row(rows_, range, made.last_read)) {
    // It lies where the sum will be: alive a step longer, where the sum is a single row too.
    const RowTensor& sum = tensor(rows_.op(made.last_read).output);
    if (range.holds(sum) && sum.transient)
      raise(sweep, position, aligned(row_bytes(sweep, rows_.op(made.last_read).output)));
  } else if (options_.in_place && op.is_depthwise) {
    sweep.undecided = position;
  } else {
    const int64_t row = aligned(row_bytes(sweep, op.output));
    raise(sweep, position, row);
    raise(sweep, position + 1, row);
  }
}

// Puts one more operator in front. False where no segment that begins here or earlier can be executed.
bool SegmentCosts::add_operator(Sweep& sweep, int position) {
  const RowOp& op = rows_.op(position);
  const bool last = position == sweep.end - 1;
  if (!op.streams || (op.reduces && !last)) return false;
  if (last ? !start_output(sweep) : !seen(sweep, op.output)) return false;
  const RowTensor& made = tensor(op.output);
  if (!last && made.last_read >= sweep.end &&
      (sweep.strips > 1 || progress(op.output).final_last != made.h - 1))
    return false;
  for (int i = 0; i < op.input_count; ++i) {
    const TensorId id = op.inputs[static_cast<size_t>(i)];
    if (!need_input(sweep, position, id)) return false;
    sweep.reads_streamed_input |= id == graph_.input && options_.input != InputKind::kResident;
  }
  work_[static_cast<size_t>(position)] = 0;
  raise(sweep, position, scratch(sweep, position, false));
  decide_depthwise(sweep, position);
  house_output(sweep, position);
  if (sweep.strips > 1 && !op.reduces) {
    const int made_rows = progress(op.output).final_last + 1;
    sweep.extra_macs += op.column_macs / made.h * made_rows * recomputed_columns(sweep, op.output);
  }
  return true;
}

int64_t SegmentCosts::gap(const Sweep& sweep, int first, TensorId consumed) const {
  const RowOp& last = rows_.op(sweep.end - 1);
  const RowTensor& in = tensor(consumed);
  const RowTensor& out = tensor(last.output);
  const int64_t in_row = in.w * in.column_bytes;
  const int64_t out_row = out.w * out.column_bytes;
  const bool fills_output = options_.in_place && sum_takes_last_row(rows_, {first, sweep.end}, sweep.end - 1);
  int64_t most = 0;
  for (int position = std::max(first, in.first_read); position <= in.last_read; ++position) {
    const RowOp& op = rows_.op(position);
    if (op.inputs[0] != consumed && (op.input_count == 1 || op.inputs[1] != consumed)) continue;
    // The reader's next row behind row r of the output is step * r + next; an operator that writes into the
    // output itself is still at row r.
    int64_t step = 1;
    int64_t next = 0;
    int64_t last_r = out.h - 1;
    const bool writes = position == sweep.end - 1 || (fills_output && position == sweep.end - 2);
    if (!writes) {
      const Progress& made = progress(op.output);
      if (made.last != made.final_last) return -1;
      step = made.step;
      next = made.ahead + 1;
      if (made.ahead >= made.final_last) continue;  // all read before the first row is written
      last_r = std::min<int64_t>(last_r, (made.final_last - made.ahead - 1) / step);
    }
    // Row r ends where the lowest row still needed begins, or below. That distance rises until the window
    // leaves the upper border, then rises or falls evenly: its largest value is at one of these.
    const int64_t rise = step * op.rows.stride;
    const int64_t begin = next * op.rows.stride - op.rows.pad;
    const int64_t leaves = begin >= 0 ? 0 : -begin / rise;
    for (const int64_t at : {int64_t{0}, leaves, leaves + 1, last_r}) {
      const int64_t r = std::min(at, last_r);
      const int64_t lowest = std::max<int64_t>(0, rise * r + begin);
      most = std::max(most, (r + 1) * out_row - lowest * in_row);
    }
  }
  return aligned(most);
}

void SegmentCosts::grow_into_input(const Sweep& sweep, int first, Segment& segment) const {
  const RowOp& last = rows_.op(sweep.end - 1);
  if (sweep.strips > 1 || last.reduces) return;
  const int64_t output = aligned(tensor(last.output).bytes);
  int64_t most = 0;
  for (const TensorId id : border(first).whole) {
    const RowTensor& in = tensor(id);
    if (in.last_read >= sweep.end) continue;
    const int64_t below = gap(sweep, first, id);
    const int64_t saved = std::min(output - below, aligned(in.bytes));
    if (below < 0 || saved <= most) continue;
    most = saved;
    segment.consumed = id;
    segment.gap_bytes = below;
  }
  segment.bytes -= most;
}

void SegmentCosts::offer(const Sweep& sweep, int first, int64_t most_bytes,
                         std::vector<Segment>& segments) const {
  Segment segment{first, sweep.end, sweep.strips, true, 0, sweep.extra_macs};
  if (first > 0 && sweep.reads_streamed_input) return;
  int64_t rings = sweep.rings;
  if (first == 0 && options_.input != InputKind::kResident) {
    const RowTensor& input = tensor(graph_.input);
    if (input.last_read >= sweep.end) return;
    rings += aligned(input.ring_rows * row_bytes(sweep, graph_.input));
  }
  segment.bytes = border(first).bytes + sweep.fresh + rings + undecided_work(sweep);
  // Growing saves no more than the output's bytes.
  if (segment.bytes - sweep.fresh > most_bytes) return;
  grow_into_input(sweep, first, segment);
  if (segment.bytes <= most_bytes) segments.push_back(segment);
}

void SegmentCosts::append_streams(int end, int strips, int64_t most_bytes, int64_t most_macs,
                                  std::vector<Segment>& segments) {
  // At its end everything is there that is needed behind it.
  if (border(end).bytes > most_bytes) return;
  if (strips > 1 && columns_.empty()) columns_.resize(rows_.tensors.size() * kMaxStrips);
  Sweep sweep;
  sweep.end = end;
  sweep.strips = strips;
  sweep.number = ++sweeps_;
  // Each of these grows towards the front, and all are alive at once.
  for (int first = end - 1; first >= 0; --first) {
    if (!add_operator(sweep, first) || sweep.extra_macs > most_macs ||
        sweep.rings + sweep.fresh + sweep.work > most_bytes)
      return;
    offer(sweep, first, most_bytes, segments);
  }
}

}  // namespace tinynas
