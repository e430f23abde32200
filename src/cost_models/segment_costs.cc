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
      ring_rows_(rows.tensors.size(), 0),
      columns_(rows.tensors.size()) {
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

// What of an input of `width` columns the window needs for `made`.
SegmentCosts::Columns SegmentCosts::read_columns(const Window& window, const Columns& made, int width) {
  const int64_t behind = window.kernel - window.pad;
  Columns read = made;
  read.step = made.step * window.stride;
  read.before = made.before * window.stride + window.pad;
  for (size_t i = 0; i < made.cuts; ++i) {
    read.cut[i] = {(made.cut[i].reach - 1) * window.stride + behind,
                   std::min<int64_t>(width, (made.cut[i].end - 1) * window.stride + behind)};
  }
  return read;
}

// False where the two cannot be said as one.
bool SegmentCosts::unite(Columns& all, const Columns& more) {
  if (more.step != all.step) return false;
  all.before = std::max(all.before, more.before);
  for (size_t i = 0; i < more.cuts; ++i) {
    const Cut cut = more.cut[i];
    size_t kept = 0;
    bool is_needed = true;
    for (size_t j = 0; j < all.cuts; ++j) {
      const Cut there = all.cut[j];
      if (cut.reach >= there.reach && cut.end >= there.end) continue;
      all.cut[kept++] = there;
      is_needed = is_needed && (cut.reach > there.reach || cut.end > there.end);
    }
    all.cuts = kept;
    if (!is_needed) continue;
    if (kept == all.cut.size()) return false;
    all.cut[all.cuts++] = cut;
    for (size_t j = kept; j > 0 && all.cut[j].reach > all.cut[j - 1].reach; --j)
      std::swap(all.cut[j], all.cut[j - 1]);
  }
  return true;
}

int64_t SegmentCosts::count(const Lane& lane, const Columns& columns, int strip) {
  return columns.end_for(lane.begins[static_cast<size_t>(strip) + 1] - 1) -
         columns.begin_for(lane.begins[static_cast<size_t>(strip)]);
}

// Of the widest strips of the last tensor those need the most that no border cuts.
int64_t SegmentCosts::widest(const Lane& lane, const Columns& columns) {
  const int first = lane.begins[static_cast<size_t>(lane.middle)];
  const int last = lane.begins[static_cast<size_t>(lane.middle) + 1] - 1;
  const bool is_cut = first * columns.step < columns.before ||
                      last * columns.step + columns.cut[0].reach > columns.cut[0].end;
  int64_t most = count(lane, columns, lane.middle);
  for (int strip = 0; is_cut && strip < lane.strips; ++strip)
    most = std::max(most, count(lane, columns, strip));
  return most;
}

// Columns of a strip that the one before it has as well; borders cut the first and the last of them.
int64_t SegmentCosts::recomputed_columns(const Lane& lane, const Columns& columns) {
  const auto shared = [&](int strip) {
    const int64_t first = lane.begins[static_cast<size_t>(strip)];
    return std::max<int64_t>(0, columns.end_for(first - 1) - columns.begin_for(first));
  };
  const auto is_cut = [&](int strip) {
    const int64_t first = lane.begins[static_cast<size_t>(strip)];
    return first * columns.step < columns.before ||
           (first - 1) * columns.step + columns.cut[0].reach > columns.cut[0].end;
  };
  int64_t again = 0;
  int first = 1;
  int last = lane.strips - 1;
  for (; first <= last && is_cut(first); ++first) again += shared(first);
  for (; last >= first && is_cut(last); --last) again += shared(last);
  return first > last ? again : again + (last - first + 1) * shared(first);
}

// Only a depthwise convolution's scratch depends on the columns that it reads.
int64_t SegmentCosts::scratch(size_t lane, int position, bool in_place) const {
  const bool by_strip = lanes_[lane].strips > 1 && rows_.op(position).is_depthwise;
  return by_strip ? strip_scratch_[at(position, lane)][static_cast<size_t>(in_place)]
                  : scratch_[static_cast<size_t>(position)][static_cast<size_t>(in_place)];
}

int64_t SegmentCosts::row_scratch(int position, bool in_place, int columns) const {
  const Op& op = graph_.ops[static_cast<size_t>(rows_.op(position).op)];
  return aligned(row_scratch_bytes(graph_, op, in_place, columns, options_.variant));
}

// All readers in the segment have said what they need.
void SegmentCosts::size_rows(int position) {
  const RowOp& op = rows_.op(position);
  const RowTensor& made = tensor(op.output);
  const Columns& columns = columns_[static_cast<size_t>(op.output)];
  const Columns read = op.is_depthwise ? read_columns(op.columns, columns, tensor(op.inputs[0]).w) : columns;
  for (const size_t lane : active_) {
    const bool whole = lanes_[lane].strips == 1;
    row_bytes_[at(op.output, lane)] = (whole ? made.w : widest(lanes_[lane], columns)) * made.column_bytes;
    if (whole || !op.is_depthwise) continue;
    const auto width = static_cast<int>(widest(lanes_[lane], read));
    strip_scratch_[at(position, lane)] = {row_scratch(position, false, width),
                                          row_scratch(position, true, width)};
  }
}

void SegmentCosts::raise(size_t lane, int position, int64_t bytes) {
  int64_t& work = work_[at(position, lane)];
  work += bytes;
  lanes_[lane].work = std::max(lanes_[lane].work, work);
}

// A single row from its producer's step to the next.
void SegmentCosts::raise_row(int position) {
  for (const size_t lane : active_) {
    const int64_t row = aligned(row_bytes(lane, rows_.op(position).output));
    raise(lane, position, row);
    raise(lane, position + 1, row);
  }
}

// The last operator's rows and columns are what is asked for.
void SegmentCosts::start_output(const Sweep& sweep) {
  const RowOp& last = rows_.op(sweep.end - 1);
  const RowTensor& counted = tensor(last.reduces ? last.inputs[0] : last.output);
  seen_[static_cast<size_t>(last.output)] = sweep.number;
  progress(last.output) = {1, 0, counted.h - 1, counted.h - 1};
  columns_[static_cast<size_t>(last.output)] = {1, 0, 1, {Cut{1, counted.w}, Cut{}}};
  std::erase_if(active_, [&](size_t lane) { return lanes_[lane].strips > counted.w; });
  for (const size_t index : active_) {
    Lane& lane = lanes_[index];
    for (int strip = 0; strip < lane.strips; ++strip)
      lane.begins[static_cast<size_t>(strip)] = strip_of(counted.w, strip, lane.strips).begin;
    lane.begins[static_cast<size_t>(lane.strips)] = counted.w;
    const auto is_widest = [&](int strip) {
      const auto at = static_cast<size_t>(strip);
      return (lane.begins[at + 1] - lane.begins[at]) * lane.strips >= counted.w;
    };
    // The last is one.
    lane.middle = lane.strips / 2;
    while (!is_widest(lane.middle) && lane.middle + 1 < lane.strips) ++lane.middle;
  }
}

void SegmentCosts::drop_strips() {
  std::erase_if(active_, [&](size_t lane) { return lanes_[lane].strips > 1; });
}

// Leaves out the lanes of which a strip would need nothing: then the first or the last does. And all, where
// two readers need columns at different steps, or cut in too many ways, which no network that was seen has.
void SegmentCosts::need_columns(int position, TensorId id, bool first_reader) {
  constexpr int64_t kMostSteps = int64_t{1} << 24;  // of strides' products: times a column they fit 64 bits
  const RowOp& op = rows_.op(position);
  const Columns& made = columns_[static_cast<size_t>(op.output)];
  const Columns needed = op.reduces ? made : read_columns(op.columns, made, tensor(id).w);
  Columns& all = columns_[static_cast<size_t>(id)];
  if (first_reader) all = needed;
  if (needed.step > kMostSteps || (!first_reader && !unite(all, needed))) return drop_strips();
  std::erase_if(active_, [&](size_t index) {
    const Lane& lane = lanes_[index];
    return lane.strips > 1 && (count(lane, needed, 0) <= 0 || count(lane, needed, lane.strips - 1) <= 0);
  });
}

// Tells an input what the operator at `position` asks of it.
void SegmentCosts::need_input(const Sweep& sweep, int position, TensorId id) {
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
  if (sweep.has_strips) need_columns(position, id, first_reader);
}

// The output of a depthwise convolution that nobody but the next operator needs lies over a row of the input,
// where that is a ring of this segment.
void SegmentCosts::decide_depthwise(Sweep& sweep, int position) {
  const int depthwise = sweep.undecided;
  if (depthwise < 0) return;
  sweep.undecided = -1;
  const RowOp& op = rows_.op(depthwise);
  if (!depthwise_takes_dying_row(graph_, rows_, {position, sweep.end}, depthwise, 0, 0))
    return raise_row(depthwise);
  for (const size_t lane : active_) {
    const int64_t row = aligned(row_bytes(lane, op.output));
    const int64_t beside = scratch(lane, depthwise, false);
    const int64_t in_place = scratch(lane, depthwise, true);
    if (row_bytes(lane, op.output) <= row_bytes(lane, op.inputs[0]) && in_place <= beside + row) {
      raise(lane, depthwise, in_place - beside);
    } else {
      raise(lane, depthwise, row);
      raise(lane, depthwise + 1, row);
    }
  }
}

// The work if the segment began with the undecided depthwise convolution.
int64_t SegmentCosts::undecided_work(const Sweep& sweep, size_t lane) const {
  if (sweep.undecided < 0) return lanes_[lane].work;
  const int64_t row = aligned(row_bytes(lane, rows_.op(sweep.undecided).output));
  return std::max({lanes_[lane].work, work_[at(sweep.undecided, lane)] + row,
                   work_[at(sweep.undecided + 1, lane)] + row});
}

void SegmentCosts::house_ring(const Sweep& sweep, int position) {
  const TensorId id = rows_.op(position).output;
  const RowTensor& made = tensor(id);
  const int join = made.last_read;
  const TensorId sum = rows_.op(join).output;
  const bool takes_sum = options_.in_place && id == rows_.op(join).inputs[0] &&
                         sum_takes_waiting_row(rows_, {position, sweep.end}, join);
  // The other input no longer shares the sum's memory, if it did without this operator.
  const bool parts_sum = takes_sum && sum_takes_last_row(rows_, {position + 1, sweep.end}, join);
  int& ring_rows = ring_rows_[static_cast<size_t>(id)];
  ring_rows = made.ring_rows + (takes_sum ? ring_rows_[static_cast<size_t>(sum)] - 1 : 0);
  for (const size_t lane : active_) {
    Ring& ring = rings_[at(id, lane)];
    ring.row_bytes = row_bytes(lane, id);
    if (takes_sum) {
      const Ring& other = rings_[at(sum, lane)];
      ring.row_bytes = std::max(ring.row_bytes, other.row_bytes);
      lanes_[lane].rings -= other.bytes;
    }
    if (parts_sum) {
      const TensorId other = rows_.op(join).inputs[1];
      const int64_t row = aligned(row_bytes(lane, other));
      raise(lane, tensor(other).producer, row);
      raise(lane, join, row);
    }
    ring.bytes = aligned(ring_rows * ring.row_bytes);
    lanes_[lane].rings += ring.bytes;
  }
}

void SegmentCosts::house_output(Sweep& sweep, int position) {
  const RowOp& op = rows_.op(position);
  const RowTensor& made = tensor(op.output);
  const SegmentRange range{position, sweep.end};
  if (!range.holds(made)) {
    sweep.fresh += aligned(made.bytes) + aligned(op.accumulator_bytes);
  } else if (!made.transient) {
    house_ring(sweep, position);
  } else if (options_.in_place && op.output == rows_.op(made.last_read).inputs[1] &&
             sum_takes_last_row(rows_, range, made.last_read)) {
    // It lies where the sum will be: alive a step longer, where the sum is a single row too.
    const TensorId sum = rows_.op(made.last_read).output;
    if (!range.holds(tensor(sum)) || !tensor(sum).transient) return;
    for (const size_t lane : active_) raise(lane, position, aligned(row_bytes(lane, sum)));
  } else if (options_.in_place && op.is_depthwise) {
    sweep.undecided = position;
  } else {
    raise_row(position);
  }
}

// Puts one more operator in front. Lanes stay active of which a segment that begins here or earlier can be
// executed.
void SegmentCosts::add_operator(Sweep& sweep, int position) {
  const RowOp& op = rows_.op(position);
  const RowTensor& made = tensor(op.output);
  const bool last = position == sweep.end - 1;
  const bool cannot = !op.streams || (op.reduces && !last) || (!last && !seen(sweep, op.output));
  if (cannot) return active_.clear();
  if (last) start_output(sweep);
  if (!last && made.last_read >= sweep.end) {
    if (progress(op.output).final_last != made.h - 1) return active_.clear();
    drop_strips();
  }
  for (int i = 0; i < op.input_count; ++i) {
    const TensorId id = op.inputs[static_cast<size_t>(i)];
    need_input(sweep, position, id);
    sweep.reads_streamed_input |= id == graph_.input && options_.input != InputKind::kResident;
  }
  size_rows(position);
  for (const size_t lane : active_) {
    work_[at(position, lane)] = 0;
    raise(lane, position, scratch(lane, position, false));
  }
  decide_depthwise(sweep, position);
  house_output(sweep, position);
  if (!sweep.has_strips || op.reduces) return;
  const int64_t column_macs = op.column_macs / made.h * (progress(op.output).final_last + 1);
  for (const size_t lane : active_)
    lanes_[lane].extra_macs +=
        column_macs * recomputed_columns(lanes_[lane], columns_[static_cast<size_t>(op.output)]);
}

int64_t SegmentCosts::gap(const Sweep& sweep, int first, TensorId consumed) const {
  const RowOp& last = rows_.op(sweep.end - 1);
  const RowTensor& in = tensor(consumed);
  const RowTensor& out = tensor(last.output);
  const int64_t in_row = in.w * in.column_bytes;
  const int64_t out_row = out.w * out.column_bytes;
  const bool fills_output = options_.in_place && sum_takes_last_row(rows_, {first, sweep.end}, sweep.end - 1);
  int64_t most = 0;
  // One reader, or two: the first and the last.
  const int stride = in.readers <= 2 ? std::max(1, in.last_read - in.first_read) : 1;
  for (int position = in.first_read; position <= in.last_read; position += stride) {
    if (position < first) continue;
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
  if (segment.strips > 1 || last.reduces) return;
  const int64_t output = aligned(tensor(last.output).bytes);
  int64_t most = 0;
  for (const TensorId id : border(first).whole) {
    const RowTensor& in = tensor(id);
    if (in.last_read >= sweep.end || std::min(output, aligned(in.bytes)) <= most) continue;
    const int64_t below = gap(sweep, first, id);
    const int64_t saved = std::min(output - below, aligned(in.bytes));
    if (below < 0 || saved <= most) continue;
    most = saved;
    segment.consumed = id;
    segment.gap_bytes = below;
  }
  segment.bytes -= most;
}

void SegmentCosts::offer(const Sweep& sweep, int first, int64_t most_bytes) {
  if (first > 0 && sweep.reads_streamed_input) return;
  const RowTensor& input = tensor(graph_.input);
  const bool holds_input = first == 0 && options_.input != InputKind::kResident;
  if (holds_input && input.last_read >= sweep.end) return;
  for (const size_t index : active_) {
    Lane& lane = lanes_[index];
    int64_t rings = lane.rings;
    if (holds_input) {
      // Rows that come once cannot be asked for again.
      if (lane.strips > 1 && options_.input == InputKind::kRows) continue;
      const int64_t width =
          lane.strips == 1 ? input.w : widest(lane, columns_[static_cast<size_t>(graph_.input)]);
      rings += aligned(input.ring_rows * width * input.column_bytes);
    }
    Segment segment{first, sweep.end, lane.strips, true, 0, lane.extra_macs};
    segment.bytes = border(first).bytes + sweep.fresh + rings + undecided_work(sweep, index);
    // Growing saves no more than the output's bytes, nor more than its input's.
    if (segment.bytes - std::min(sweep.fresh, border(first).bytes) > most_bytes) continue;
    grow_into_input(sweep, first, segment);
    if (segment.bytes <= most_bytes) lane.found.push_back(segment);
  }
}

void SegmentCosts::set_lanes(std::span<const int> strips) {
  if (lanes_.size() < strips.size()) {
    const size_t count = lane_count_ = strips.size();
    lanes_.resize(count);
    rings_.resize(rows_.tensors.size() * count);
    row_bytes_.resize(rows_.tensors.size() * count);
    work_.resize(rows_.ops.size() * count);
    strip_scratch_.resize(rows_.ops.size() * count);
  }
  active_.clear();
  for (size_t lane = 0; lane < strips.size(); ++lane) {
    lanes_[lane].strips = strips[lane];
    lanes_[lane].rings = lanes_[lane].work = lanes_[lane].extra_macs = 0;
    active_.push_back(lane);
  }
}

void SegmentCosts::append_streams(int end, std::span<const int> strips, int64_t most_bytes, int64_t most_macs,
                                  std::vector<Segment>& segments) {
  // At its end everything is there that is needed behind it.
  if (border(end).bytes > most_bytes) return;
  set_lanes(strips);
  Sweep sweep;
  sweep.end = end;
  sweep.number = ++sweeps_;
  sweep.has_strips = std::any_of(strips.begin(), strips.end(), [](int n) { return n > 1; });
  // Each of these grows towards the front, and all are alive at once.
  for (int first = end - 1; first >= 0 && !active_.empty(); --first) {
    add_operator(sweep, first);
    std::erase_if(active_, [&](size_t index) {
      const Lane& lane = lanes_[index];
      return lane.extra_macs > most_macs || lane.rings + sweep.fresh + lane.work > most_bytes;
    });
    offer(sweep, first, most_bytes);
  }
  for (size_t lane = 0; lane < strips.size(); ++lane) {
    segments.insert(segments.end(), lanes_[lane].found.begin(), lanes_[lane].found.end());
    lanes_[lane].found.clear();
  }
}

}  // namespace tinynas
