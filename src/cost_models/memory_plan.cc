#include "cost_models/memory_plan.h"

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "cost_models/growth_packing.h"
#include "cost_models/operator_order.h"
#include "cost_models/packing.h"
#include "cost_models/row_graph.h"
#include "cost_models/schedule_search.h"
#include "cost_models/segment_layout.h"
#include "cost_models/step_rules.h"
#include "runtime/tn_buffer_sizes.h"

namespace tinynas {
namespace {

constexpr int64_t kMaxArenaBytes = INT32_MAX;  // the kernels count bytes in int32

// Lays out the buffers of a schedule and packs them.
class PlanBuilder {
 public:
  PlanBuilder(const Graph& graph, const PlanOptions& options)
      : graph_(graph), options_(options), rules_(graph, options.in_place) {
    plan_.order.resize(graph_.ops.size());
    choose_order();
  }

  // The `layer` schedule: one operator after another.
  MemoryPlan layer_plan() {
    begin({{0, steps() - 1}});
    for (int step = 0; step < steps(); ++step) plan_step(step);
    return finish();
  }

  // The best schedule for the options' objective.
  MemoryPlan stream_plan() {
    const RowGraph rows(graph_, order());
    return plan_of(rows, choose_partition(rows).segments);
  }

  MemoryPlan plan_of(const RowGraph& rows, const std::vector<Segment>& partition) {
    begin(planned_segments(partition));
    plan_.slots.resize(graph_.tensors.size());
    for (size_t id = 0; id < plan_.slots.size(); ++id)
      plan_.slots[id].column_origin = static_cast<TensorId>(id);
    for (const Segment& segment : partition) {
      if (segment.streamed)
        plan_stream(rows, segment);
      else
        plan_step(segment.first);
    }
    return finish();
  }

  std::vector<int> order() const {
    std::vector<int> order;
    order.reserve(plan_.order.size());
    for (const PlanStep& step : plan_.order) order.push_back(step.op);
    return order;
  }

 private:
  int steps() const { return static_cast<int>(plan_.order.size()); }
  PlanStep& at(int step) { return plan_.order[static_cast<size_t>(step)]; }
  const Op& op_at(int step) const {
    return graph_.ops[static_cast<size_t>(plan_.order[static_cast<size_t>(step)].op)];
  }

  void choose_order() {
    if (!options_.search_order) {
      for (int step = 0; step < steps(); ++step) at(step).op = step;
      return;
    }
    const std::vector<int> order = best_order(
        graph_, rules_,
        {.alignment = options_.alignment, .runtime = options_.runtime, .variant = options_.variant});
    for (int step = 0; step < steps(); ++step) at(step).op = order[static_cast<size_t>(step)];
  }

  Partition choose_partition(const RowGraph& rows) const {
    ScheduleSearch search(graph_, rows, options_);
    Partition partition;
    if (options_.objective == PlanObjective::kMacs)
      partition = search.fewest_macs(*options_.sram_limit_bytes);
    // What cannot keep to the limit is as small as it can be.
    if (partition.segments.empty()) {
      partition =
          search.fewest_bytes(options_.objective == PlanObjective::kMacs ? std::numeric_limits<int64_t>::max()
                                                                         : extra_macs_limit());
    }
    if (partition.segments.empty()) {
      throw usage_error(
          "graph \"" + graph_.name + "\": no schedule for input " + name_of(options_.input) +
          ": all operators that read the input have to run row by row, in one segment; a "
          "fully_connected, softmax, pad or reshape works on whole tensors: expected input resident there");
    }
    return partition;
  }

  int64_t extra_macs_limit() const {
    const double limit = options_.max_extra_macs * static_cast<double>(macs(graph_));
    return limit < 9e18 ? static_cast<int64_t>(limit) : std::numeric_limits<int64_t>::max();
  }

