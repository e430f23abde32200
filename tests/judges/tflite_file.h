// A network's exported .tflite file with every tensor that an operator writes as an output, so that a judge's
// inference can be compared operator by operator.
#pragma once

#include <string>

#include "quantize/int8_model.h"

namespace tinynas::judges {

// tflite_bytes() with another list of outputs; what the operators are and hold is the exporter's, byte for
// byte.
std::string all_outputs_file(const Int8Model& model);

}  // namespace tinynas::judges
