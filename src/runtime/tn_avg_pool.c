#include <stddef.h>

#include "tn_kernels.h"
#include "tn_requantize.h"

/*
 * TensorFlow Lite's AVERAGE_POOL_2D: input and output have one scale and zero point, so that values are
 * averaged as they are. Positions outside the input count neither in the sum nor in the divisor; halves away
 * from zero. `rows`: of the window; rows outside are NULL, and so are all when row y is `input` + y * in_w *
 * c.
 */
static void pool_row(const tn_avg_pool_op* op, const tn_columns* columns, const int8_t* input,
                     const int8_t* const* rows, int32_t first_y, int32_t end_y, int8_t* output) {
  const int32_t in_w = columns->in_w, c = op->c, kernel_w = op->kernel_w;
  int32_t out_x, channel;
  for (out_x = 0; out_x < columns->out_w; ++out_x) {
    const int32_t left = out_x * op->stride_w - columns->pad_left;
    const int32_t first_x = left < 0 ? -left : 0;
    const int32_t end_x = in_w - left < kernel_w ? in_w - left : kernel_w;
    const int32_t count = (end_y - first_y) * (end_x - first_x);
    for (channel = 0; channel < c; ++channel) {
      int32_t sum = 0;
      int32_t y, x;
      for (y = first_y; y < end_y; ++y) {
        const int8_t* row = rows != NULL ? rows[y] : input + y * in_w * c;
        const int8_t* value = row + (left + first_x) * c + channel;
        for (x = first_x; x < end_x; ++x, value += c) sum += *value;
      }
      sum = (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
      *output++ = (int8_t)tn_clamp(sum, op->activation_min, op->activation_max);
    }
  }
}

void tn_avg_pool(const tn_avg_pool_op* op, const int8_t* input, int8_t* output) {
  tn_columns columns;
  int32_t out_y;
  columns.in_w = op->in_w;
  columns.out_w = op->out_w;
  columns.pad_left = op->pad_left;
  for (out_y = 0; out_y < op->out_h; ++out_y, output += op->out_w * op->c) {
    const int32_t top = out_y * op->stride_h - op->pad_top;
    const int32_t bottom = top + op->kernel_h;
    pool_row(op, &columns, input, NULL, top < 0 ? 0 : top, bottom > op->in_h ? op->in_h : bottom, output);
  }
}

void tn_avg_pool_row(const tn_avg_pool_op* op, const tn_columns* columns, const int8_t* const* rows,
                     int8_t* output) {
  int32_t first_y = 0, end_y = op->kernel_h;
  while (rows[first_y] == NULL) ++first_y;
  while (rows[end_y - 1] == NULL) --end_y;
  pool_row(op, columns, NULL, rows, first_y, end_y, output);
}
