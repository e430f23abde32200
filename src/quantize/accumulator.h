// What 32-bit accumulators hold.
#pragma once

#include <algorithm>
#include <cstdint>

namespace tinynas {

// Int8Model::check() allows accumulators up to this. Half of int32: leaves room for the zero point that is
// added after rescaling by almost 1.
constexpr int64_t kAccumulatorLimit = int64_t{1} << 30;

// Room for one multiply-accumulate: |q - zero_point| <= 255, |weight| <= 127.
constexpr int64_t kLargestProduct = 255 * 127;

// The largest |bias|, in accumulator units, beside `taps` products; negative when those alone may not fit.
constexpr int64_t largest_bias(int64_t taps) { return kAccumulatorLimit - taps * kLargestProduct; }

}  // namespace tinynas