  // Neighbouring operators on whole tensors are one segment.
  static std::vector<PlanSegment> planned_segments(const std::vector<Segment>& partition) {
    std::vector<PlanSegment> segments;
    for (const Segment& segment : partition) {
      if (!segment.streamed && !segments.empty() && !segments.back().streamed) {
        segments.back().last_step = segment.end - 1;
        continue;
      }
      segments.push_back(
          {segment.first, segment.end - 1, segment.streamed, segment.strips, segment.extra_macs});
    }
    return segments;
  }

  void begin(std::vector<PlanSegment> segments) {
    plan_.segments = std::move(segments);
    plan_.input = options_.input;
    find_last_steps();
    plan_.buffer_of_tensor.assign(graph_.tensors.size(), -1);
    plan_.buffers.reserve(graph_.tensors.size() + graph_.ops.size());
    if (options_.input == InputKind::kResident) add_tensor(graph_.input, 0);
  }

  MemoryPlan finish() {
    measure_steps();
    place();
    return std::move(plan_);
  }

  // What one operator of a stream segment reads is needed until the segment's last row.
  void find_last_steps() {
    last_step_.assign(graph_.tensors.size(), 0);
    for (const PlanSegment& segment : plan_.segments) {
      for (int step = segment.first_step; step <= segment.last_step; ++step) {
        for (const TensorId id : op_at(step).inputs)
          last_step_[static_cast<size_t>(id)] = segment.streamed ? segment.last_step : step;
      }
    }
    last_step_[static_cast<size_t>(graph_.output)] = std::max(steps() - 1, 0);
  }

  void add_tensor(TensorId id, int step) {
    PlannedBuffer& buffer = plan_.buffers.emplace_back();
    buffer.tensor = id;
    buffer.size_bytes = graph_.tensor(id).bytes();
    buffer.first_step = step;
    buffer.last_step = buffer.full_until_step = std::max(step, last_step_[static_cast<size_t>(id)]);
    plan_.buffer_of_tensor[static_cast<size_t>(id)] = static_cast<int>(plan_.buffers.size()) - 1;
  }

  // The input whose bytes the output may take over, or -1. It has to die at this step: nothing reads it
  // later, and it is not the graph's output.
  int in_place_input(const Op& op, int step) const {
    for (size_t i = 0; i < op.inputs.size(); ++i) {
      const TensorId id = op.inputs[i];
      if (last_step_[static_cast<size_t>(id)] != step || id == graph_.output) continue;
      if (rules_.can(op, i)) return static_cast<int>(i);
    }
    return -1;
  }

  // The output takes over the bytes of an input that dies.
  void reuse(const Op& op, int input, int step) {
    const int index = plan_.buffer_of_tensor[static_cast<size_t>(op.inputs[static_cast<size_t>(input)])];
    PlannedBuffer& buffer = plan_.buffers[static_cast<size_t>(index)];
    const int64_t output_bytes = graph_.tensor(op.output).bytes();
    const bool had_shrunk = buffer.full_until_step < buffer.last_step;
    buffer.last_step = std::max(step, last_step_[static_cast<size_t>(op.output)]);
    if (output_bytes < buffer.bytes_at(step) && !had_shrunk) {
      buffer.full_until_step = step;
      buffer.tail_bytes = output_bytes;
    } else if (!had_shrunk) {
      buffer.full_until_step = buffer.last_step;
    }
    plan_.buffer_of_tensor[static_cast<size_t>(op.output)] = index;
  }

