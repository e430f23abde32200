#include "tn_kernels.h"
#include "tn_requantize.h"

/* Every input channel makes out_c / in_c output channels that lie side by side. */
void tn_depthwise_conv2d_multiplier(const tn_conv2d_op* op, const int8_t* input, int8_t* output) {
  const int32_t in_h = op->in_h, in_w = op->in_w, in_c = op->in_c, out_c = op->out_c;
  const int32_t kernel_h = op->kernel_h, kernel_w = op->kernel_w;
  const int32_t multiplier = out_c / in_c;
  const int32_t input_zero_point = op->input_zero_point;
  int32_t out_y, out_x, channel;
  for (out_y = 0; out_y < op->out_h; ++out_y) {
    const int32_t top = out_y * op->stride_h - op->pad_top;
    /* Taps inside the input; those outside are real 0 and add nothing. */
    const int32_t first_y = top < 0 ? -top : 0;
    const int32_t end_y = in_h - top < kernel_h ? in_h - top : kernel_h;
    for (out_x = 0; out_x < op->out_w; ++out_x) {
      const int32_t left = out_x * op->stride_w - op->pad_left;
      const int32_t first_x = left < 0 ? -left : 0;
      const int32_t end_x = in_w - left < kernel_w ? in_w - left : kernel_w;
      int32_t in_channel = 0;
      int32_t copies = multiplier; /* output channels that in_channel still makes */
      for (channel = 0; channel < out_c; ++channel) {
        int32_t sum = op->bias[channel];
        int32_t y, x;
        for (y = first_y; y < end_y; ++y) {
          const int8_t* value = input + ((top + y) * in_w + left + first_x) * in_c + in_channel;
          const int8_t* weight = op->weights + (y * kernel_w + first_x) * out_c + channel;
          for (x = first_x; x < end_x; ++x, value += in_c, weight += out_c) {
            sum += (*value - input_zero_point) * *weight;
          }
        }
        sum = tn_requantize(sum, op->multipliers[channel], op->shifts[channel]) + op->output_zero_point;
        *output++ = (int8_t)tn_clamp(sum, op->activation_min, op->activation_max);
        if (--copies == 0) {
          ++in_channel;
          copies = multiplier;
        }
      }
    }
  }
}
