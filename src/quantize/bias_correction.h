// Bias correction: rounding weights and activations shifts the mean of a channel; its bias takes the shift
// back.
#pragma once

#include <vector>

#include "quantize/int8_model.h"

namespace tinynas {

// Adds to every bias of `int8` the mean over all images and positions of (float - quantised) value of its
// channel before the activation (Nagel et al., "Data-Free Quantization through Weight Equalization and Bias
// Correction", 2019, section 4.2, with the means measured instead of derived). Operator by operator, the
// earlier ones already corrected, so that what earlier layers shift is taken back too.
//
// The quantised values come from a fake-quantised float run: weights, biases and tensors are int8's levels as
// real numbers, every tensor rounded and clamped to its levels after each operator. It differs from the
// integer arithmetic where a rescaled accumulator lies within rounding error of a tie, which a mean does not
// see.
//
// `model` is the network that `int8` was quantised from. Scales, weights and zero points stay as they are;
// biases stay within what the accumulators hold.
void correct_bias(const FloatModel& model, const std::vector<const float*>& images, Int8Model& int8);

}  // namespace tinynas
