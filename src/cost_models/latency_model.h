// Latency of an operator on a board, from the board's coefficients (board.h).
#pragma once

#include <array>
#include <cstdint>

#include "cost_models/board.h"
#include "cost_models/kernels.h"
#include "cost_models/memory_plan.h"
#include "graph/graph.h"

namespace tinynas {

// Op-count model: units of work by kernel, times cycles per unit, over the clock. Built once for a board; an
// operator then costs a few multiplications.
class LatencyModel {
 public:
  // Throws Error(kUsage) naming the board when it has no clock or lacks a coefficient.
  explicit LatencyModel(const Board& board);

  // Milliseconds. `op_macs` = macs(graph, op), which every caller has at hand.
  double latency_ms(const Graph& graph, const Op& op, const PlanStep& step, int64_t op_macs) const;

 private:
  double clock_hz_;
  std::array<double, kKernels> per_unit_{};  // by Kernel
  std::array<double, kKernels> per_output_{};
};

}  // namespace tinynas
