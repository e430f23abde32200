// parse_safetensors(), and load_float_model() on the same bytes.
#include "base/error.h"
#include "quantize/float_model.h"
#include "quantize/safetensors.h"
#include "scratch_file.h"

using namespace tinynas;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const fuzz::ScratchFile file(".safetensors");
  const std::string bytes = fuzz::text(data, size);
  try {
    parse_safetensors(bytes, "input");
    file.write(bytes);
    load_float_model(file.path()).check();
  } catch (const Error&) {
  }
  return 0;
}
