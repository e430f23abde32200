/* Fully connected layers with integer vectors: sixteen products at a time, of two outputs. */
#ifndef TN_FULLY_CONNECTED_MVE_H
#define TN_FULLY_CONNECTED_MVE_H

#include "tn_fully_connected_portable.h"
#include "tn_mve.h"

TN_INLINE void tn_fully_connected_mve(const tn_fully_connected_op* op, const int8_t* input, int8_t* output) {
  const int8_t* weights = op->weights;
  uint32_t out;
  for (out = 0; out < op->out_c; out += 2) {
    /* The last of an odd number is computed twice. */
    const uint32_t next = out + 1 < op->out_c ? 1 : 0;
    const int8_t *row0 = weights, *row1 = weights + next * op->in_c, *at = input;
    int32_t sum0 = op->bias[out], sum1 = op->bias[out + next];
    __asm__(
        "dlstp.8 lr, %[count]\n\t"
        "1:\n\t"
        "vldrb.8 q0, [%[at]], #16\n\t"
        "vldrb.8 q1, [%[row0]], #16\n\t"
        "vmladava.s8 %[sum0], q0, q1\n\t"
        "vldrb.8 q2, [%[row1]], #16\n\t"
        "vmladava.s8 %[sum1], q0, q2\n\t"
        "letp lr, 1b\n\t"
        : [at] "+r"(at), [row0] "+r"(row0), [row1] "+r"(row1), [sum0] "+Te"(sum0), [sum1] "+Te"(sum1)
        : [count] "r"(op->in_c)
        : "memory", "lr", "cc", "q0", "q1", "q2");
    output[out] = tn_fully_connected_output(op, sum0);
    output[out + next] = tn_fully_connected_output(op, sum1);
    weights += 2 * op->in_c;
  }
}

#endif /* TN_FULLY_CONNECTED_MVE_H */
