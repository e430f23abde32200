// The runtimes that a model can be judged on (design.md, section 4).
#pragma once

#include <string>

namespace tinynas {

enum class Runtime {
  kTinynas,  // ours: generated C, kernels of src/runtime
  kTflm      // TensorFlow Lite Micro's interpreter with CMSIS-NN kernels (cost_models/tflm.h)
};

const char* name_of(Runtime runtime);  // "tinynas", "tflm"
// Throws Error(kUsage) naming `what`.
Runtime runtime_from_name(const std::string& name, const std::string& what);

}  // namespace tinynas
