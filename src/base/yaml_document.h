// Reading YAML files of the user's: exactly one document, or an error that names the line.
#pragma once

#include <yaml-cpp/yaml.h>

#include <string>

namespace tinynas {

// The document in `text`; Null where it has none. Throws Error(kUsage) "WHERE:LINE: ..." for what is not YAML
// and for whatever stands behind the first document: yaml-cpp's Load would drop it in silence, and its
// LoadAll never ends on some of it (a lone comma), taking all memory there is.
YAML::Node read_yaml_document(const std::string& text, const std::string& where);

// "WHERE:LINE", or WHERE where the mark has no line.
std::string at_line(const std::string& where, const YAML::Mark& mark);

}  // namespace tinynas
