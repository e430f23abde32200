// An int8 network from whatever a user has: a run directory, a package, a .tflite file, a model.int8.json.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "quantize/int8_model.h"

namespace tinynas {

struct ModelFile {
  Int8Model model;
  std::filesystem::path file;      // that the model was read from
  std::vector<std::string> notes;  // what a .tflite file's import has to say
};

// A directory stands for the model.int8.json (a run) or the model.tflite (a package) in it; whether a file is
// a .tflite is seen from its bytes. Throws Error(kUsage) when there is neither, Error(kData) naming the file
// when it is broken or larger than its kind may be.
ModelFile load_model(const std::filesystem::path& given);

// The model's file of a run directory or a package; nothing where `directory` holds none.
std::optional<std::filesystem::path> model_file_in(const std::filesystem::path& directory);

}  // namespace tinynas
