// report.json of a package: the plan, buffer by buffer, and every operator, for programs to read.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cost_models/costs.h"
#include "export/c_operators.h"
#include "export/package.h"

namespace tinynas {

// Everything that the texts of a package are made from.
struct PackageSource {
  const Int8Model& model;
  const ExportOptions& options;
  MemoryPlan plan;
  CostReport costs;
  std::vector<COperator> operators;
};

// Class names may come from folder names in any encoding: dump with this.
inline constexpr auto kReplaceBadText = nlohmann::json::error_handler_t::replace;

nlohmann::json report_json(const PackageSource& source, const std::string& model_sha256, size_t golden_count);

}  // namespace tinynas
