// The search itself, as configured: by evolution or by a predictor, with or without a zero-cost proxy.
#pragma once

#include <nlohmann/json.hpp>

#include "cli/workbench.h"
#include "search/evolution.h"

namespace tinynas {

struct NetworkSearch {
  SearchResult result;
  nlohmann::json predictor;  // what the report says of it (search/guided_search.h); null without one
  nlohmann::json proxy;      // how it ranked what was measured (search/proxy.h); null without one
};

// Throws as evolve(). Says what it found out on the way.
NetworkSearch search_networks(Workbench& bench, Run& run, const ChosenSpace& chosen,
                              const Constraint& constraint, Evaluator& evaluator, TrialStore& store);

}  // namespace tinynas
