// An experiment's configuration file.
#include "base/error.h"
#include "config/experiment.h"
#include "scratch_file.h"

using namespace tinynas;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const fuzz::ScratchFile file(".yaml");
  file.write(fuzz::text(data, size));
  ExperimentSources sources;
  sources.efforts_directory = TINYNAS_SOURCE_DIR "/configs/efforts";
  sources.config_file = file.path();
  try {
    resolve_experiment(sources).to_yaml();
  } catch (const Error&) {
  }
  return 0;
}
