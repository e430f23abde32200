#include "cost_models/runtime.h"

#include "base/error.h"

namespace tinynas {

const char* name_of(Runtime runtime) { return runtime == Runtime::kTinynas ? "tinynas" : "tflm"; }

Runtime runtime_from_name(const std::string& name, const std::string& what) {
  if (name == "tinynas") return Runtime::kTinynas;
  if (name == "tflm") return Runtime::kTflm;
  throw usage_error(what + ": got '" + name + "', expected tinynas or tflm");
}

}  // namespace tinynas
