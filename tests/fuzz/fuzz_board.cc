// load_board() on a board file, with the repository's measurements.
#include "base/error.h"
#include "cost_models/board.h"
#include "scratch_file.h"

using namespace tinynas;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const fuzz::ScratchFile file(".yaml");
  static const Measurements measurements = load_measurements(TINYNAS_SOURCE_DIR "/configs/measurements");
  file.write(fuzz::text(data, size));
  try {
    load_board(file.path(), measurements);
  } catch (const Error&) {
  }
  return 0;
}
