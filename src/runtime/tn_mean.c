#include "tn_mean.h"
#include "tn_kernels.h"

void tn_mean_start(const tn_global_avg_pool_op* op, int32_t* sums) {
  int32_t channel;
  for (channel = 0; channel < op->c; ++channel) sums[channel] = 0;
}

void tn_mean_add(const tn_global_avg_pool_op* op, const int8_t* input, int32_t count, int32_t* sums) {
  int32_t channel;
  for (; count > 0; --count) {
    for (channel = 0; channel < op->c; ++channel) sums[channel] += *input++ - op->input_zero_point;
  }
}

void tn_mean_end(const tn_global_avg_pool_op* op, const int32_t* sums, int8_t* output) {
  int32_t channel;
  for (channel = 0; channel < op->c; ++channel) output[channel] = (int8_t)tn_mean_of(op, sums[channel]);
}
