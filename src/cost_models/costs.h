// Everything a network costs, from one graph and one memory plan.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cost_models/board.h"
#include "cost_models/memory_plan.h"
#include "graph/graph.h"

namespace tinynas {

struct SramCost {
  int64_t arena_bytes = 0;    // includes a resident input and scratch
  int64_t input_bytes = 0;    // of that, the input
  int64_t scratch_bytes = 0;  // of that, the largest scratch
  int64_t persistent_bytes = 0;
  int64_t data_bss_bytes = 0;  // the package's own .data and .bss beside the arena
  int64_t stack_bytes = 0;     // an upper bound
  int64_t reserve_bytes = 0;   // the board's
  int64_t total_bytes() const {
    return arena_bytes + persistent_bytes + data_bss_bytes + stack_bytes + reserve_bytes;
  }
};

struct FlashCost {
  int64_t weights_bytes = 0;  // int8 weights and int32 biases, exact
  int64_t tables_bytes = 0;   // requantisation multipliers and shifts, exact
  int64_t code_bytes = 0;     // an upper bound until the package was linked
  bool code_is_linked = false;
  int64_t reserve_bytes = 0;
  int64_t total_bytes() const { return weights_bytes + tables_bytes + code_bytes + reserve_bytes; }
};

struct OperatorCost {
  std::string name;
  std::string kind;
  Shape output;
  int64_t macs = 0;
  int64_t live_bytes = 0;
  int64_t weights_bytes = 0;
  double latency_ms = 0;  // 0 without a board
};

struct CostReport {
  int64_t macs = 0;        // of the network; what strips compute again is not in it
  int64_t extra_macs = 0;  // what strips compute again (MemoryPlan::extra_macs)
  bool streams = false;    // some operators run row by row
  int64_t params = 0;
  SramCost sram;
  FlashCost flash;
  std::optional<double> latency_ms;  // needs a board
  std::optional<double> energy_mj;
  // What the latency rests on and how far it may be off, relative; without a board, and where nothing tells,
  // none.
  std::optional<LatencyBasis> latency_basis;
  std::optional<double> latency_error_band;
  std::optional<double> latency_r2;   // of the fit behind it
  bool latency_extrapolated = false;  // the network is far outside of what was measured (FitQuality)
  std::vector<OperatorCost> operators;
  std::string bottleneck;  // the operator with the largest live bytes
};

struct CostOptions {
  PlanOptions plan;
  const Board* board = nullptr;  // not owned; nullptr = no reserve, no latency
  bool per_operator = true;      // off in the inner loop of a search
  // All of the SRAM that the network may take, for a plan whose schedule is `auto` (best_schedule.h).
  std::optional<int64_t> sram_limit_bytes = std::nullopt;
  // Templates that the package links in two forms (export's general_layers()); known once there are weights.
  std::vector<Kernel> linked_twice = {};
};

// Under the schedule that options.plan names; `auto`: under_best_schedule() (best_schedule.h).
//
// Latency is a sum over operators. Of a stream segment it counts what strips compute again, in proportion to
// MACs; that row kernels are called once a row, and load windows anew, is not in it (0 to 30 % of the
// instructions, docs/results.md).
CostReport estimate(const Graph& graph, const CostOptions& options = {});
// The same with a plan that was made before.
CostReport estimate(const Graph& graph, const MemoryPlan& plan, const CostOptions& options = {});

// Upper limits; a limit that is not set does not bind.
struct Limits {
  std::optional<int64_t> sram_bytes;
  std::optional<int64_t> flash_bytes;
  std::optional<int64_t> macs;
  std::optional<double> latency_ms;
  std::optional<double> energy_mj;

  // Throws Error(kUsage) when latency or energy is limited without a board, or a limit is not positive.
  void check(bool have_board) const;
};

struct Violation {
  std::string limit;  // "sram", "flash", "macs", "latency", "energy"
  double got = 0;     // bytes, MACs, ms or mJ
  double allowed = 0;
  double excess_ratio() const { return got / allowed - 1.0; }
};

// Every limit that `costs` exceeds, in the order of Limits; empty = it fits. Throws Error(kUsage) when
// latency or energy is limited and `costs` has none (no board, or a board without a figure of its power).
std::vector<Violation> violations(const CostReport& costs, const Limits& limits);
// For people: "sram: needs 18.2 KiB, limit 4.0 KiB, 14.2 KiB too much".
std::string describe(const Violation& violation);

nlohmann::json to_json(const CostReport& costs);
nlohmann::json to_json(const Limits& limits);

}  // namespace tinynas
