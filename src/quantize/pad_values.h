// A pad's values, int8 or float.
#pragma once

#include <algorithm>

#include "graph/graph.h"

namespace tinynas {

// `input` of shape `in` into `output` of shape `out` (both HWC), `zero` around it as `padding` says.
template <typename Value>
void pad_values(const Padding& padding, const Shape& in, const Shape& out, Value zero, const Value* input,
                Value* output) {
  std::fill_n(output, out.elements(), zero);
  for (int y = 0; y < in.h; ++y) {
    for (int x = 0; x < in.w; ++x, input += in.c) {
      const int64_t position = int64_t{y + padding.top} * out.w + x + padding.left;
      std::copy_n(input, in.c, output + position * out.c + padding.channels_before);
    }
  }
}

}  // namespace tinynas
