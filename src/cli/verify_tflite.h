// A package's model.tflite in TensorFlow Lite itself, where its library is there.
#pragma once

#include <filesystem>

#include "export/verify_targets.h"

namespace tinynas {

// One more line for verify's table: model.tflite computes the reference's outputs by our arithmetic, and
// every operator of it is within what TensorFlow Lite's rounding may differ by (tflite/comparison.h).
// Skipped, and says so, where the library or the file is missing.
TargetResult verify_tflite(const std::filesystem::path& package, const ReferenceRuns& reference);

}  // namespace tinynas
