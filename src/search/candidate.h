// A network that a search has evaluated.
#pragma once

#include "cost_models/costs.h"
#include "space/architecture.h"

namespace tinynas {

struct Candidate {
  Architecture architecture;
  double accuracy = 0;  // in [0,1]
  CostReport costs;     // without the per-operator table
};

// Better: higher accuracy, then fewer MACs, then the smaller encoding, so that there is one order.
bool better(const Candidate& a, const Candidate& b);

}  // namespace tinynas
