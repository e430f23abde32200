// Sizes that the kernels' structs (runtime/tn_kernels.h) can hold, and that keep every count inside 64 bits.
#pragma once

#include <cstdint>

namespace tinynas {

inline constexpr int kMaxDimension = 65535;  // uint16_t
inline constexpr int64_t kMaxElements = int64_t{1} << 28;
inline constexpr int kMaxKernelSize = 63;
inline constexpr int kMaxStride = 255;  // uint8_t

}  // namespace tinynas
