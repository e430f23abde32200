// An int8 network from whatever a user has: a run directory, a package, a .tflite file, a model.int8.json.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "quantize/int8_model.h"

namespace tinynas {

struct ModelFile {
  Int8Model model;
  std::filesystem::path file;      // that the model was read from
  std::vector<std::string> notes;  // what a .tflite file's import has to say
};

// A directory stands for the model.int8.json (a run) or the model.tflite (a package) in it. Throws
// Error(kUsage) when there is neither, Error(kData) naming the file when it is broken.
ModelFile load_model(const std::filesystem::path& given);

bool is_tflite(const std::filesystem::path& file);

}  // namespace tinynas
