// What the writer and the reader agree on beyond the schema.
#pragma once

#include <cstdint>

namespace tinynas {

inline constexpr uint32_t kTfliteSchemaVersion = 3;
// A buffer with a JSON array of strings, one a value of the output.
inline constexpr const char* kClassNamesMetadata = "tinynas.class_names";

}  // namespace tinynas
