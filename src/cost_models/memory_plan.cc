#include "cost_models/memory_plan.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "cost_models/operator_order.h"
#include "cost_models/packing.h"
#include "cost_models/step_rules.h"

namespace tinynas {
namespace {

constexpr int64_t kMaxArenaBytes = INT32_MAX;  // the kernels count bytes in int32

// The `layer` schedule: one operator after another.
class LayerPlanner {
 public:
  LayerPlanner(const Graph& graph, const PlanOptions& options)
      : graph_(graph), options_(options), rules_(graph, options.in_place) {}

  MemoryPlan plan() {
    plan_.order.resize(graph_.ops.size());
    choose_order();
    find_last_reads();
    plan_.buffer_of_tensor.assign(graph_.tensors.size(), -1);
    plan_.buffers.reserve(graph_.tensors.size() + graph_.ops.size());
    add_tensor(graph_.input, 0);
    for (int step = 0; step < steps(); ++step) plan_step(step);
    measure_steps();
    place();
    return std::move(plan_);
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

  void find_last_reads() {
    last_read_.assign(graph_.tensors.size(), 0);
    for (int step = 0; step < steps(); ++step) {
      for (const TensorId id : op_at(step).inputs) last_read_[static_cast<size_t>(id)] = step;
    }
    last_read_[static_cast<size_t>(graph_.output)] = std::max(steps() - 1, 0);
  }

  void add_tensor(TensorId id, int step) {
    PlannedBuffer& buffer = plan_.buffers.emplace_back();
    buffer.tensor = id;
    buffer.size_bytes = graph_.tensor(id).bytes();
    buffer.first_step = step;
    buffer.last_step = buffer.full_until_step = std::max(step, last_read_[static_cast<size_t>(id)]);
    plan_.buffer_of_tensor[static_cast<size_t>(id)] = static_cast<int>(plan_.buffers.size()) - 1;
  }

  // The input whose bytes the output may take over, or -1. It has to die at this step: nothing reads it
  // later, and it is not the graph's output.
  int in_place_input(const Op& op, int step) const {
    for (size_t i = 0; i < op.inputs.size(); ++i) {
      const TensorId id = op.inputs[i];
      if (last_read_[static_cast<size_t>(id)] != step || id == graph_.output) continue;
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
    buffer.last_step = std::max(step, last_read_[static_cast<size_t>(op.output)]);
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
      PlannedBuffer& buffer = plan_.buffers.emplace_back();
      buffer.size_bytes = planned.scratch_bytes;
      buffer.first_step = buffer.last_step = buffer.full_until_step = step;
      planned.scratch_buffer = static_cast<int>(plan_.buffers.size()) - 1;
    }
  }

  void measure_steps() {
    std::vector<int64_t> aligned(plan_.order.size(), 0);
    for (const PlannedBuffer& buffer : plan_.buffers) {
      for (int step = buffer.first_step; step <= buffer.last_step; ++step) {
        at(step).live_bytes += buffer.bytes_at(step);
        aligned[static_cast<size_t>(step)] += align_up(buffer.bytes_at(step), options_.alignment);
      }
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
    const Packing packing =
        options_.greedy_packing ? pack_greedily(lifetimes) : pack(lifetimes, plan_.lower_bound_bytes);
    for (size_t i = 0; i < plan_.buffers.size(); ++i) plan_.buffers[i].offset_bytes = packing.offsets[i];
    plan_.arena_bytes = packing.height;
    plan_.input_bytes = graph_.tensor(graph_.input).bytes();
    plan_.arena_excl_input_bytes = plan_.arena_bytes - plan_.input_bytes;
  }

  const Graph& graph_;
  const PlanOptions& options_;
  const InPlaceRules rules_;
  std::vector<int> last_read_;  // by tensor: the last step that reads it
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

MemoryPlan plan_memory(const Graph& graph, const PlanOptions& options) {
  if (options.alignment < 1 || options.alignment > 4096 ||
      (options.alignment & (options.alignment - 1)) != 0) {
    throw usage_error("plan alignment: got " + std::to_string(options.alignment) +
                      ", expected a power of two from 1 to 4096");
  }
  if (options.variant != KernelVariant::kPortable && options.alignment % 4 != 0) {
    throw usage_error("plan alignment: got " + std::to_string(options.alignment) + ", the kernels of " +
                      name_of(options.variant) + " want their scratch aligned to 4");
  }
  return LayerPlanner(graph, options).plan();
}

std::string buffer_name(const Graph& graph, const MemoryPlan& plan, const PlannedBuffer& buffer) {
  if (buffer.tensor >= 0) return graph.tensor(buffer.tensor).name;
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
