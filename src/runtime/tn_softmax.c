#include "tn_kernels.h"
#include "tn_requantize.h"

/*
 * TensorFlow Lite's reference int8 softmax in gemmlowp's fixed point. Qn is an int32 with n integer bits, 31
 * - n fraction bits: differences to the largest input are Q5, exponentials Q0, their sum Q12.
 */

#define TN_ONE_QUARTER_Q5 (1 << 24)

static int32_t multiply(int32_t a, int32_t b) { return tn_doubling_high_multiply(a, b); }

/* exp(x) in Q0 for x <= 0 in Q5. */
static int32_t exp_of_negative(int32_t x) {
  /* exp(-2^k) for k from -2 to 4, Q0. */
  static const int32_t factors[7] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
  /* x is `rest`, in [-1/4, 0), minus a multiple of 1/4. */
  const int32_t rest = (x & (TN_ONE_QUARTER_Q5 - 1)) - TN_ONE_QUARTER_Q5;
  const int32_t quarters = rest - x;
  /* Taylor's polynomial of degree 4 around -1/8: exp(-1/8) * (1 + a + a^2 / 2 + a^3 / 6 + a^4 / 24). */
  const int32_t at_one_eighth = 1895147668;
  const int32_t one_third = 715827883;
  const int32_t a = rest * 32 + (1 << 28);
  const int32_t a2 = multiply(a, a);
  const int32_t a3 = multiply(a2, a);
  const int32_t a4 = multiply(a2, a2);
  const int32_t higher = multiply(tn_rounding_divide_by_pot(a4, 2) + a3, one_third) + a2;
  int32_t result = at_one_eighth + multiply(at_one_eighth, a + tn_rounding_divide_by_pot(higher, 1));
  int32_t bit;
  if (x == 0) return INT32_MAX;
  for (bit = 0; bit < 7; ++bit) {
    if (quarters & (TN_ONE_QUARTER_Q5 << bit)) result = multiply(result, factors[bit]);
  }
  return result;
}

/* 1 / (1 + x) in Q0 for x in [0, 1) in Q0: three Newton steps. */
static int32_t one_over_one_plus(int32_t x) {
  const int32_t half_denominator = (int32_t)(((int64_t)x + INT32_MAX + 1) / 2);
  const int32_t one_q2 = 1 << 29;
  int32_t guess = 1515870810 + multiply(half_denominator, -1010580540); /* 48/17 - 32/17 * d, Q2 */
  int32_t step;
  for (step = 0; step < 3; ++step) {
    const int32_t error = one_q2 - multiply(half_denominator, guess);
    guess += multiply(guess, error) * 4; /* a product of Q2 is Q4 */
  }
  /* guess / 2 is Q1, and 1 itself saturates in Q0. */
  return guess >= 1 << 30 ? INT32_MAX : guess * 2;
}

void tn_softmax(const tn_softmax_op* op, const int8_t* input, int8_t* output) {
  const int32_t c = op->c;
  const int32_t scale = (int32_t)1 << op->input.shift;
  uint32_t row;
  for (row = 0; row < op->rows; ++row, input += c, output += c) {
    int32_t largest = input[0];
    int32_t sum = 0;
    int32_t leading = 0;
    int32_t reciprocal, i;
    for (i = 1; i < c; ++i) largest = input[i] > largest ? input[i] : largest;
    for (i = 0; i < c; ++i) {
      const int32_t difference = input[i] - largest;
      if (difference < op->difference_min) continue;
      sum +=
          tn_rounding_divide_by_pot(exp_of_negative(multiply(difference * scale, op->input.multiplier)), 12);
    }
    while (!((uint32_t)sum << leading & 0x80000000u)) ++leading; /* the largest input adds 1 to the sum */
    /* sum = 2^(12 - leading) * (1 + the bits below the first one) */
    reciprocal = one_over_one_plus((int32_t)(((uint32_t)sum << leading) - 0x80000000u));
    for (i = 0; i < c; ++i) {
      const int32_t difference = input[i] - largest;
      int32_t value = -128;
      if (difference >= op->difference_min) {
        const int32_t exponential = exp_of_negative(multiply(difference * scale, op->input.multiplier));
        const int32_t exponent = 12 - leading + 23; /* above 31 the quotient is below one half */
        if (exponent <= 31) value += tn_rounding_divide_by_pot(multiply(reciprocal, exponential), exponent);
      }
      output[i] = (int8_t)tn_clamp(value, -128, 127);
    }
  }
}
