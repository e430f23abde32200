#include "tn_kernels.h"
#include "tn_requantize.h"

/* Bits of head room that the inputs get before they are rescaled: TensorFlow Lite's choice for int8. */
#define TN_ADD_LEFT_SHIFT 20

static int32_t rescale(int32_t value, tn_multiplier multiplier) {
  return tn_requantize(value * (1 << TN_ADD_LEFT_SHIFT), multiplier.multiplier, multiplier.shift);
}

void tn_add(const tn_add_op* op, const int8_t* input0, const int8_t* input1, int8_t* output) {
  uint32_t i;
  for (i = 0; i < op->count; ++i) {
    int32_t sum = rescale(input0[i] - op->input_zero_point[0], op->input[0]) +
                  rescale(input1[i] - op->input_zero_point[1], op->input[1]);
    sum = tn_requantize(sum, op->output.multiplier, op->output.shift) + op->output_zero_point;
    output[i] = (int8_t)tn_clamp(sum, op->activation_min, op->activation_max);
  }
}
