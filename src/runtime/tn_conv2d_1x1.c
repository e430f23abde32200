#include "tn_kernels.h"
#include "tn_requantize.h"

void tn_conv2d_1x1(const tn_conv2d_op* op, const int8_t* input, int8_t* output) {
  const int32_t pixels = (int32_t)op->in_h * op->in_w;
  const int32_t in_c = op->in_c;
  const int32_t out_c = op->out_c;
  const int32_t input_zero_point = op->input_zero_point;
  int32_t pixel;
  for (pixel = 0; pixel < pixels; ++pixel, input += in_c) {
    const int8_t* weight = op->weights;
    int32_t out;
    for (out = 0; out < out_c; ++out) {
      int32_t sum = op->bias[out];
      int32_t in;
      for (in = 0; in < in_c; ++in) sum += (input[in] - input_zero_point) * *weight++;
      sum = tn_requantize(sum, op->multipliers[out], op->shifts[out]) + op->output_zero_point;
      *output++ = (int8_t)tn_clamp(sum, op->activation_min, op->activation_max);
    }
  }
}
