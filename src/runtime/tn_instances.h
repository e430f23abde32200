/*
 * One template per kernel; an instance is the template with its constants. A package instantiates what its
 * network needs (src/<name>_kernels.c). `plain`: all its operators' requantisation is plain (tn_dsp.h), which
 * is cheaper.
 *
 * Functions are void name(const op *, const int8_t *input, int8_t *output, int8_t *scratch). `scratch` is
 * aligned to 4 and as large as tn_buffer_sizes.h says for the planned variant.
 */
#ifndef TN_INSTANCES_H
#define TN_INSTANCES_H

#include "tn_conv2d_portable.h"
#include "tn_depthwise_portable.h"
#include "tn_fully_connected_portable.h"
#if TN_VARIANT == TN_DSP
#include "tn_conv2d_dsp.h"
#include "tn_depthwise_dsp.h"
#include "tn_fully_connected_dsp.h"
#endif
#if TN_VARIANT == TN_MVE
#include "tn_conv2d_mve.h"
#include "tn_depthwise_mve.h"
#include "tn_fully_connected_mve.h"
#endif

#if TN_VARIANT == TN_MVE
#define TN_BODY(mve, dsp, portable) ((void)scratch, mve)
#elif TN_VARIANT == TN_DSP
#define TN_BODY(mve, dsp, portable) dsp
#else
#define TN_BODY(mve, dsp, portable) ((void)scratch, portable)
#endif

/* `pointwise`: 1x1, stride 1, no padding, in_c a multiple of 4. `output` must not overlap `input`. */
#define TN_CONV2D(name, pointwise, plain)                                                   \
  void name(const tn_conv2d_op* op, const int8_t* input, int8_t* output, int8_t* scratch) { \
    TN_BODY(tn_conv2d_mve(op, input, output, scratch, pointwise, plain),                    \
            tn_conv2d_dsp(op, input, output, scratch, pointwise, plain),                    \
            tn_conv2d_portable(op, input, output));                                         \
  }

/* Square kernels and strides that have a template, every window begins inside the input. `output` is `input`,
 * or does not overlap it. */
#define TN_DEPTHWISE(name, kernel, stride, plain)                                           \
  void name(const tn_conv2d_op* op, const int8_t* input, int8_t* output, int8_t* scratch) { \
    TN_BODY(tn_depthwise_mve(op, input, output, scratch, kernel, stride, plain),            \
            tn_depthwise_dsp(op, input, output, scratch, kernel, stride, plain),            \
            input == output ? tn_depthwise_portable_in_place(op, output, scratch)           \
                            : tn_depthwise_portable(op, input, output));                    \
  }

/* Any kernel, stride, padding and depth multiplier. `output` must not overlap `input`. */
#define TN_DEPTHWISE_ANY(name)                                                              \
  void name(const tn_conv2d_op* op, const int8_t* input, int8_t* output, int8_t* scratch) { \
    (void)scratch;                                                                          \
    tn_depthwise_portable(op, input, output);                                               \
  }

/* Any kernel, every window begins inside the input. `output` is `input`. */
#define TN_DEPTHWISE_ANY_IN_PLACE(name)                                                     \
  void name(const tn_conv2d_op* op, const int8_t* input, int8_t* output, int8_t* scratch) { \
    (void)input;                                                                            \
    tn_depthwise_portable_in_place(op, output, scratch);                                    \
  }

/* `output` must not overlap `input`. */
#define TN_FULLY_CONNECTED(name)                                                                           \
  void name(const tn_fully_connected_op* op, const int8_t* input, int8_t* output, int8_t* scratch) {       \
    TN_BODY(tn_fully_connected_mve(op, input, output), tn_fully_connected_dsp(op, input, output, scratch), \
            tn_fully_connected_portable(op, input, output));                                               \
  }

#endif /* TN_INSTANCES_H */
