/* Depthwise convolution in plain C99: any core and any kernel, and the oracle of the other variants. */
#ifndef TN_DEPTHWISE_PORTABLE_H
#define TN_DEPTHWISE_PORTABLE_H

#include "tn_kernels.h"
#include "tn_requantize.h"
#include "tn_rows.h"

/* The whole output, or (`rows`) one row of it. Any depth multiplier out_c / in_c: output channel i reads
 * input channel i / multiplier. `output` must not overlap `input`. */
TN_INLINE void tn_depthwise_portable(const tn_conv2d_op* op, const tn_columns* columns, const int8_t* input,
                                     const int8_t* const* rows, int8_t* output) {
  const int32_t in_w = columns->in_w, in_c = op->in_c, out_c = op->out_c;
  const int32_t out_h = rows != NULL ? 1 : op->out_h;
  const int32_t kernel_h = op->kernel_h, kernel_w = op->kernel_w;
  const int32_t multiplier = out_c / in_c;
  int32_t out_y, out_x, channel;
  for (out_y = 0; out_y < out_h; ++out_y) {
    const int32_t top = out_y * op->stride_h - op->pad_top;
    for (out_x = 0; out_x < columns->out_w; ++out_x) {
      const int32_t left = out_x * op->stride_w - columns->pad_left;
      int32_t in_channel = 0;
      int32_t copies = multiplier; /* output channels that in_channel still makes */
      for (channel = 0; channel < out_c; ++channel) {
        const int8_t* weight = op->weights + channel;
        int32_t sum = op->bias[channel];
        int32_t y, x;
        for (y = 0; y < kernel_h; ++y) {
          const int8_t* row = tn_window_row(op, input, rows, top, y);
          for (x = left; x < left + kernel_w; ++x, weight += out_c) {
            const int inside = row != NULL && x >= 0 && x < in_w;
            sum += (inside ? row[x * in_c + in_channel] : op->input_zero_point) * *weight;
          }
        }
        *output++ = (int8_t)tn_output(op, channel, sum);
        if (--copies == 0) {
          ++in_channel;
          copies = multiplier;
        }
      }
    }
  }
}

/* A row of a channel's pixels, or (NULL) padding, into `to`, padded left and right. */
TN_INLINE void tn_load_ring_row(const tn_conv2d_op* op, const tn_columns* columns, const int8_t* row,
                                int8_t* to) {
  const int32_t w = columns->in_w, c = op->in_c;
  const int32_t first = columns->pad_left, padded_w = w + op->kernel_w - 1;
  int32_t x;
  for (x = 0; x < padded_w; ++x) {
    to[x] = row != NULL && x >= first && x < first + w ? row[(x - first) * c] : op->input_zero_point;
  }
}

/* A row of outputs of a channel; the window's first row is row `ring` of `window`. */
TN_INLINE int8_t* tn_depthwise_ring_outputs(const tn_conv2d_op* op, const tn_columns* columns,
                                            int32_t channel, const int8_t* window, int32_t first,
                                            int8_t* out) {
  const int32_t c = op->in_c, kernel_h = op->kernel_h, kernel_w = op->kernel_w;
  const int32_t padded_w = columns->in_w + kernel_w - 1;
  int32_t out_x, y, x;
  for (out_x = 0; out_x < columns->out_w; ++out_x, out += c) {
    const int8_t* weight = op->weights + channel;
    int32_t sum = op->bias[channel];
    int32_t ring = first;
    for (y = 0; y < kernel_h; ++y) {
      const int8_t* value = window + ring * padded_w + out_x * op->stride_w;
      for (x = 0; x < kernel_w; ++x, weight += c) sum += value[x] * *weight;
      ring = ring + 1 == kernel_h ? 0 : ring + 1;
    }
    *out = (int8_t)tn_output(op, channel, sum);
  }
  return out;
}

/*
 * Channel by channel. The pixels of a channel lie c bytes apart, in the output as in the input, so that the
 * channels do not touch each other. An output row lies on input rows that have been read already, and rows
 * below are still whole; so kernel_h input rows of one channel, copied into a ring before they are lost, are
 * all that is ever needed. The ring's rows carry the padding, so that the innermost loop has no bounds to
 * check.
 */
TN_INLINE void tn_depthwise_portable_in_place(const tn_conv2d_op* op, int8_t* data, int8_t* scratch) {
  const tn_columns columns = tn_all_columns(op);
  const int32_t c = op->in_c, kernel_h = op->kernel_h;
  const int32_t padded_w = op->in_w + op->kernel_w - 1;
  int32_t channel, out_y;
  for (channel = 0; channel < c; ++channel) {
    int8_t* plane = data + channel;
    int8_t* out = plane;
    int32_t next = 0; /* the first padded row that is not in the ring */
    for (out_y = 0; out_y < op->out_h; ++out_y) {
      const int32_t first = out_y * op->stride_h; /* padded row of the window's top */
      if (next < first) next = first;             /* rows that a stride above the kernel's height skips */
      for (; next < first + kernel_h; ++next) {
        const int8_t* row = tn_window_row(op, plane, NULL, next - op->pad_top, 0);
        tn_load_ring_row(op, &columns, row, scratch + next % kernel_h * padded_w);
      }
      out = tn_depthwise_ring_outputs(op, &columns, channel, scratch, first % kernel_h, out);
    }
  }
}

/* One row of outputs over an input row that is not needed any more, `output`. */
TN_INLINE void tn_depthwise_portable_row_in_place(const tn_conv2d_op* op, const tn_columns* columns,
                                                  const int8_t* const* rows, int8_t* output,
                                                  int8_t* scratch) {
  const int32_t padded_w = columns->in_w + op->kernel_w - 1;
  int32_t channel, y;
  for (channel = 0; channel < op->in_c; ++channel) {
    for (y = 0; y < op->kernel_h; ++y) {
      tn_load_ring_row(op, columns, rows[y] == NULL ? NULL : rows[y] + channel, scratch + y * padded_w);
    }
    (void)tn_depthwise_ring_outputs(op, columns, channel, scratch, 0, output + channel);
  }
}

#endif /* TN_DEPTHWISE_PORTABLE_H */
