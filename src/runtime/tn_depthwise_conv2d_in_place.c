#include "tn_kernels.h"
#include "tn_requantize.h"

/*
 * Channel by channel. An output row overwrites the input row of the same number, and rows below are still
 * whole, so kernel_h input rows of one channel, copied into a ring before they are lost, are all that is ever
 * needed. The ring's rows carry the padding, so that the innermost loop has no bounds to check.
 */

/* Input row `y` of a channel, or padding where y is outside the input, into `row`, padded left and right. */
static void load_row(const tn_conv2d_op* op, const int8_t* plane, int32_t y, int8_t* row) {
  const int32_t w = op->in_w, c = op->in_c;
  const int32_t first = op->pad_left, padded_w = w + op->kernel_w - 1;
  const int inside = y >= 0 && y < op->in_h;
  int32_t x;
  for (x = 0; x < padded_w; ++x) {
    row[x] = inside && x >= first && x < first + w ? plane[(y * w + x - first) * c] : op->input_zero_point;
  }
}

void tn_depthwise_conv2d_in_place(const tn_conv2d_op* op, int8_t* data, int8_t* scratch) {
  const int32_t h = op->in_h, w = op->in_w, c = op->in_c;
  const int32_t kernel_h = op->kernel_h, kernel_w = op->kernel_w;
  const int32_t padded_w = w + kernel_w - 1;
  const int32_t input_zero_point = op->input_zero_point;
  int32_t channel, out_y, out_x, y, x;
  for (channel = 0; channel < c; ++channel) {
    int8_t* plane = data + channel;
    int32_t oldest = 0; /* the ring's row that holds input row out_y - pad_top */
    for (y = 0; y < kernel_h - 1; ++y) load_row(op, plane, y - op->pad_top, scratch + y * padded_w);
    for (out_y = 0; out_y < h; ++out_y) {
      const int32_t newest = oldest == 0 ? kernel_h - 1 : oldest - 1;
      load_row(op, plane, out_y - op->pad_top + kernel_h - 1, scratch + newest * padded_w);
      for (out_x = 0; out_x < w; ++out_x) {
        const int8_t* weight = op->weights + channel;
        int32_t sum = op->bias[channel];
        int32_t ring = oldest;
        for (y = 0; y < kernel_h; ++y) {
          const int8_t* value = scratch + ring * padded_w + out_x;
          for (x = 0; x < kernel_w; ++x, weight += c) sum += (value[x] - input_zero_point) * *weight;
          ring = ring + 1 == kernel_h ? 0 : ring + 1;
        }
        sum = tn_requantize(sum, op->multipliers[channel], op->shifts[channel]) + op->output_zero_point;
        plane[(out_y * w + out_x) * c] = (int8_t)tn_clamp(sum, op->activation_min, op->activation_max);
      }
      oldest = oldest + 1 == kernel_h ? 0 : oldest + 1;
    }
  }
}
