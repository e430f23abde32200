#include "export/c_stream.h"

#include <algorithm>

#include "base/error.h"
#include "cost_models/row_graph.h"
#include "cost_models/strip_columns.h"
#include "export/c_text.h"

namespace tinynas {
namespace {

std::string number(int64_t value) { return std::to_string(value); }

std::vector<int> order_of(const MemoryPlan& plan) {
  std::vector<int> order;
  for (const PlanStep& step : plan.order) order.push_back(step.op);
  return order;
}

class SegmentWriter {
 public:
  SegmentWriter(const std::string& package, const Graph& graph, const MemoryPlan& plan,
                const std::vector<COperator>& operators, size_t index)
      : package_(package),
        graph_(graph),
        plan_(plan),
        operators_(operators),
        segment_(plan.segments[index]),
        rows_(graph, order_of(plan)),
        prefix_("segment_" + number(static_cast<int64_t>(index))),
        fed_(index == 0 && plan.input != InputKind::kResident) {
    columns_ = segment_.strips > 1
                   ? strip_columns(rows_, segment_.first_step, segment_.last_step, segment_.strips)
                   : std::vector<std::vector<ColumnRange>>(graph.tensors.size());
    for (size_t id = 0; segment_.strips == 1 && id < columns_.size(); ++id)
      columns_[id] = {{0, graph.tensors[id].shape.w}};
  }

  std::string text() {
    std::string functions;
    for (int step = segment_.first_step; step <= segment_.last_step; ++step) functions += maker(step);
    if (fed_) functions += feeding();
    return (plan_.input == InputKind::kRows && fed_ ? "" : state()) + tables_ + functions +
           (fed_ ? "" : driver());
  }

  // The state alone; rows of the input come from outside.
  std::string stream_struct() {
    for (int step = segment_.first_step; step <= segment_.last_step; ++step) (void)maker(step);
    return state();
  }

 private:
  // Where the rows of a tensor lie: slot 0, the distance of slots, their number, and which slot row 0 has.
  struct Rows {
    std::string base;
    int64_t slot_bytes = 0;
    int64_t slots = 0;  // 0: as many as rows, nothing wraps
    int64_t step = 1;
    int64_t shift = 0;
    TensorId origin = -1;  // whose first column a slot begins with; -1: column 0

    int64_t slot_of(int64_t row) const {
      const int64_t slot = row * step + shift;
      return slots == 0 ? slot : (slot % slots + slots) % slots;
    }
    int64_t advance(int64_t rows) const { return slots == 0 ? rows : rows * step % slots; }
  };

  const RowOp& op(int step) const { return rows_.op(step); }
  std::string this_strip() const { return segment_.strips > 1 ? "[s->strip]" : "[0]"; }
  // Of a segment that waits for rows of the input, the package's own.
  std::string state_type() const { return fed_ ? package_ + "_stream" : prefix_ + "_state"; }
  const COperator& c(int step) const { return operators_[static_cast<size_t>(step)]; }
  const Shape& shape(TensorId id) const { return graph_.tensor(id).shape; }
  bool inside(TensorId id) const { return rows_.tensor(id).producer >= segment_.first_step; }
  std::string function(int step) const { return prefix_ + "_rows_" + number(step - segment_.first_step); }
  std::string field(const char* what, int step) const {
    return std::string(what) + "_" + number(step - segment_.first_step);
  }
  std::string field(const char* what, int step, int input) const {
    return field(what, step) + "_" + number(input);
  }

  std::string base_of(TensorId id) const {
    const int buffer = plan_.buffer_of_tensor[static_cast<size_t>(id)];
    const auto lies_with = [&](TensorId other) {
      return buffer == plan_.buffer_of_tensor[static_cast<size_t>(other)];
    };
    if (lies_with(graph_.input) && input_can_be_outside(graph_, plan_)) return "s->input";
    if (lies_with(graph_.output) && output_can_be_outside(graph_, plan_)) return "s->output";
    return "s->arena + " + number(plan_.offset_of(id));
  }

