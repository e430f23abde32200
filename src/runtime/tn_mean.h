/* TensorFlow Lite's MEAN: the sum is rescaled first, then divided by the count, halves away from zero. */
#ifndef TN_MEAN_H
#define TN_MEAN_H

#include "tn_requantize.h"

static inline int32_t tn_mean_of(const tn_global_avg_pool_op* op, int32_t sum) {
  const int32_t count = (int32_t)op->count;
  const int32_t half = count / 2;
  sum = tn_requantize(sum, op->mean.multiplier, op->mean.shift);
  sum = (sum > 0 ? sum + half : sum - half) / count + op->output_zero_point;
  return tn_clamp(sum, op->activation_min, op->activation_max);
}

#endif /* TN_MEAN_H */
