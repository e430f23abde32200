#include "cli/model_file.h"

#include "base/error.h"
#include "cli/run.h"
#include "tflite/tflite.h"

namespace tinynas {
namespace {

namespace fs = std::filesystem;

fs::path file_of(const fs::path& given) {
  if (fs::is_regular_file(given)) return given;
  for (const char* name : {"model.int8.json", "model.tflite"}) {
    if (fs::is_regular_file(given / name)) return given / name;
  }
  throw usage_error(
      given.string() +
      ": expected a run directory with model.int8.json, a package with model.tflite, or one of these "
      "files");
}

Int8Model load_int8_json(const fs::path& file) {
  try {
    return load_int8_model(file);
  } catch (const Error& error) {
    if (error.code() != ExitCode::kData || !is_run(file.parent_path())) throw;
    throw Error(error.code(), std::string(error.what()) +
                                  "; if another version of tinynas wrote it: tinynas quantize " +
                                  file.parent_path().string() + " --again");
  }
}

}  // namespace

bool is_tflite(const fs::path& file) { return file.extension() == ".tflite"; }

ModelFile load_model(const fs::path& given) {
  ModelFile loaded;
  loaded.file = file_of(given);
  if (is_tflite(loaded.file)) {
    TfliteImport imported = load_tflite(loaded.file);
    loaded.model = std::move(imported.model);
    loaded.notes = std::move(imported.notes);
  } else {
    loaded.model = load_int8_json(loaded.file);
  }
  return loaded;
}

}  // namespace tinynas
