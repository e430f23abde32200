#include "tn_kernels.h"
#include "tn_requantize.h"

/*
 * TensorFlow Lite's AVERAGE_POOL_2D: input and output have one scale and zero point, so that values are
 * averaged as they are. Positions outside the input count neither in the sum nor in the divisor; halves away
 * from zero.
 */
void tn_avg_pool(const tn_avg_pool_op* op, const int8_t* input, int8_t* output) {
  const int32_t in_h = op->in_h, in_w = op->in_w, c = op->c;
  const int32_t kernel_h = op->kernel_h, kernel_w = op->kernel_w;
  int32_t out_y, out_x, channel;
  for (out_y = 0; out_y < op->out_h; ++out_y) {
    const int32_t top = out_y * op->stride_h - op->pad_top;
    const int32_t first_y = top < 0 ? -top : 0;
    const int32_t end_y = in_h - top < kernel_h ? in_h - top : kernel_h;
    for (out_x = 0; out_x < op->out_w; ++out_x) {
      const int32_t left = out_x * op->stride_w - op->pad_left;
      const int32_t first_x = left < 0 ? -left : 0;
      const int32_t end_x = in_w - left < kernel_w ? in_w - left : kernel_w;
      const int32_t count = (end_y - first_y) * (end_x - first_x);
      for (channel = 0; channel < c; ++channel) {
        int32_t sum = 0;
        int32_t y, x;
        for (y = first_y; y < end_y; ++y) {
          const int8_t* value = input + ((top + y) * in_w + left + first_x) * c + channel;
          for (x = first_x; x < end_x; ++x, value += c) sum += *value;
        }
        sum = (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
        *output++ = (int8_t)tn_clamp(sum, op->activation_min, op->activation_max);
      }
    }
  }
}