  void plan_step(int step) {
    PlanStep& planned = at(step);
    const Op& op = op_at(step);
    const int reused = in_place_input(op, step);
    const int64_t output_bytes = align_up(graph_.tensor(op.output).bytes(), options_.alignment);
    const auto scratch = [&](bool in_place) {
      return scratch_bytes(graph_, op, in_place, options_.runtime, options_.variant);
    };
    // Working in place replaces the output's bytes by scratch at this step and changes nothing at the others,
    // so the cheaper of the two can be chosen here: no choice elsewhere makes the other one better for the
    // lower bound.
    planned.scratch_bytes = scratch(false);
    if (reused >= 0) {
      const int64_t in_place_scratch = scratch(true);
      planned.in_place = align_up(in_place_scratch, options_.alignment) <=
                         align_up(planned.scratch_bytes, options_.alignment) + output_bytes;
      if (planned.in_place) planned.scratch_bytes = in_place_scratch;
    }
    planned.kernel = kernel_of(graph_, op, planned.in_place, options_.variant);
    if (planned.in_place) {
      planned.in_place_input = reused;
      reuse(op, reused, step);
    } else {
      add_tensor(op.output, step);
    }
    if (planned.scratch_bytes > 0) {
      planned.scratch_buffer = add_bytes(planned.scratch_bytes, step, step);
    }
  }

  // Scratch, accumulators, rows.
  int add_bytes(int64_t bytes, int first_step, int last_step) {
    PlannedBuffer& buffer = plan_.buffers.emplace_back();
    buffer.size_bytes = bytes;
    buffer.first_step = first_step;
    buffer.last_step = buffer.full_until_step = last_step;
    return static_cast<int>(plan_.buffers.size()) - 1;
  }

  int& buffer_of(TensorId id) { return plan_.buffer_of_tensor[static_cast<size_t>(id)]; }

  void plan_stream(const RowGraph& rows, const Segment& segment) {
    const SegmentLayout layout =
        lay_out(graph_, rows, options_, {segment.first, segment.end}, segment.strips);
    PlanSegment& planned = *std::find_if(plan_.segments.begin(), plan_.segments.end(),
                                         [&](const PlanSegment& s) { return s.first_step == segment.first; });
    planned.extra_macs = layout.extra_macs;
    for (const LaidTensor& laid : layout.tensors) {
      if (laid.shares == laid.id) add_laid(laid, planned);
    }
    for (const LaidTensor& laid : layout.tensors) {
      if (laid.shares != laid.id) buffer_of(laid.id) = buffer_of(laid.shares);
      plan_.slots[static_cast<size_t>(laid.id)] = laid.slots;
    }
    if (segment.consumed >= 0) {
      const TensorId output = rows.op(segment.end - 1).output;
      PlannedBuffer& buffer = plan_.buffers[static_cast<size_t>(buffer_of(output))];
      buffer.grows_into = buffer_of(segment.consumed);
      buffer.gap_bytes = segment.gap_bytes;
    }
    if (layout.accumulator_bytes > 0)
      planned.accumulator_buffer = add_bytes(layout.accumulator_bytes, planned.first_step, planned.last_step);
    for (int step = segment.first; step < segment.end; ++step)
      plan_row_step(step, layout.ops[static_cast<size_t>(step - segment.first)]);
  }

  void add_laid(const LaidTensor& laid, PlanSegment& segment) {
    if (laid.home == RowHome::kWhole) {
      add_tensor(laid.id, segment.first_step);
      PlannedBuffer& whole = plan_.buffers.back();
      whole.last_step = whole.full_until_step = std::max(whole.last_step, segment.last_step);
      return;
    }
    const bool ring = laid.home == RowHome::kRing;
    const int index =
        add_bytes(laid.ring_rows * laid.row_bytes, ring ? segment.first_step : laid.first_position,
                  ring ? segment.last_step : laid.last_position);
    PlannedBuffer& buffer = plan_.buffers[static_cast<size_t>(index)];
    buffer.tensor = laid.id;
    buffer.ring_rows = laid.ring_rows;
    buffer.row_bytes = laid.row_bytes;
    buffer_of(laid.id) = index;
    if (ring) segment.ring_bytes += buffer.size_bytes;
  }

  void plan_row_step(int step, const LaidOp& laid) {
    PlanStep& planned = at(step);
    const Op& op = op_at(step);
    planned.in_place = laid.in_place_input >= 0;
    if (planned.in_place) planned.in_place_input = op.inputs[0] == laid.in_place_input ? 0 : 1;
    planned.kernel = kernel_of(graph_, op, planned.in_place, options_.variant);
    planned.scratch_bytes = laid.scratch_bytes;
    planned.extra_macs = laid.extra_macs;
    if (laid.scratch_bytes > 0) planned.scratch_buffer = add_bytes(laid.scratch_bytes, step, step);
  }

