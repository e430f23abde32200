#include "cost_models/memory_plan.h"

#include <algorithm>

#include "base/error.h"
#include "cost_models/packing.h"
#include "runtime/tn_buffer_sizes.h"

namespace tinynas {
namespace {

int64_t align_up(int64_t bytes, int alignment) { return (bytes + alignment - 1) / alignment * alignment; }

int64_t scratch_bytes(const Graph& graph, const Op& op, bool in_place) {
  const Shape& in = graph.tensor(op.inputs[0]).shape;
  const Shape& out = graph.tensor(op.output).shape;
  switch (op.kind) {
    case OpKind::kConv2d:
      return tn_conv2d_get_buffer_size(in.h, in.w, in.c, out.c, op.kernel_h, op.kernel_w, op.stride_h,
                                       op.stride_w);
    case OpKind::kDepthwiseConv2d:
      return tn_depthwise_conv2d_get_buffer_size(in.h, in.w, in.c, op.kernel_h, op.kernel_w, op.stride_h,
                                                 op.stride_w, in_place ? 1 : 0);
    case OpKind::kFullyConnected:
      return tn_fully_connected_get_buffer_size(static_cast<int32_t>(in.elements()), out.c);
    case OpKind::kAdd:
    case OpKind::kGlobalAvgPool:
      return 0;
  }
  return 0;
}

// The `layer` schedule: one operator after another in the graph's order.
class LayerPlanner {
 public:
  LayerPlanner(const Graph& graph, const PlanOptions& options) : graph_(graph), options_(options) {}

  MemoryPlan plan() {
    find_last_reads();
    plan_.order.resize(graph_.ops.size());
    plan_.buffer_of_tensor.assign(graph_.tensors.size(), -1);
    plan_.buffers.reserve(graph_.tensors.size() + graph_.ops.size());
    add_tensor(graph_.input, 0);
    for (int step = 0; step < steps(); ++step) plan_step(step);
    measure_steps();
    place();
    return std::move(plan_);
  }

 private:
  int steps() const { return static_cast<int>(graph_.ops.size()); }

  void find_last_reads() {
    last_read_.assign(graph_.tensors.size(), 0);
    for (int step = 0; step < steps(); ++step) {
      for (const TensorId id : graph_.ops[static_cast<size_t>(step)].inputs)
        last_read_[static_cast<size_t>(id)] = step;
    }
    last_read_[static_cast<size_t>(graph_.output)] = std::max(steps() - 1, 0);
  }

  void add_tensor(TensorId id, int step) {
    const Tensor& tensor = graph_.tensor(id);
    PlannedBuffer& buffer = plan_.buffers.emplace_back();
    buffer.name = tensor.name;
    buffer.tensors = {id};
    buffer.size_bytes = tensor.bytes();
    buffer.first_step = step;
    buffer.last_step = std::max(step, last_read_[static_cast<size_t>(id)]);
    plan_.buffer_of_tensor[static_cast<size_t>(id)] = static_cast<int>(plan_.buffers.size()) - 1;
  }

  // The input whose bytes the output may take over, or -1. It has to die at this step: nothing reads it
  // later, and it is not the graph's output.
  int in_place_input(const Op& op, int step) const {
    if (!options_.in_place) return -1;
    const bool depthwise = op.kind == OpKind::kDepthwiseConv2d && op.stride_h == 1 && op.stride_w == 1;
    if (!depthwise && op.kind != OpKind::kAdd) return -1;
    const Tensor& output = graph_.tensor(op.output);
    for (size_t i = 0; i < op.inputs.size(); ++i) {
      const TensorId id = op.inputs[i];
      const Tensor& input = graph_.tensor(id);
      if (last_read_[static_cast<size_t>(id)] != step || id == graph_.output) continue;
      if (!(input.shape == output.shape) || input.bytes() != output.bytes()) continue;
      return static_cast<int>(i);
    }
    return -1;
  }