  Rows rows(TensorId id) const {
    const PlannedBuffer& buffer =
        plan_.buffers[static_cast<size_t>(plan_.buffer_of_tensor[static_cast<size_t>(id)])];
    Rows rows;
    rows.base = base_of(id);
    if (buffer.ring_rows == 0) {
      rows.slot_bytes = int64_t{shape(id).w} * shape(id).c;
      return rows;
    }
    const RowSlots& slots = plan_.slots[static_cast<size_t>(id)];
    rows.slot_bytes = buffer.row_bytes;
    rows.slots = buffer.ring_rows;
    rows.step = slots.row_step;
    rows.shift = slots.row_shift;
    rows.origin = slots.column_origin;
    return rows;
  }

  // A number that differs from strip to strip, as C: a constant, or an element of a table.
  std::string by_strip(const std::string& name, const std::vector<int64_t>& values) {
    if (std::all_of(values.begin(), values.end(), [&](int64_t v) { return v == values[0]; }))
      return number(values[0]);
    std::vector<std::string> texts;
    for (const int64_t value : values) texts.push_back(number(value));
    tables_ += "static const int32_t " + prefix_ + "_" + name + "[" + number(segment_.strips) + "] = {" +
               join(texts, ", ") + "};\n";
    return prefix_ + "_" + name + this_strip();
  }

  // Bytes from the beginning of a slot to column `first` of each strip.
  std::string column_offset(const std::string& name, TensorId id, const std::vector<int>& first) {
    const Rows lie = rows(id);
    std::vector<int64_t> offsets;
    for (size_t strip = 0; strip < first.size(); ++strip) {
      const int begin = lie.origin < 0 ? 0 : columns_[static_cast<size_t>(lie.origin)][strip].begin;
      offsets.push_back(int64_t{first[strip] - begin} * shape(id).c);
    }
    return by_strip(name, offsets);
  }

  const std::vector<ColumnRange>& made(int step) const {
    return columns_[static_cast<size_t>(op(step).output)];
  }

  // What each strip reads of an input: the columns that this operator needs.
  std::vector<ColumnRange> needed(int step, TensorId id) const {
    const RowOp& reader = op(step);
    if (reader.reduces) return columns_[static_cast<size_t>(id)];
    std::vector<ColumnRange> ranges;
    for (const ColumnRange& range : made(step))
      ranges.push_back(input_columns(reader.columns, range, shape(id).w));
    return ranges;
  }

  static std::vector<int> begins(const std::vector<ColumnRange>& ranges) {
    std::vector<int> first;
    for (const ColumnRange& range : ranges) first.push_back(range.begin);
    return first;
  }

  std::string advance(const std::string& at, const Rows& lie, int64_t rows) const {
    const int64_t bytes = lie.advance(rows) * lie.slot_bytes;
    if (bytes == 0) return "";
    std::string text = "    s->" + at + " += " + number(bytes) + ";\n";
    if (lie.slots != 0) {
      const std::string ring = number(lie.slots * lie.slot_bytes);
      text += "    if (s->" + at + " >= " + ring + ") s->" + at + " -= " + ring + ";\n";
    }
    return text;
  }

  void start(const std::string& field, int64_t value) {
    fields_ += "  int32_t " + field + ";\n";
    starts_ += "    s->" + field + " = " + number(value) + ";\n";
  }

  // Asks for the rows of an input that the window of row `made` ends with.
  std::string demand(int step, TensorId id) const {
    const bool arrives = fed_ && id == graph_.input;
    if (!inside(id) && !arrives) return "";
    const Window& window = op(step).rows;
    const std::string made = "s->" + field("made", step);
    const std::string last =
        made + " * " + number(window.stride) + " + " + number(window.kernel - window.pad);
    const std::string h = number(shape(id).h);
    const std::string rows = op(step).reduces || (window.kernel == 1 && window.stride == 1)
                                 ? made + " + 1"
                                 : last + " < " + h + " ? " + last + " : " + h;
    if (arrives) return "    if (s->arrived < (" + rows + ")) {\n      return 0;\n    }\n";
    const std::string call = function(rows_.tensor(id).producer) + "(s, " + rows + ")";
    if (fed_) return "    if (" + call + " == 0) {\n      return 0;\n    }\n";
    return "    " + call + ";\n";
  }

