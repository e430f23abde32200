// What the texts of a package say and do about its input: whether it lies in the arena as a whole or comes
// row by row. The pieces are in templates/resident, templates/rows and templates/reread.
#pragma once

#include <map>
#include <string>

#include "export/package_report.h"

namespace tinynas {

// A template of the input's kind ("api.h"); those of `reread` that are no different are those of `rows`.
const std::string& input_template(InputKind input, const std::string& file);

// Sets the values of all template keys that depend on the kind of the input. The others must be there.
void put_input(const PackageSource& source, std::map<std::string, std::string>& values);

}  // namespace tinynas
