// Which instructions the kernels of a package use (runtime/tn_variant.h). The plan depends on it: faster
// kernels want more scratch.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/tn_buffer_sizes.h"

namespace tinynas {

enum class KernelVariant { kPortable = TN_PORTABLE, kDsp = TN_DSP, kMve = TN_MVE };

const char* name_of(KernelVariant variant);  // "portable", "dsp", "mve"
// For people: "Cortex-M55 and M85, with vector instructions".
const char* cores_of(KernelVariant variant);
// Throws Error(kUsage) naming `where`.
KernelVariant variant_of_name(std::string_view name, const std::string& where);
// The best for a core's ISA features as board files list them ("dsp", "mve").
KernelVariant variant_of_isa(const std::vector<std::string>& isa);

}  // namespace tinynas
