/* Instructions of the DSP extension that C has no operators for, and loads of several bytes at once. */
#ifndef TN_DSP_H
#define TN_DSP_H

#include <stdint.h>

#include "tn_variant.h"

/* Four bytes at any address; Armv7-M and later load them with one instruction. Through a type that may alias.
 */
typedef uint32_t __attribute__((may_alias, aligned(1))) tn_unaligned_word;
typedef uint32_t __attribute__((may_alias)) tn_word;
typedef struct __attribute__((may_alias)) {
  uint32_t word[4];
} tn_four_words;

/* Bytes 0 and 2 as two int16. */
TN_INLINE uint32_t tn_even_bytes(uint32_t x) {
  uint32_t y;
  __asm__("sxtb16 %0, %1" : "=r"(y) : "r"(x));
  return y;
}

/* Bytes 1 and 3 as two int16. */
TN_INLINE uint32_t tn_odd_bytes(uint32_t x) {
  uint32_t y;
  __asm__("sxtb16 %0, %1, ror #8" : "=r"(y) : "r"(x));
  return y;
}

/* sum + a.low * b.low + a.high * b.high */
TN_INLINE int32_t tn_smlad(uint32_t a, uint32_t b, int32_t sum) {
  int32_t y;
  __asm__("smlad %0, %1, %2, %3" : "=r"(y) : "r"(a), "r"(b), "r"(sum));
  return y;
}

/* sum + a.high * b.low */
TN_INLINE int32_t tn_smlatb(uint32_t a, uint32_t b, int32_t sum) {
  int32_t y;
  __asm__("smlatb %0, %1, %2, %3" : "=r"(y) : "r"(a), "r"(b), "r"(sum));
  return y;
}

/* sum + a.low * b.high */
TN_INLINE int32_t tn_smlabt(uint32_t a, uint32_t b, int32_t sum) {
  int32_t y;
  __asm__("smlabt %0, %1, %2, %3" : "=r"(y) : "r"(a), "r"(b), "r"(sum));
  return y;
}

/* sum + a.low * b.low */
TN_INLINE int32_t tn_smlabb(uint32_t a, uint32_t b, int32_t sum) {
  int32_t y;
  __asm__("smlabb %0, %1, %2, %3" : "=r"(y) : "r"(a), "r"(b), "r"(sum));
  return y;
}

TN_INLINE uint32_t tn_pack(int32_t low, int32_t high) {
  uint32_t y;
  __asm__("pkhbt %0, %1, %2, lsl #16" : "=r"(y) : "r"(low), "r"(high));
  return y;
}

/*
 * What turns an accumulator into an output when no left shift, no narrower clamp and a right shift in [1, 22]
 * are asked for (tn_is_plain): the same bits as tn_requantize() and a clamp to int8, in six instructions.
 *
 * tn_requantize's two roundings: h = (2 * acc * multiplier + 2^31) >> 32, then (h + half - (h < 0)) >> right,
 * and the zero point is a whole number of 2^right. SMMLAR adds a word to h for nothing. It adds -(acc < 0)
 * where tn_requantize has -(h < 0): where acc < 0 and h = 0, half - 1 >= 0 still rounds to 0, because right
 * >= 1. 2 * acc does not overflow: accumulators are within 2^30.
 */
typedef struct {
  int32_t multiplier;
  int32_t right;  /* [1, 22] */
  int32_t offset; /* 2^(right - 1) + zero point * 2^right */
} tn_plain_requant;

TN_INLINE tn_plain_requant tn_make_plain(int32_t multiplier, int32_t shift, int32_t zero_point) {
  tn_plain_requant r;
  r.multiplier = multiplier;
  r.right = -shift;
  r.offset = (int32_t)((uint32_t)(2 * zero_point + 1) << r.right) >> 1;
  return r;
}

TN_INLINE int32_t tn_plain_output(int32_t acc, tn_plain_requant r) {
  int32_t y;
  __asm__("add %0, %1, %2, asr #31" : "=r"(y) : "r"(r.offset), "r"(acc));
  __asm__("smmlar %0, %1, %2, %0" : "+r"(y) : "r"(acc * 2), "r"(r.multiplier));
  y >>= r.right;
  __asm__("ssat %0, #8, %0" : "+r"(y));
  return y;
}

#endif /* TN_DSP_H */
