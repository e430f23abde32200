// Text files that were part of the source tree when tinynas was built (embed_assets.cmake writes the table).
#pragma once

#include <map>
#include <string>

namespace tinynas {

// Content of "runtime/<file>" or "export/templates/<file>"; throws Error(kFailure) when there is none of that
// name.
const std::string& asset(const std::string& path);

}  // namespace tinynas
