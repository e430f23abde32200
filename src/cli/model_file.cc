#include "cli/model_file.h"

#include "base/error.h"
#include "cli/run.h"
#include "tflite/tflite.h"

namespace tinynas {
namespace {

namespace fs = std::filesystem;

fs::path file_of(const fs::path& given) {
  if (!fs::exists(given)) throw usage_error(given.string() + ": does not exist");
  if (!fs::is_directory(given)) return given;
  if (const auto file = model_file_in(given)) return *file;
  throw usage_error(given.string() +
                    ": is a folder without a model: expected a run directory with model.int8.json, a package "
                    "with model.tflite, or one of these files");
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

std::optional<fs::path> model_file_in(const fs::path& directory) {
  for (const char* name : {"model.int8.json", "model.tflite"}) {
    if (fs::is_regular_file(directory / name)) return directory / name;
  }
  return std::nullopt;
}

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
