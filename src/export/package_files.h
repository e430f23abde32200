// What stands in a package: every file's text, from the int8 model and its plan. Deterministic: no clocks, no
// paths.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cost_models/costs.h"
#include "export/package.h"
#include "quantize/int8_model.h"

namespace tinynas {

// One reference run that travels in the package.
struct GoldenVector {
  std::vector<int8_t> input;
  std::vector<int8_t> output;
};

// Relative path -> content, MANIFEST.sha256 included (which holds the hashes of all others).
std::map<std::string, std::string> package_files(const Int8Model& model,
                                                 const std::vector<GoldenVector>& golden,
                                                 const ExportOptions& options);

}  // namespace tinynas
