#include "cost_models/latency_model.h"

#include "base/error.h"

namespace tinynas {
namespace {

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

double coefficient(const Board& board, const std::string& key) {
  const auto found = board.cycles_per_unit.find(key);
  if (found == board.cycles_per_unit.end()) {
    throw usage_error("board " + board.name + ": cycles_per_unit has no \"" + key + "\"");
  }
  return found->second;
}

}  // namespace

LatencyModel::LatencyModel(const Board& board) : clock_hz_(board.clock_hz) {
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

double LatencyModel::latency_ms(const Graph& graph, const Op& op, const PlanStep& step,
                                int64_t op_macs) const {
  const auto kernel = static_cast<size_t>(kernel_of(op, step.in_place));
  const int64_t outputs = graph.tensor(op.output).shape.elements();
  int64_t units = op_macs;
  if (op.kind == OpKind::kAdd) units = outputs;
  if (op.kind == OpKind::kGlobalAvgPool) units = graph.tensor(op.inputs[0]).shape.elements();
  const double cycles =
      static_cast<double>(units) * per_unit_[kernel] + static_cast<double>(outputs) * per_output_[kernel];
  return cycles / clock_hz_ * 1e3;
}

}  // namespace tinynas
