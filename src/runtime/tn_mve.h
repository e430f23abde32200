/* What the kernels share on cores with integer vectors (Armv8.1-M: Cortex-M55, M85). */
#ifndef TN_MVE_H
#define TN_MVE_H

#include <arm_mve.h>

#include "tn_variant.h"

/*
 * tn_requantize() of four accumulators. `left` >= 0 and `right` <= 0 are both shift counts to the left, so
 * that VRSHL by `right` is a rounding shift to the right, halves up. Halves go away from zero where a
 * negative value that is shifted is lowered by one before; where right == 0 the mask leaves it alone.
 */
TN_INLINE int32x4_t tn_requantize_lanes(int32x4_t acc, int32x4_t multiplier, int32x4_t left,
                                        int32x4_t right) {
  const int32x4_t high = vqrdmulhq_s32(vshlq_s32(acc, left), multiplier);
  const int32x4_t fix = vshrq_n_s32(vandq_s32(high, right), 31);
  return vrshlq_s32(vaddq_s32(high, fix), right);
}

/* The same where all right shifts are at least 1 and there is no left one (tn_is_plain, export/c_operators).
 */
TN_INLINE int32x4_t tn_requantize_plain_lanes(int32x4_t acc, int32x4_t multiplier, int32x4_t right) {
  const int32x4_t high = vqrdmulhq_s32(acc, multiplier);
  return vrshlq_s32(vaddq_s32(high, vshrq_n_s32(high, 31)), right);
}

/* The same for one channel in all lanes. */
TN_INLINE int32x4_t tn_requantize_channel(int32x4_t acc, int32_t multiplier, int32_t shift, int plain) {
  const int32_t left = shift > 0 ? shift : 0;
  const int32_t right = shift > 0 ? 0 : shift;
  int32x4_t high;
  if (plain) {
    high = vqrdmulhq_n_s32(acc, multiplier);
    return vrshlq_n_s32(vaddq_s32(high, vshrq_n_s32(high, 31)), shift);
  }
  high = vqrdmulhq_n_s32(vshlq_r_s32(acc, left), multiplier);
  return vrshlq_n_s32(vaddq_s32(high, vshrq_n_s32(vandq_s32(high, vdupq_n_s32(right)), 31)), right);
}

/* `bytes` > 0 from `from` to `to`. */
TN_INLINE void tn_copy_bytes(int8_t* to, const int8_t* from, int32_t bytes) {
  __asm__ volatile(
      "wlstp.8 lr, %[bytes], 2f\n\t"
      "1:\n\t"
      "vldrb.8 q0, [%[from]], #16\n\t"
      "vstrb.8 q0, [%[to]], #16\n\t"
      "letp lr, 1b\n\t"
      "2:\n\t"
      : [to] "+r"(to), [from] "+r"(from)
      : [bytes] "r"(bytes)
      : "memory", "lr", "cc", "q0");
}

TN_INLINE void tn_fill_bytes(int8_t* to, int8_t value, int32_t bytes) {
  __asm__ volatile(
      "vdup.8 q0, %[value]\n\t"
      "wlstp.8 lr, %[bytes], 2f\n\t"
      "1:\n\t"
      "vstrb.8 q0, [%[to]], #16\n\t"
      "letp lr, 1b\n\t"
      "2:\n\t"
      : [to] "+r"(to)
      : [bytes] "r"(bytes), [value] "r"(value)
      : "memory", "lr", "cc", "q0");
}

#endif /* TN_MVE_H */
