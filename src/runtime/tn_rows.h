/* Where a template finds the rows of its input: in a tensor, or, as a row kernel, wherever they lie. */
#ifndef TN_ROWS_H
#define TN_ROWS_H

#include <stddef.h>

#include "tn_kernels.h"

TN_INLINE tn_columns tn_all_columns(const tn_conv2d_op* op) {
  tn_columns columns;
  columns.in_w = op->in_w;
  columns.out_w = op->out_w;
  columns.pad_left = op->pad_left;
  return columns;
}

/* Row `y` of the window whose first row is `top`; NULL where it is padding. `rows`: kernel_h of them, or NULL
 * for those of the tensor `input`. */
TN_INLINE const int8_t* tn_window_row(const tn_conv2d_op* op, const int8_t* input, const int8_t* const* rows,
                                      int32_t top, int32_t y) {
  if (rows != NULL) return rows[y];
  return top + y < 0 || top + y >= op->in_h ? NULL : input + (top + y) * op->in_w * op->in_c;
}

#endif /* TN_ROWS_H */
