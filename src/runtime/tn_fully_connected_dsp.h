/* Fully connected layers with the DSP extension: the input is spread to int16 once, every row of weights read
 * once. */
#ifndef TN_FULLY_CONNECTED_DSP_H
#define TN_FULLY_CONNECTED_DSP_H

#include "tn_dsp.h"
#include "tn_fully_connected_portable.h"

TN_INLINE void tn_fully_connected_dsp(const tn_fully_connected_op* op, const int8_t* input, int8_t* output,
                                      int8_t* scratch) {
  const uint32_t fours = op->in_c / 4;
  const int8_t* weight = op->weights;
  tn_word* const pairs = (tn_word*)(void*)scratch;
  uint32_t out, i;
  for (i = 0; i < fours; ++i) {
    const uint32_t four = *(const tn_unaligned_word*)(const void*)(input + 4 * i);
    pairs[2 * i] = tn_even_bytes(four);
    pairs[2 * i + 1] = tn_odd_bytes(four);
  }
  for (out = 0; out < op->out_c; ++out) {
    int32_t sum = op->bias[out];
    const tn_word* pair = pairs;
#pragma GCC unroll 4
    for (i = 0; i < fours; ++i, weight += 4, pair += 2) {
      const uint32_t four = *(const tn_unaligned_word*)(const void*)weight;
      sum = tn_smlad(tn_even_bytes(four), pair[0], sum);
      sum = tn_smlad(tn_odd_bytes(four), pair[1], sum);
    }
    for (i = 4 * fours; i < op->in_c; ++i) sum += input[i] * *weight++;
    output[out] = tn_fully_connected_output(op, sum);
  }
}

#endif /* TN_FULLY_CONNECTED_DSP_H */
