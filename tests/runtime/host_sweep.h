// kernel_sweep.h on this machine: the portable kernels, which are the oracle of every other variant.
#pragma once

#include <cstdint>
#include <string>

namespace tinynas::testing {

// Everything that sweep_kernels() prints. Its room is an allocation of its own, so that AddressSanitizer sees
// what reads outside it.
std::string sweep_on_host(uint32_t seed, int32_t layers, bool row_by_row = false);

}  // namespace tinynas::testing
