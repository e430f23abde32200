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
    const tn_columns all = tn_all_columns(op);                                              \
    TN_BODY(tn_conv2d_mve(op, &all, input, NULL, output, scratch, pointwise, plain),        \
            tn_conv2d_dsp(op, &all, input, NULL, output, scratch, pointwise, plain),        \
            tn_conv2d_portable(op, &all, input, NULL, output));                             \
  }

/* Square kernels and strides that have a template, every window begins inside the input. `output` is `input`,
 * or does not overlap it. */
#define TN_DEPTHWISE(name, kernel, stride, plain)                                            \
  void name(const tn_conv2d_op* op, const int8_t* input, int8_t* output, int8_t* scratch) {  \
    const tn_columns all = tn_all_columns(op);                                               \
    TN_BODY(tn_depthwise_mve(op, &all, input, NULL, output, scratch, kernel, stride, plain), \
            tn_depthwise_dsp(op, &all, input, NULL, output, scratch, kernel, stride, plain), \
            input == output ? tn_depthwise_portable_in_place(op, output, scratch)            \
                            : tn_depthwise_portable(op, &all, input, NULL, output));         \
  }

/* Any kernel, stride, padding and depth multiplier. `output` must not overlap `input`. */
#define TN_DEPTHWISE_ANY(name)                                                              \
  void name(const tn_conv2d_op* op, const int8_t* input, int8_t* output, int8_t* scratch) { \
    const tn_columns all = tn_all_columns(op);                                              \
    (void)scratch;                                                                          \
    tn_depthwise_portable(op, &all, input, NULL, output);                                   \
  }

/* Any kernel, every window begins inside the input. `output` is `input`. */
#define TN_DEPTHWISE_ANY_IN_PLACE(name)                                                     \
  void name(const tn_conv2d_op* op, const int8_t* input, int8_t* output, int8_t* scratch) { \
    (void)input;                                                                            \
    tn_depthwise_portable_in_place(op, output, scratch);                                    \
  }

/*
 * The same for one row of the output, or some of its columns:
 *   void name(const tn_conv2d_op *, const tn_columns *, const int8_t *const *rows, int8_t *output, int8_t
 * *scratch) `rows`: kernel_h rows of the input from the first column that is needed, NULL for those outside
 * of it. Scratch as for an input of columns->in_w columns.
 */
#define TN_ROW_KERNEL(name)                                                                           \
  TN_NOT_NULL void name(const tn_conv2d_op* op, const tn_columns* columns, const int8_t* const* rows, \
                        int8_t* output, int8_t* scratch)

/* `output` must not overlap the rows. */
#define TN_CONV2D_ROW(name, pointwise, plain)                                             \
  TN_ROW_KERNEL(name) {                                                                   \
    TN_BODY(tn_conv2d_mve(op, columns, rows[0], rows, output, scratch, pointwise, plain), \
            tn_conv2d_dsp(op, columns, rows[0], rows, output, scratch, pointwise, plain), \
            tn_conv2d_portable(op, columns, rows[0], rows, output));                      \
  }

/* `in_place`: `output` is where rows[0] is or would be, and no wider. */
#define TN_DEPTHWISE_ROW(name, kernel, stride, plain, in_place)                                \
  TN_ROW_KERNEL(name) {                                                                        \
    TN_BODY(tn_depthwise_mve(op, columns, NULL, rows, output, scratch, kernel, stride, plain), \
            tn_depthwise_dsp(op, columns, NULL, rows, output, scratch, kernel, stride, plain), \
            in_place ? tn_depthwise_portable_row_in_place(op, columns, rows, output, scratch)  \
                     : tn_depthwise_portable(op, columns, NULL, rows, output));                \
  }
#define TN_DEPTHWISE_ANY_ROW(name, in_place)                                          \
  TN_ROW_KERNEL(name) {                                                               \
    (void)scratch;                                                                    \
    in_place ? tn_depthwise_portable_row_in_place(op, columns, rows, output, scratch) \
             : tn_depthwise_portable(op, columns, NULL, rows, output);                \
  }

/* `output` must not overlap `input`. */
#define TN_FULLY_CONNECTED(name)                                                                           \
  void name(const tn_fully_connected_op* op, const int8_t* input, int8_t* output, int8_t* scratch) {       \
    TN_BODY(tn_fully_connected_mve(op, input, output), tn_fully_connected_dsp(op, input, output, scratch), \
            tn_fully_connected_portable(op, input, output));                                               \
  }

#endif /* TN_INSTANCES_H */