  void plan_step(int step) {
    const Op& op = graph_.ops[static_cast<size_t>(step)];
    PlanStep& planned = plan_.order[static_cast<size_t>(step)];
    planned.op = step;
    const int reused = in_place_input(op, step);
    const int64_t output_bytes = align_up(graph_.tensor(op.output).bytes(), options_.alignment);
    // Working in place replaces the output's bytes by scratch at this step and changes nothing at the others,
    // so the cheaper of the two can be chosen here: no choice elsewhere makes the other one better for the
    // lower bound.
    const auto extra = [&](bool in_place) {
      return align_up(scratch_bytes(graph_, op, in_place), options_.alignment) +
             (in_place ? 0 : output_bytes);
    };
    planned.in_place = reused >= 0 && extra(true) <= extra(false);
    planned.scratch_bytes = scratch_bytes(graph_, op, planned.in_place);
    if (planned.in_place) {
      planned.in_place_input = reused;
      const int index = plan_.buffer_of_tensor[static_cast<size_t>(op.inputs[static_cast<size_t>(reused)])];
      PlannedBuffer& buffer = plan_.buffers[static_cast<size_t>(index)];
      buffer.tensors.push_back(op.output);
      buffer.last_step = std::max(step, last_read_[static_cast<size_t>(op.output)]);
      plan_.buffer_of_tensor[static_cast<size_t>(op.output)] = index;
    } else {
      add_tensor(op.output, step);
    }
    if (planned.scratch_bytes > 0) {
      PlannedBuffer& buffer = plan_.buffers.emplace_back();
      buffer.name = op.name + ".scratch";
      buffer.size_bytes = planned.scratch_bytes;
      buffer.first_step = buffer.last_step = step;
      planned.scratch_buffer = static_cast<int>(plan_.buffers.size()) - 1;
    }
  }

  void measure_steps() {
    std::vector<int64_t> aligned(plan_.order.size(), 0);
    for (const PlannedBuffer& buffer : plan_.buffers) {
      const int64_t aligned_bytes = align_up(buffer.size_bytes, options_.alignment);
      for (int step = buffer.first_step; step <= buffer.last_step; ++step) {
        plan_.order[static_cast<size_t>(step)].live_bytes += buffer.size_bytes;
        aligned[static_cast<size_t>(step)] += aligned_bytes;
      }
    }
    for (int step = 0; step < steps(); ++step) {
      const auto at = static_cast<size_t>(step);
      plan_.lower_bound_bytes = std::max(plan_.lower_bound_bytes, aligned[at]);
      const auto bottleneck = static_cast<size_t>(plan_.bottleneck_step);
      if (plan_.order[at].live_bytes > plan_.order[bottleneck].live_bytes) plan_.bottleneck_step = step;
    }
  }

  void place() {
    std::vector<Lifetime> lifetimes;
    lifetimes.reserve(plan_.buffers.size());
    for (const PlannedBuffer& buffer : plan_.buffers) {
      lifetimes.push_back(
          {buffer.first_step, buffer.last_step, align_up(buffer.size_bytes, options_.alignment)});
    }
    const Packing packing = pack(lifetimes, plan_.lower_bound_bytes);
    for (size_t i = 0; i < plan_.buffers.size(); ++i) plan_.buffers[i].offset_bytes = packing.offsets[i];
    plan_.arena_bytes = packing.height;
    plan_.input_bytes = graph_.tensor(graph_.input).bytes();
    plan_.arena_excl_input_bytes = plan_.arena_bytes - plan_.input_bytes;
  }

  const Graph& graph_;
  const PlanOptions& options_;
  std::vector<int> last_read_;  // by tensor: the last step that reads it
  MemoryPlan plan_;
};

}  // namespace

MemoryPlan plan_memory(const Graph& graph, const PlanOptions& options) {
  if (options.alignment < 1 || options.alignment > 4096 ||
      (options.alignment & (options.alignment - 1)) != 0) {
    throw usage_error("plan alignment: got " + std::to_string(options.alignment) +
                      ", expected a power of two from 1 to 4096");
  }
  return LayerPlanner(graph, options).plan();
}

}  // namespace tinynas
