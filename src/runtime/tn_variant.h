/*
 * Which instructions the kernels of this build use. A package is planned for one variant (its scratch is in
 * the arena), and defines TN_PLANNED_VARIANT as that; on a core without those instructions the next lower one
 * is built, which needs no more scratch. All variants compute the same bits.
 */
#ifndef TN_VARIANT_H
#define TN_VARIANT_H

#define TN_PORTABLE 0 /* C99 and nothing else: any core, and the oracle of the others */
#define TN_DSP 1 /* Armv7E-M and Armv8-M with the DSP extension: SMLAD and its kin (Cortex-M4, M7, M33) */
#define TN_MVE 2 /* Armv8.1-M vector extension, integer (Cortex-M55, M85) */

#ifndef TN_PLANNED_VARIANT
#define TN_PLANNED_VARIANT TN_PORTABLE
#endif

#if TN_PLANNED_VARIANT >= TN_MVE && defined(__ARM_FEATURE_MVE) && (__ARM_FEATURE_MVE & 1)
#define TN_VARIANT TN_MVE
#elif TN_PLANNED_VARIANT >= TN_DSP && defined(__ARM_FEATURE_DSP) && defined(__thumb2__) && \
    defined(__GNUC__) && defined(__OPTIMIZE__) /* at -O0 the assembler's operands find no registers */
#define TN_VARIANT TN_DSP
#else
#define TN_VARIANT TN_PORTABLE
#endif

/* A template's body is inlined into each instance with the instance's constants. */
#if defined(__GNUC__)
#define TN_INLINE static inline __attribute__((always_inline))
/* Shared by the instances of a file instead of being copied into each. */
#define TN_HELPER static __attribute__((noinline, unused))
/* Lets a template that takes rows or a tensor be compiled for rows alone. */
#define TN_NOT_NULL __attribute__((nonnull))
#else
#define TN_NOT_NULL
#define TN_INLINE static inline
#define TN_HELPER static
#endif

#endif /* TN_VARIANT_H */
