#include "cost_models/variant.h"

#include <algorithm>

#include "base/error.h"

namespace tinynas {

const char* name_of(KernelVariant variant) {
  switch (variant) {
    case KernelVariant::kPortable:
      return "portable";
    case KernelVariant::kDsp:
      return "dsp";
  }
  throw Error(ExitCode::kFailure, "unknown kernel variant");
}

KernelVariant variant_of_name(std::string_view name, const std::string& where) {
  for (const KernelVariant variant : {KernelVariant::kPortable, KernelVariant::kDsp}) {
    if (name == name_of(variant)) return variant;
  }
  throw usage_error(where + ": got '" + std::string(name) + "', expected portable or dsp");
}

KernelVariant variant_of_isa(const std::vector<std::string>& isa) {
  return std::find(isa.begin(), isa.end(), "dsp") != isa.end() ? KernelVariant::kDsp
                                                               : KernelVariant::kPortable;
}

}  // namespace tinynas
