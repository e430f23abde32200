// What `tinynas estimate` finds out about a network file.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cost_models/costs.h"
#include "cost_models/relief.h"
#include "graph/network_file.h"

namespace tinynas {

// A network on one board.
struct BoardFit {
  const Board* board = nullptr;  // not owned
  CostReport costs;              // reserves and latency are the board's
  int64_t sram_left_bytes() const {
    return board->sram_bytes - costs.sram.total_bytes();
  }  // negative: too much
  int64_t flash_left_bytes() const { return board->flash_bytes - costs.flash.total_bytes(); }
  bool fits() const { return sram_left_bytes() >= 0 && flash_left_bytes() >= 0; }
};

struct NetworkCosts {
  std::string file;
  Runtime runtime = Runtime::kTinynas;
  NetworkFile network;
  MemoryPlan plan;
  CostReport costs;  // without a board
  // Largest sum of tensors alive at one step; no scratch, no alignment, no gaps.
  int64_t peak_activation_bytes = 0;
  // The simple figure of papers (MCUNet, section 3): input + output + residual of an operator, nothing in
  // place.
  int64_t simple_peak_bytes = 0;
  // --arena and whether the plan keeps to it.
  std::optional<int64_t> arena_limit_bytes;
  bool arena_limit_met() const { return !arena_limit_bytes || plan.arena_bytes <= *arena_limit_bytes; }
  std::vector<Relief> reliefs;
  std::vector<BoardFit> boards;
};

// `plan`: as the network is to run; each board has its own kernels.
NetworkCosts network_costs(const std::string& file, NetworkFile network, const PlanOptions& plan,
                           const std::vector<Board>& boards);

nlohmann::json to_json(const NetworkCosts& costs, const std::string& accounting);
// For people. `named_board`: boards holds one that was asked for, and the text ends with what it says of it.
std::string render(const NetworkCosts& costs, const std::string& accounting, bool named_board);

}  // namespace tinynas
