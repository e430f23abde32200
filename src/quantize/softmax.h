// Softmax over int8 in fixed point: TensorFlow Lite's reference kernel (double rounding), bit for bit.
#pragma once

#include <cstdint>

#include "quantize/int8_model.h"

namespace tinynas {

// `channels` values -> as many of scale 1/256, zero point -128. `input` and `difference_min` as
// derive_fixed_point() gives them; at most 4095 channels.
void softmax_row(const int8_t* from, int channels, FixedMultiplier input, int32_t difference_min, int8_t* to);

}  // namespace tinynas
