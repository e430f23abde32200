// What would lower a network's peak SRAM: small changes to it, each planned.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cost_models/memory_plan.h"
#include "graph/block_network.h"

namespace tinynas {

struct Relief {
  std::string change;       // for people: "resolution 176 -> 160"
  int64_t arena_bytes = 0;  // with it
  int64_t macs = 0;
  std::string bottleneck;  // the operator that then sets the peak
};

// One change at a time: the input's rows and columns by an eighth (to a multiple of 8), the expansion of the
// block that sets the peak by one, its output channels and those of the stem by an eighth (to a multiple of
// 8, with the residual chain that they belong to). Only those that lower the arena, the largest saving first.
// Every figure is a plan's.
std::vector<Relief> relieve(const BlockNetwork& network, const PlanOptions& options = {});

// The largest square resolution up to the network's own at which the arena takes at most `arena_bytes`, in
// steps of 8; 0 when there is none, or when the input is not square.
int largest_resolution(const BlockNetwork& network, int64_t arena_bytes, const PlanOptions& options = {});

}  // namespace tinynas
