// Whether the AVX2 loops of this room can run here; where they cannot, torch's own operators do the same
// work.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#define TINYNAS_AVX2 __attribute__((target("avx2,fma")))
#endif

namespace tinynas {

inline constexpr int64_t kLanes = 8;  // floats in an AVX2 register

inline bool processor_has_avx2() {
#if defined(__x86_64__)
  static const bool has = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  return has;
#else
  return false;
#endif
}

}  // namespace tinynas
