#include "cost_models/costs.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "cost_models/kernels.h"
#include "cost_models/package_bounds.h"
#include "runtime/tn_buffer_sizes.h"

namespace tinynas {
namespace {

int64_t weights_bytes(const Graph& graph, const Op& op) {
  return weight_count(graph, op) * int64_t{sizeof(int8_t)} + bias_count(graph, op) * int64_t{sizeof(int32_t)};
}

// Entries of requantisation tables: per output channel, but for fully connected, whose weights have one
// scale.
int64_t tables_bytes(const Graph& graph, const Op& op) {
  if (!op.has_weights()) return 0;
  const int64_t entries = op.kind == OpKind::kFullyConnected ? 1 : graph.tensor(op.output).shape.c;
  return entries * TN_REQUANT_ENTRY_BYTES;
}

// The board's key of a kernel's coefficients.
const char* coefficient_key(Kernel kernel) {
  switch (kernel) {
    case Kernel::kConv2d:
      return "conv2d";
    case Kernel::kConv2d1x1:
      return "conv2d_1x1";
    case Kernel::kDepthwiseConv2d:
      return "depthwise_conv2d";
    case Kernel::kDepthwiseConv2dInPlace:
      return "depthwise_conv2d_in_place";
    case Kernel::kAdd:
      return "add";
    case Kernel::kGlobalAvgPool:
      return "global_avg_pool";
    case Kernel::kFullyConnected:
      return "fully_connected";
  }
  throw Error(ExitCode::kFailure, "unknown kernel");
}

// Op-count latency (board.h): units of work by kernel, times cycles per unit, over the clock.
class LatencyModel {
 public:
  explicit LatencyModel(const Board& board) : clock_hz_(board.clock_hz) {
    if (!(clock_hz_ > 0))
      throw usage_error("board " + board.name + ": has no clock, latency cannot be modelled");
    for (int kernel = 0; kernel < kKernels; ++kernel) {
      const std::string key = coefficient_key(static_cast<Kernel>(kernel));
      const bool has_macs =
          kernel != static_cast<int>(Kernel::kAdd) && kernel != static_cast<int>(Kernel::kGlobalAvgPool);
      per_unit_[static_cast<size_t>(kernel)] = coefficient(board, key);
      per_output_[static_cast<size_t>(kernel)] = has_macs ? coefficient(board, key + "_output") : 0.0;
    }
  }

  double latency_ms(const Graph& graph, const Op& op, const PlanStep& step, int64_t op_macs) const {
    const auto kernel = static_cast<size_t>(kernel_of(op, step.in_place));
    const int64_t outputs = graph.tensor(op.output).shape.elements();
    int64_t units = op_macs;
    if (op.kind == OpKind::kAdd) units = outputs;
    if (op.kind == OpKind::kGlobalAvgPool) units = graph.tensor(op.inputs[0]).shape.elements();
    const double cycles =
        static_cast<double>(units) * per_unit_[kernel] + static_cast<double>(outputs) * per_output_[kernel];
    return cycles / clock_hz_ * 1e3;
  }

 private:
  static double coefficient(const Board& board, const std::string& key) {
    const auto found = board.cycles_per_unit.find(key);
    if (found == board.cycles_per_unit.end()) {
      throw usage_error("board " + board.name + ": cycles_per_unit has no \"" + key + "\"");
    }
    return found->second;
  }

  double clock_hz_;
  std::array<double, kKernels> per_unit_{};  // by Kernel
  std::array<double, kKernels> per_output_{};
};

SramCost sram_cost(const MemoryPlan& plan, const PackageBounds& bounds, const Board* board) {
  SramCost sram;
  sram.arena_bytes = plan.arena_bytes;
  sram.input_bytes = plan.input_bytes;
  for (const PlanStep& step : plan.order)
    sram.scratch_bytes = std::max(sram.scratch_bytes, step.scratch_bytes);
  // All that the package has beside the arena is const: persistent_bytes and data_bss_bytes are 0.
  sram.stack_bytes = bounds.stack_bytes;
  sram.reserve_bytes = board != nullptr ? board->sram_reserve_bytes : 0;
  return sram;
}

}  // namespace

CostReport estimate(const Graph& graph, const CostOptions& options) {
  return estimate(graph, plan_memory(graph, options.plan), options);
}

CostReport estimate(const Graph& graph, const MemoryPlan& plan, const CostOptions& options) {
  const PackageBounds bounds = package_bounds(graph, plan);
  std::optional<LatencyModel> latency;
  if (options.board != nullptr) latency.emplace(*options.board);

  CostReport report;
  report.sram = sram_cost(plan, bounds, options.board);
  report.flash.code_bytes = bounds.code_bytes;
  report.flash.reserve_bytes = options.board != nullptr ? options.board->flash_reserve_bytes : 0;
  double total_ms = 0;
  for (const PlanStep& step : plan.order) {
    const Op& op = graph.ops[static_cast<size_t>(step.op)];
    const int64_t op_macs = macs(graph, op);
    const int64_t op_weights_bytes = weights_bytes(graph, op);
    const double op_ms = latency ? latency->latency_ms(graph, op, step, op_macs) : 0.0;
    report.macs += op_macs;
    report.params += weight_count(graph, op) + bias_count(graph, op);
    report.flash.weights_bytes += op_weights_bytes;
    report.flash.tables_bytes += tables_bytes(graph, op);
    total_ms += op_ms;
    if (options.per_operator) {
      report.operators.push_back({op.name, name_of(op.kind), graph.tensor(op.output).shape, op_macs,
                                  step.live_bytes, op_weights_bytes, op_ms});
    }
  }
  if (latency) {
    report.latency_ms = total_ms;
    // mW * ms = microjoules. A board without a figure of its power has no energy model.
    if (options.board->active_power_mw > 0)
      report.energy_mj = options.board->active_power_mw * total_ms / 1e3;
  }
  if (!plan.order.empty()) {
    const PlanStep& bottleneck = plan.order[static_cast<size_t>(plan.bottleneck_step)];
    report.bottleneck = graph.ops[static_cast<size_t>(bottleneck.op)].name;
  }
  return report;
}

}  // namespace tinynas
