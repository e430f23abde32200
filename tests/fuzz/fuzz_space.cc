// parse_space(): search spaces as YAML.
#include "base/error.h"
#include "scratch_file.h"
#include "space/space_file.h"

using namespace tinynas;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    parse_space(fuzz::text(data, size), "input");
  } catch (const Error&) {
  }
  return 0;
}
