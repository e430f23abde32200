/* Convolution in plain C99: any core, and the oracle of the other variants. */
#ifndef TN_CONV2D_PORTABLE_H
#define TN_CONV2D_PORTABLE_H

#include "tn_kernels.h"
#include "tn_requantize.h"
#include "tn_rows.h"

/* The whole output, or (`rows`) one row of it. Padding has the value of real 0 and is multiplied like any
 * other: the bias holds its share (tn_kernels.h).
 */
TN_INLINE void tn_conv2d_portable(const tn_conv2d_op* op, const tn_columns* columns, const int8_t* input,
                                  const int8_t* const* rows, int8_t* output) {
  const int32_t in_w = columns->in_w, in_c = op->in_c;
  const int32_t kernel_h = op->kernel_h, kernel_w = op->kernel_w, out_c = op->out_c;
  const int32_t row_bytes = tn_conv2d_row_bytes(kernel_h, kernel_w, in_c);
  const int32_t out_h = rows != NULL ? 1 : op->out_h;
  int32_t out_y, out_x, out;
  for (out_y = 0; out_y < out_h; ++out_y) {
    const int32_t top = out_y * op->stride_h - op->pad_top;
    for (out_x = 0; out_x < columns->out_w; ++out_x) {
      const int32_t left = out_x * op->stride_w - columns->pad_left;
      for (out = 0; out < out_c; ++out) {
        const int8_t* weight = op->weights + out * row_bytes;
        int32_t sum = op->bias[out];
        int32_t y, x, i;
        for (y = 0; y < kernel_h; ++y) {
          const int8_t* row = tn_window_row(op, input, rows, top, y);
          for (x = left; x < left + kernel_w; ++x) {
            if (row != NULL && x >= 0 && x < in_w) {
              const int8_t* value = row + x * in_c;
              for (i = 0; i < in_c; ++i) sum += *value++ * *weight++;
            } else {
              for (i = 0; i < in_c; ++i) sum += op->input_zero_point * *weight++;
            }
          }
        }
        *output++ = (int8_t)tn_output(op, out, sum);
      }
    }
  }
}

#endif /* TN_CONV2D_PORTABLE_H */
