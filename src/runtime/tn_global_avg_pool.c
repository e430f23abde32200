#include "tn_kernels.h"
#include "tn_requantize.h"

/* TensorFlow Lite's MEAN: the sum is rescaled first, then divided by the count, halves away from zero. */
void tn_global_avg_pool(const tn_global_avg_pool_op* op, const int8_t* input, int8_t* output) {
  const int32_t count = (int32_t)op->count;
  const int32_t c = op->c;
  const int32_t half = count / 2;
  int32_t channel;
  for (channel = 0; channel < c; ++channel) {
    const int8_t* value = input + channel;
    int32_t sum = 0;
    int32_t i;
    for (i = 0; i < count; ++i, value += c) sum += *value - op->input_zero_point;
    sum = tn_requantize(sum, op->mean.multiplier, op->mean.shift);
    sum = (sum > 0 ? sum + half : sum - half) / count + op->output_zero_point;
    output[channel] = (int8_t)tn_clamp(sum, op->activation_min, op->activation_max);
  }
}
