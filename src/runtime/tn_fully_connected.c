#include "tn_kernels.h"
#include "tn_requantize.h"

void tn_fully_connected(const tn_fully_connected_op* op, const int8_t* input, int8_t* output) {
  const int32_t input_zero_point = op->input_zero_point;
  const int32_t multiplier = op->multipliers[0];
  const int32_t shift = op->shifts[0];
  const int8_t* weight = op->weights;
  uint32_t out;
  for (out = 0; out < op->out_c; ++out) {
    int32_t sum = op->bias[out];
    uint32_t in;
    for (in = 0; in < op->in_c; ++in) sum += (input[in] - input_zero_point) * *weight++;
    sum = tn_requantize(sum, multiplier, shift) + op->output_zero_point;
    output[out] = (int8_t)tn_clamp(sum, op->activation_min, op->activation_max);
  }
}
