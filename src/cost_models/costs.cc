#include "cost_models/costs.h"

#include <algorithm>

#include "base/error.h"
#include "cost_models/best_schedule.h"
#include "cost_models/package_bounds.h"
#include "cost_models/tflm.h"
#include "runtime/tn_buffer_sizes.h"

namespace tinynas {
namespace {

constexpr int64_t kMaxFlashBytes = UINT32_MAX;

// Of `weights` weights and `biases` biases as the kernels read them.
int64_t weights_bytes(const Graph& graph, const Op& op, int64_t weights, int64_t biases) {
  if (runs_as_conv2d(graph, op)) {
    const int in_c = graph.tensor(op.inputs[0]).shape.c;
    weights = int64_t{tn_conv2d_row_bytes(op.kernel_h, op.kernel_w, in_c)} * graph.tensor(op.output).shape.c;
  }
  return weights * int64_t{sizeof(int8_t)} + biases * int64_t{sizeof(int32_t)};
}

// Entries of requantisation tables: per output channel, but for fully connected, whose weights have one
// scale.
int64_t tables_bytes(const Graph& graph, const Op& op) {
  if (!op.has_weights()) return 0;
  const int64_t entries = op.kind == OpKind::kFullyConnected ? 1 : graph.tensor(op.output).shape.c;
  return entries * TN_REQUANT_ENTRY_BYTES;
}

// What a runtime has beside the arena and the weights.
struct RuntimeOverhead {
  int64_t persistent_bytes = 0;
  int64_t stack_bytes = 0;
  int64_t tables_bytes = 0;
  int64_t code_bytes = 0;
};

RuntimeOverhead overhead_of(const Graph& graph, const MemoryPlan& plan, const CostOptions& options) {
  if (options.plan.runtime == Runtime::kTflm) {
    const TflmOverhead tflm = tflm_overhead(graph);
    return {tflm.persistent_bytes, tflm.stack_bytes, tflm.file_bytes, tflm.code_bytes};
  }
  const PackageBounds bounds = package_bounds(
      graph, plan, options.board != nullptr ? options.board->core : std::string_view(), options.linked_twice);
  // All that our package has beside the arena is const, but for the state of a run whose input is pushed.
  RuntimeOverhead overhead{bounds.stream_bytes, bounds.stack_bytes, 0, bounds.code_bytes};
  for (const Op& op : graph.ops) overhead.tables_bytes += tables_bytes(graph, op);
  return overhead;
}

SramCost sram_cost(const MemoryPlan& plan, const RuntimeOverhead& overhead, const Board* board) {
  SramCost sram;
  sram.arena_bytes = plan.arena_bytes;
  sram.input_bytes = plan.input_bytes;
  for (const PlanStep& step : plan.order)
    sram.scratch_bytes = std::max(sram.scratch_bytes, step.scratch_bytes);
  sram.persistent_bytes = overhead.persistent_bytes;
  sram.stack_bytes = overhead.stack_bytes;
  sram.reserve_bytes = board != nullptr ? board->sram_reserve_bytes : 0;
  return sram;
}

}  // namespace

CostReport estimate(const Graph& graph, const CostOptions& options) {
  return under_best_schedule(graph, options).costs;
}

CostReport estimate(const Graph& graph, const MemoryPlan& plan, const CostOptions& options) {
  const RuntimeOverhead overhead = overhead_of(graph, plan, options);
  const LatencyModel* model =
      options.board != nullptr ? options.board->latency_model(options.plan.runtime) : nullptr;
  const LatencyGroup* latency = model != nullptr ? &model->group_of(graph) : nullptr;

  CostReport report;
  report.extra_macs = plan.extra_macs;
  report.streams = plan.streams();
  report.sram = sram_cost(plan, overhead, options.board);
  report.flash.tables_bytes = overhead.tables_bytes;
  report.flash.code_bytes = overhead.code_bytes;
  report.flash.reserve_bytes = options.board != nullptr ? options.board->flash_reserve_bytes : 0;
  double total_ms = latency != nullptr ? latency->fixed_ms : 0;
  for (const PlanStep& step : plan.order) {
    const Op& op = graph.ops[static_cast<size_t>(step.op)];
    const int64_t op_macs = macs(graph, op);
    const int64_t weights = weight_count(graph, op);
    const int64_t biases = bias_count(graph, op);
    const int64_t op_weights_bytes = weights_bytes(graph, op, weights, biases);
    double op_ms = latency != nullptr ? latency->operator_ms(graph, op, step, op_macs) : 0.0;
    if (step.extra_macs > 0) op_ms *= 1 + static_cast<double>(step.extra_macs) / static_cast<double>(op_macs);
    report.macs += op_macs;
    report.params += weights + biases;
    report.flash.weights_bytes += op_weights_bytes;
    total_ms += op_ms;
    if (options.per_operator) {
      report.operators.push_back({op.name, name_of(op.kind), graph.tensor(op.output).shape, op_macs,
                                  step.live_bytes, op_weights_bytes, op_ms});
    }
  }
  if (latency != nullptr) {
    report.latency_ms = total_ms;
    report.latency_basis = model->basis;
    report.latency_error_band = latency->quality.error_band;
    report.latency_r2 = latency->quality.r2;
    report.latency_extrapolated = latency->quality.extrapolates(report.macs);
    // mW * ms = microjoules. A board without a figure of its power has no energy model.
    if (options.board->active_power_mw > 0)
      report.energy_mj = options.board->active_power_mw * total_ms / 1e3;
  }
  if (report.flash.total_bytes() > kMaxFlashBytes) {
    throw usage_error("graph \"" + graph.name + "\": " + std::to_string(report.flash.total_bytes()) +
                      " bytes of Flash are more than 32 bits can address");
  }
  if (!plan.order.empty()) {
    const PlanStep& bottleneck = plan.order[static_cast<size_t>(plan.bottleneck_step)];
    report.bottleneck = graph.ops[static_cast<size_t>(bottleneck.op)].name;
  }
  return report;
}

}  // namespace tinynas
