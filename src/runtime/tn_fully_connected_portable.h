/* Fully connected layers in plain C99: any core, and the oracle of the other variants. */
#ifndef TN_FULLY_CONNECTED_PORTABLE_H
#define TN_FULLY_CONNECTED_PORTABLE_H

#include "tn_kernels.h"
#include "tn_requantize.h"

TN_INLINE int8_t tn_fully_connected_output(const tn_fully_connected_op* op, int32_t sum) {
  sum = tn_requantize(sum, op->multipliers[0], op->shifts[0]) + op->output_zero_point;
  return (int8_t)tn_clamp(sum, op->activation_min, op->activation_max);
}

TN_INLINE void tn_fully_connected_portable(const tn_fully_connected_op* op, const int8_t* input,
                                           int8_t* output) {
  const int8_t* weight = op->weights;
  uint32_t out;
  for (out = 0; out < op->out_c; ++out) {
    int32_t sum = op->bias[out];
    uint32_t in;
    for (in = 0; in < op->in_c; ++in) sum += input[in] * *weight++;
    output[out] = tn_fully_connected_output(op, sum);
  }
}

#endif /* TN_FULLY_CONNECTED_PORTABLE_H */