  // Bytes that a buffer has in common with the one that it grows into.
  static int64_t overlap(int64_t size, int64_t gap, int64_t into) {
    return std::max<int64_t>(0, std::min(size - gap, into));
  }

  void subtract_overlap(const PlannedBuffer& buffer, std::vector<int64_t>& aligned) {
    const PlannedBuffer& into = plan_.buffers[static_cast<size_t>(buffer.grows_into)];
    for (int step = buffer.first_step; step <= into.last_step; ++step) {
      at(step).live_bytes -= overlap(buffer.bytes_at(step), buffer.gap_bytes, into.bytes_at(step));
      aligned[static_cast<size_t>(step)] -=
          overlap(align_up(buffer.bytes_at(step), options_.alignment), buffer.gap_bytes,
                  align_up(into.bytes_at(step), options_.alignment));
    }
  }

  void measure_steps() {
    std::vector<int64_t> aligned(plan_.order.size(), 0);
    for (const PlannedBuffer& buffer : plan_.buffers) {
      const int64_t aligned_size = align_up(buffer.size_bytes, options_.alignment);
      const int full_until = std::min(buffer.full_until_step, buffer.last_step);
      int step = buffer.first_step;
      for (; step <= full_until; ++step) {
        at(step).live_bytes += buffer.size_bytes;
        aligned[static_cast<size_t>(step)] += aligned_size;
      }
      for (; step <= buffer.last_step; ++step) {
        at(step).live_bytes += buffer.tail_bytes;
        aligned[static_cast<size_t>(step)] += align_up(buffer.tail_bytes, options_.alignment);
      }
    }
    for (const PlannedBuffer& buffer : plan_.buffers) {
      if (buffer.grows_into >= 0) subtract_overlap(buffer, aligned);
    }
    for (PlanSegment& segment : plan_.segments) {
      for (int step = segment.first_step; step <= segment.last_step; ++step)
        segment.peak_bytes = std::max(segment.peak_bytes, at(step).live_bytes);
      plan_.extra_macs += segment.extra_macs;
    }
    for (int step = 0; step < steps(); ++step) {
      plan_.lower_bound_bytes = std::max(plan_.lower_bound_bytes, aligned[static_cast<size_t>(step)]);
      if (at(step).live_bytes > at(plan_.bottleneck_step).live_bytes) plan_.bottleneck_step = step;
    }
  }

  void place() {
    if (plan_.lower_bound_bytes > kMaxArenaBytes) {
      throw usage_error("graph \"" + graph_.name + "\": " + std::to_string(plan_.lower_bound_bytes) +
                        " bytes are alive at once, more than an arena can hold, which is " +
                        std::to_string(kMaxArenaBytes));
    }
    std::vector<Lifetime> lifetimes;
    lifetimes.reserve(plan_.buffers.size());
    for (const PlannedBuffer& buffer : plan_.buffers) {
      lifetimes.push_back({buffer.first_step, buffer.last_step,
                           align_up(buffer.size_bytes, options_.alignment), buffer.full_until_step,
                           align_up(buffer.tail_bytes, options_.alignment)});
    }
    std::vector<Growth> growths;
    for (size_t i = 0; i < plan_.buffers.size(); ++i) {
      const PlannedBuffer& buffer = plan_.buffers[i];
      if (buffer.grows_into >= 0)
        growths.push_back({static_cast<int>(i), buffer.grows_into, buffer.gap_bytes});
    }
    const Packing packing = options_.greedy_packing ? pack_greedily(lifetimes)
                            : growths.empty()       ? pack(lifetimes, plan_.lower_bound_bytes)
                                              : pack_growing(lifetimes, growths, plan_.lower_bound_bytes);
    for (size_t i = 0; i < plan_.buffers.size(); ++i) plan_.buffers[i].offset_bytes = packing.offsets[i];
    plan_.arena_bytes = packing.height;
    const PlannedBuffer& input = plan_.buffers[static_cast<size_t>(buffer_of(graph_.input))];
    plan_.input_bytes =
        options_.input == InputKind::kResident ? graph_.tensor(graph_.input).bytes() : input.size_bytes;
    plan_.arena_excl_input_bytes = plan_.arena_bytes - plan_.input_bytes;
  }

