// Accuracy of the int8 model by integer arithmetic.
#pragma once

#include <string>

#include "data/dataset.h"
#include "quantize/int8_model.h"

namespace tinynas {

// Top-1 in [0,1] over all images of `set`, through the integer interpreter; `workers` threads with an
// interpreter each. `label` names the progress bar. Throws Error(kInterrupted).
double int8_accuracy(const Int8Model& model, const ImageSet& set, int workers, const std::string& label);

}  // namespace tinynas
