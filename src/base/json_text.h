// JSON text that people may have written.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace tinynas {

// Throws Error(kUsage) naming `where`: no valid JSON, or an object with the same key twice, of which
// nlohmann's parser would silently keep the last.
nlohmann::json parse_json(const std::string& text, const std::string& where);

}  // namespace tinynas
