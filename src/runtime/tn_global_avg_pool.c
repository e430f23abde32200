#include "tn_kernels.h"
#include "tn_mean.h"

void tn_global_avg_pool(const tn_global_avg_pool_op* op, const int8_t* input, int8_t* output) {
  const int32_t c = op->c;
  int32_t channel;
  for (channel = 0; channel < c; ++channel) {
    const int8_t* value = input + channel;
    int32_t sum = 0;
    uint32_t i;
    for (i = 0; i < op->count; ++i, value += c) sum += *value - op->input_zero_point;
    output[channel] = (int8_t)tn_mean_of(op, sum);
  }
}