  // `const int8_t *window[]`: the rows that input number `input` has for the next row of the output.
  std::string window(int step, int input) {
    const TensorId id = op(step).inputs[static_cast<size_t>(input)];
    const Window& window = op(step).rows;
    const Rows lie = rows(id);
    const std::string at = field("from", step, input);
    const std::string offset = column_offset(field("skip", step, input), id, begins(needed(step, id)));
    const std::string base = lie.base + (offset == "0" ? "" : " + " + offset);
    const int64_t first = op(step).reduces ? 0 : window.first(0);
    start(at, lie.slot_of(first) * lie.slot_bytes);
    const std::string name = "window" + (op(step).is_add ? number(input) : std::string());
    if (op(step).reduces || window.kernel == 1) {
      return "    const int8_t *const " + name + "[1] = {" + base + " + s->" + at + "};\n";
    }
    std::string text = "    const int8_t *" + name + "[" + number(window.kernel) + "];\n";
    text += "    int32_t row = s->" + field("made", step) + " * " + number(window.stride) + " - " +
            number(window.pad) + ", at = s->" + at + ", i;\n";
    after_declarations_ += "    for (i = 0; i < " + number(window.kernel) + "; ++i) {\n      " + name +
                           "[i] = (row < 0) || (row >= " + number(shape(id).h) + ") ? NULL : " + base +
                           " + at;\n      at += " + number(lie.advance(1) * lie.slot_bytes) + ";\n";
    if (lie.slots != 0) {
      const std::string ring = number(lie.slots * lie.slot_bytes);
      after_declarations_ += "      if (at >= " + ring + ") at -= " + ring + ";\n";
    }
    after_declarations_ += "      ++row;\n    }\n";
    return text;
  }

  std::string columns_table(int step) {
    const RowOp& row = op(step);
    const std::vector<ColumnRange> in = needed(step, row.inputs[0]);
    std::vector<std::string> entries;
    for (size_t strip = 0; strip < in.size(); ++strip) {
      const ColumnRange& out = made(step)[strip];
      entries.push_back("{" + number(in[strip].count()) + ", " + number(out.count()) + ", " +
                        number(std::max(0, -row.columns.first(out.begin))) + "}");
    }
    const std::string name = prefix_ + "_" + field("columns", step);
    tables_ += "static const tn_columns " + name + "[" + number(segment_.strips) + "] = {" +
               join(entries, ", ") + "};\n";
    return "&" + name + this_strip();
  }

  std::string scratch(int step) const {
    const int buffer = plan_.order[static_cast<size_t>(step)].scratch_buffer;
    return buffer < 0 ? "s->arena"
                      : "s->arena + " + number(plan_.buffers[static_cast<size_t>(buffer)].offset_bytes);
  }

  std::string sums() const {
    return "(int32_t *)(void *)(s->arena + " +
           number(plan_.buffers[static_cast<size_t>(segment_.accumulator_buffer)].offset_bytes) + ")";
  }

  // The call that makes the row at `to`.
  std::string call(int step, const std::string& to) {
    const std::string constants = "op_" + c(step).symbol;
    if (op(step).reduces) {
      std::vector<int64_t> counts;
      for (const ColumnRange& range : needed(step, op(step).inputs[0])) counts.push_back(range.count());
      return "    tn_mean_add(&" + constants + ", window[0], " + by_strip(field("count", step), counts) +
             ", " + sums() + ");\n";
    }
    if (op(step).is_add) {
      std::vector<int64_t> counts;
      for (const ColumnRange& range : made(step))
        counts.push_back(int64_t{range.count()} * shape(op(step).output).c);
      const bool swapped = c(step).op->inputs[0] != op(step).inputs[0];
      return "    part.count = (uint32_t)" + by_strip(field("count", step), counts) +
             ";\n    tn_add(&part, window" + (swapped ? "1" : "0") + "[0], window" +
             (swapped || op(step).input_count == 1 ? "0" : "1") + "[0], " + to + ");\n";
    }
    const std::string columns = columns_table(step);
    if (c(step).op->kind == OpKind::kAvgPool)
      return "    tn_avg_pool_row(&" + constants + ", " + columns + ", window, " + to + ");\n";
    return "    " + row_function(c(step)) + "(&" + constants + ", " + columns + ", window, " + to + ", " +
           scratch(step) + ");\n";
  }

