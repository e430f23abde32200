#include "tn_kernels.h"

/* Behind what was written. What is left below four is no loop: gcc would call the C library for one. */
static int8_t* fill(int8_t* to, int8_t value, int32_t count) {
  for (; count >= 4; count -= 4) {
    to[0] = value;
    to[1] = value;
    to[2] = value;
    to[3] = value;
    to += 4;
  }
  if ((count & 2) != 0) {
    to[0] = value;
    to[1] = value;
    to += 2;
  }
  if ((count & 1) != 0) {
    to[0] = value;
    to += 1;
  }
  return to;
}

static int8_t* copy(int8_t* to, const int8_t* from, int32_t count) {
  for (; count >= 4; count -= 4) {
    to[0] = from[0];
    to[1] = from[1];
    to[2] = from[2];
    to[3] = from[3];
    to += 4;
    from += 4;
  }
  if ((count & 2) != 0) {
    to[0] = from[0];
    to[1] = from[1];
    to += 2;
    from += 2;
  }
  if ((count & 1) != 0) {
    to[0] = from[0];
    to += 1;
  }
  return to;
}

/* Runs of the input are copied: rows, or positions where channels are padded. What lies between two of them
 * is filled in one go. */
void tn_pad(const tn_pad_op* op, const int8_t* input, int8_t* output) {
  const int8_t zero = op->zero_point;
  const int32_t before = op->channels_before, between = before + op->channels_after;
  const int32_t out_c = op->in_c + between;
  const int32_t left = op->pad_left * out_c, right = op->pad_right * out_c;
  const int32_t row = left + op->in_w * out_c + right;
  const int32_t runs = between == 0 ? 1 : op->in_w;
  const int32_t run = between == 0 ? op->in_w * op->in_c : op->in_c;
  int32_t y, x;
  output = fill(output, zero, op->pad_top * row + left + before);
  for (y = 0; y < op->in_h; ++y) {
    for (x = 0; x < runs; ++x) {
      if (x > 0) output = fill(output, zero, between);
      output = copy(output, input, run);
      input += run;
    }
    /* Up to the next row's first run; behind the last row the rest follows below. */
    if (y + 1 < op->in_h) output = fill(output, zero, between + right + left);
  }
  (void)fill(output, zero, op->channels_after + right + op->pad_bottom * row);
}
