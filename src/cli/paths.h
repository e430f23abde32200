// Where tinynas finds its own data: configs/ and datasets/.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace tinynas {

// $TINYNAS_HOME, ../share/tinynas beside the executable (installed), or the source tree: the first that holds
// configs/. Throws Error(kFailure) naming the places that were tried.
std::filesystem::path home_directory();

// configs/measurements: what latency models are fitted to.
std::filesystem::path measurements_directory();

// Files configs/<kind>/*.yaml, sorted; kind is "boards", "spaces" or "efforts".
std::vector<std::filesystem::path> list_configs(const std::string& kind);

// A name of configs/<kind>, or a path to a file. Throws Error(kUsage) that lists the names there are.
// `what` names the option in the error.
std::filesystem::path find_config(const std::string& kind, const std::string& name, const std::string& what);

}  // namespace tinynas
