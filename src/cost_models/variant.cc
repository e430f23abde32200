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
    case KernelVariant::kMve:
      return "mve";
  }
  throw Error(ExitCode::kFailure, "unknown kernel variant");
}

const char* cores_of(KernelVariant variant) {
  switch (variant) {
    case KernelVariant::kPortable:
      return "any core";
    case KernelVariant::kDsp:
      return "Cortex-M4, M7, M33 and others with DSP instructions";
    case KernelVariant::kMve:
      return "Cortex-M55, M85 and others with integer vector instructions";
  }
  throw Error(ExitCode::kFailure, "unknown kernel variant");
}

KernelVariant variant_of_name(std::string_view name, const std::string& where) {
  for (const KernelVariant variant : {KernelVariant::kPortable, KernelVariant::kDsp, KernelVariant::kMve}) {
    if (name == name_of(variant)) return variant;
  }
  throw usage_error(where + ": got '" + std::string(name) + "', expected portable, dsp or mve");
}

KernelVariant variant_of_isa(const std::vector<std::string>& isa) {
  const auto has = [&](const char* feature) {
    return std::find(isa.begin(), isa.end(), feature) != isa.end();
  };
  if (has("mve")) return KernelVariant::kMve;
  return has("dsp") ? KernelVariant::kDsp : KernelVariant::kPortable;
}

}  // namespace tinynas
