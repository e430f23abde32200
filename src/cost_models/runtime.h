// The runtimes that a model can be judged on (design.md, section 4).
#pragma once

namespace tinynas {

enum class Runtime {
  kTinynas,  // ours: generated C, kernels of src/runtime
  kTflm      // TensorFlow Lite Micro's interpreter with CMSIS-NN kernels (cost_models/tflm.h)
};

const char* name_of(Runtime runtime);  // "tinynas", "tflm"

}  // namespace tinynas