  const Graph& graph_;
  const PlanOptions& options_;
  const InPlaceRules rules_;
  std::vector<int> last_step_;  // by tensor: the last step that needs it
  MemoryPlan plan_;
};

}  // namespace

PlanOptions PlanOptions::of(Runtime runtime, KernelVariant variant) {
  if (runtime == Runtime::kTinynas) return {.variant = variant};
  return {.runtime = runtime,
          .variant = variant,
          .in_place = false,
          .search_order = false,
          .greedy_packing = true,
          .alignment = 16};
}

void PlanOptions::check() const {
  if (alignment < 1 || alignment > 4096 || (alignment & (alignment - 1)) != 0) {
    throw usage_error("plan alignment: got " + std::to_string(alignment) +
                      ", expected a power of two from 1 to 4096");
  }
  if (variant != KernelVariant::kPortable && alignment % 4 != 0) {
    throw usage_error("plan alignment: got " + std::to_string(alignment) + ", the kernels of " +
                      name_of(variant) + " want their scratch aligned to 4");
  }
  if (schedule != Schedule::kLayer && alignment % 4 != 0) {
    throw usage_error("plan alignment: got " + std::to_string(alignment) +
                      ", a global mean that is streamed wants its sums aligned to 4; expected 4 or more, or "
                      "schedule layer");
  }
  if (runtime == Runtime::kTflm && (schedule == Schedule::kStream || input != InputKind::kResident)) {
    throw usage_error(
        "schedule: TensorFlow Lite Micro runs layer by layer on a resident input, got schedule " +
        std::string(name_of(schedule)) + ", input " + name_of(input));
  }
  if (schedule == Schedule::kLayer && input != InputKind::kResident) {
    throw usage_error(std::string("schedule: layer by layer the input is resident, got input ") +
                      name_of(input) + "; expected schedule stream or auto");
  }
  if (!(max_extra_macs >= 0)) {
    throw usage_error("max_extra_macs: got " + std::to_string(max_extra_macs) + ", expected 0 or more");
  }
  if (objective == PlanObjective::kMacs && !sram_limit_bytes)
    throw usage_error("objective: macs needs a limit of SRAM");
  if (sram_limit_bytes && *sram_limit_bytes < 1) {
    throw usage_error("sram_limit_bytes: got " + std::to_string(*sram_limit_bytes) + ", expected 1 or more");
  }
  if (max_strips < 1 || max_strips > kMaxStrips) {
    throw usage_error("max_strips: got " + std::to_string(max_strips) + ", expected 1 to " +
                      std::to_string(kMaxStrips));
  }
}

namespace {

// Packing may lose some bytes: a plan for few extra MACs that is above its limit for that is tried again with
// that much less.
MemoryPlan streamed_plan(const Graph& graph, const PlanOptions& options) {
  constexpr int kTries = 4;
  MemoryPlan best = PlanBuilder(graph, options).stream_plan();
  if (options.objective != PlanObjective::kMacs) return best;
  const int64_t limit = *options.sram_limit_bytes;
  PlanOptions tighter = options;
  int64_t arena_bytes = best.arena_bytes;
  for (int i = 0; i < kTries && arena_bytes > limit && best.lower_bound_bytes <= limit; ++i) {
    *tighter.sram_limit_bytes -= arena_bytes - limit;
    if (*tighter.sram_limit_bytes < 1) break;
    MemoryPlan plan = PlanBuilder(graph, tighter).stream_plan();
    arena_bytes = plan.arena_bytes;
    if (arena_bytes < best.arena_bytes) best = std::move(plan);
  }
  return best;
}

}  // namespace

MemoryPlan plan_memory(const Graph& graph, const PlanOptions& options) {
  options.check();
  if (options.schedule == Schedule::kLayer || options.runtime == Runtime::kTflm)
    return PlanBuilder(graph, options).layer_plan();
  if (options.input != InputKind::kResident) return streamed_plan(graph, options);
  MemoryPlan layer = PlanBuilder(graph, options).layer_plan();
  const bool enough = !options.sram_limit_bytes || layer.arena_bytes <= *options.sram_limit_bytes;
  if (enough && (options.schedule == Schedule::kAuto || options.objective == PlanObjective::kMacs))
    return layer;
  MemoryPlan streamed = streamed_plan(graph, options);
  return streamed.arena_bytes < layer.arena_bytes ? streamed : layer;
}

MemoryPlan plan_segments(const Graph& graph, const PlanOptions& options,
                         const std::vector<Segment>& segments) {
  options.check();
  PlanBuilder builder(graph, options);
  return builder.plan_of(RowGraph(graph, builder.order()), segments);
}

std::vector<int> planned_order(const Graph& graph, const PlanOptions& options) {
  return PlanBuilder(graph, options).order();
}

// The gap holds for rows: while row r is written, all that it reads may still be read. The kernels compute up
// to TN_CONV2D_POSITIONS positions at once, perhaps of two rows, and either read all of them before they
// write one, or go position by position. Only pointwise ones (of the variant mve) read such a block while
// they write it: from position s on it needs (s + 4) out_c - s in_c bytes of gap, the most at the first block
// or the last, which is no more than (r + 1) w out_c - r w in_c at the first row or the last where w is 4 or
// more.
bool runs_by_rows(const Graph& graph, const MemoryPlan& plan, const PlanSegment& segment) {
  if (!segment.streamed) return false;
  const PlanStep& step = plan.order[static_cast<size_t>(segment.first_step)];
  const Op& op = graph.ops[static_cast<size_t>(step.op)];
  const auto buffer = [&](TensorId id) -> const PlannedBuffer& {
    return plan.buffers[static_cast<size_t>(plan.buffer_of_tensor[static_cast<size_t>(id)])];
  };
  const bool is_whole = segment.first_step == segment.last_step && segment.strips == 1 &&
                        runs_as_conv2d(graph, op) && buffer(op.inputs[0]).ring_rows == 0;
  const bool keeps_gap = step.kernel != Kernel::kConv2d1x1 || buffer(op.output).grows_into < 0 ||
                         graph.tensor(op.output).shape.w >= TN_CONV2D_POSITIONS;
  return !is_whole || !keeps_gap;
}

std::string buffer_name(const Graph& graph, const MemoryPlan& plan, const PlannedBuffer& buffer) {
  if (buffer.tensor >= 0) return graph.tensor(buffer.tensor).name;
  for (const PlanSegment& segment : plan.segments) {
    if (segment.accumulator_buffer < 0) continue;
    if (&plan.buffers[static_cast<size_t>(segment.accumulator_buffer)] != &buffer) continue;
    return graph.ops[static_cast<size_t>(plan.order[static_cast<size_t>(segment.last_step)].op)].name +
           ".sums";
  }
  const int op = plan.order[static_cast<size_t>(buffer.first_step)].op;
  return graph.ops[static_cast<size_t>(op)].name + ".scratch";
}

std::vector<TensorId> tensors_of_buffer(const Graph& graph, const MemoryPlan& plan, int buffer) {
  std::vector<TensorId> tensors;
  const auto add = [&](TensorId id) {
    if (plan.buffer_of_tensor[static_cast<size_t>(id)] == buffer) tensors.push_back(id);
  };
  add(graph.input);
  for (const PlanStep& step : plan.order) add(graph.ops[static_cast<size_t>(step.op)].output);
  return tensors;
}

}  // namespace tinynas
