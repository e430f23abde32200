// configs/spaces/*.yaml -> SearchSpace.
#pragma once

#include <filesystem>
#include <string>

#include "space/space.h"

namespace tinynas {

// Throws Error(kUsage) naming the file and the key when a key is unknown ("did you mean"), missing, there
// twice, of the wrong type (these with the line) or out of range; Error(kFailure) when the file cannot be
// read.
SearchSpace load_space(const std::filesystem::path& path);

// The same from text; `where` names it in errors.
SearchSpace parse_space(const std::string& yaml, const std::string& where);

}  // namespace tinynas