  std::string maker(int step) {
    const RowOp& row = op(step);
    start(field("made", step), 0);
    std::string declarations;
    after_declarations_.clear();
    for (int i = 0; i < row.input_count; ++i) declarations += window(step, i);
    if (row.is_add) declarations += "    tn_add_op part = op_" + c(step).symbol + "; /* of one row */\n";
    std::string to;
    std::string advances;
    if (!row.reduces) {
      const Rows lie = rows(row.output);
      const std::string at = field("to", step);
      start(at, lie.slot_of(0) * lie.slot_bytes);
      const std::string offset = column_offset(field("into", step), row.output, begins(made(step)));
      to = lie.base + (offset == "0" ? "" : " + " + offset) + " + s->" + at;
      advances = advance(at, lie, 1);
    }
    for (int i = 0; i < row.input_count; ++i) {
      advances += advance(field("from", step, i), rows(row.inputs[static_cast<size_t>(i)]),
                          row.reduces ? 1 : row.rows.stride);
    }
    std::string demands;
    for (int i = 0; i < row.input_count; ++i) demands += demand(step, row.inputs[static_cast<size_t>(i)]);
    // The demands run other rows' calls: the pointers into rings are taken after them.
    return "/* " + c_comment(c(step).op->name) + " */\nstatic " + (fed_ ? "int32_t " : "void ") +
           function(step) + "(" + state_type() + " *s, int32_t rows) {\n  while (s->" + field("made", step) +
           " < rows) {\n" + demands + "    ROW_OF_LAYER(" + number(step) + ")\n    {\n" + declarations +
           after_declarations_ + call(step, to) + "    }\n" + advances + "    ++s->" + field("made", step) +
           ";\n  }\n" + (fed_ ? "  return 1;\n" : "") + "}\n\n";
  }

  std::string state() const {
    std::string text = "typedef struct {\n  int8_t *arena;\n  int8_t *output;\n";
    if (fed_) {
      text += "  void (*hook)(void *context, int32_t layer);\n  void *context;\n";
      text +=
          "  int32_t arrived;  /* rows of the input */\n  int32_t arriving; /* where the next one goes */\n";
    } else {
      const std::string profile = upper_case(package_) + "_PROFILE";
      text += std::string(whole_input() ? "  const int8_t *input;\n" : "") + "#ifdef " + profile + "\n  " +
              package_ + "_hook hook;\n  void *context;\n#endif\n";
    }
    if (segment_.strips > 1 || (fed_ && plan_.input == InputKind::kReread)) text += "  int32_t strip;\n";
    return text + fields_ + "} " + state_type() + ";\n\n";
  }

  bool whole_input() const { return plan_.input == InputKind::kResident; }

  int last_rows() const {
    const RowOp& last = op(segment_.last_step);
    return shape(last.reduces ? last.inputs[0] : last.output).h;
  }

  // What stands before the first strip, and behind the last.
  std::string before() const {
    if (!op(segment_.last_step).reduces) return "";
    return "  tn_mean_start(&op_" + c(segment_.last_step).symbol + ", " + sums() + ");\n";
  }
  std::string behind() const {
    const RowOp& last = op(segment_.last_step);
    if (!last.reduces) return "";
    return "  tn_mean_end(&op_" + c(segment_.last_step).symbol + ", " + sums() + ", " + base_of(last.output) +
           ");\n";
  }

  std::string driver() const {
    std::string text = "static void " + prefix_ + "(int8_t *arena, " +
                       (whole_input() ? "const int8_t *input, " : "") +
                       "int8_t *output HOOK_PARAMETERS) {\n  " + state_type() + " state;\n  " + state_type() +
                       " *const s = &state;\n";
    if (segment_.strips > 1) text += "  int32_t strip;\n";
    text += std::string("  s->arena = arena;\n") + (whole_input() ? "  s->input = input;\n" : "") +
            "  s->output = output;\n#ifdef " + upper_case(package_) +
            "_PROFILE\n  s->hook = hook;\n  s->context = context;\n#endif\n" + before();
    const std::string run = function(segment_.last_step) + "(s, " + number(last_rows()) + ");\n";
    if (segment_.strips > 1) {
      text += "  for (strip = 0; strip < " + number(segment_.strips) +
              "; ++strip) {\n    s->strip = strip;\n" + starts_ + "    " + run + "  }\n";
    } else {
      text += starts_ + "    " + run;
    }
    return text + behind() + "}\n";
  }

  // Instead of a driver, what the package's own loops over rows and strips of the input call.
  std::string feeding() {
    const Rows lie = rows(graph_.input);
    const std::string self = "(" + state_type() + " *s) {\n";
    std::string text = "/* Before the first strip. */\nstatic void " + prefix_ + "_begin" + self;
    text += before().empty() ? "  (void)s;\n" : before();
    text += "}\n\n/* A strip begins: with row 0 of the input. */\nstatic void " + prefix_ + "_start_strip" +
            self + starts_ + "    s->arrived = 0;\n    s->arriving = 0;\n}\n\n";
    text += "/* Where the next row of the input goes. */\nstatic int8_t *" + prefix_ + "_row(const " +
            state_type() + " *s) { return " + lie.base + " + s->arriving; }\n\n";
    text +=
        "/* That row has arrived: makes what it was waited for. 1: the strip is complete. */\nstatic "
        "int32_t " +
        prefix_ + "_row_arrived" + self + advance("arriving", lie, 1) + "    ++s->arrived;\n    return " +
        function(segment_.last_step) + "(s, " + number(last_rows()) + ");\n}\n\n";
    text += "/* Behind the last strip. */\nstatic void " + prefix_ + "_end" + self;
    text += (behind().empty() ? "  (void)s;\n" : behind()) + "}\n\n";
    if (plan_.input == InputKind::kReread) text += input_columns_tables();
    return text;
  }

  // Which columns of the input each strip reads.
  std::string input_columns_tables() const {
    std::vector<std::string> first;
    std::vector<std::string> count;
    for (const ColumnRange& range : columns_[static_cast<size_t>(graph_.input)]) {
      first.push_back(number(range.begin));
      count.push_back(number(range.count()));
    }
    const auto table = [&](const char* name, const std::vector<std::string>& values) {
      return "static const int32_t " + prefix_ + name + "[" + number(segment_.strips) + "] = {" +
             join(values, ", ") + "};\n";
    };
    return table("_first_column", first) + table("_column_count", count) + "\n";
  }

  const std::string& package_;
  const Graph& graph_;
  const MemoryPlan& plan_;
  const std::vector<COperator>& operators_;
  const PlanSegment& segment_;
  const RowGraph rows_;
  const std::string prefix_;
  const bool fed_;  // its input's rows come from outside, one by one: what cannot be made yet waits
  std::vector<std::vector<ColumnRange>> columns_;  // by tensor and strip
  std::string fields_;                             // of the state
  std::string starts_;                             // their values where a strip begins
  std::string tables_;
  std::string after_declarations_;  // of the operator that is being written
};

}  // namespace

std::string c_segment(const std::string& package, const Graph& graph, const MemoryPlan& plan,
                      const std::vector<COperator>& operators, size_t number) {
  return SegmentWriter(package, graph, plan, operators, number).text();
}

std::string c_stream_struct(const std::string& package, const Graph& graph, const MemoryPlan& plan,
                            const std::vector<COperator>& operators) {
  return SegmentWriter(package, graph, plan, operators, 0).stream_struct();
}

}  // namespace tinynas
