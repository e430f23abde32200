#include <fstream>

#include "base/error.h"
#include "base/files.h"
#include "tflite/importer.h"
#include "tflite/tflite.h"

namespace tinynas {

TfliteImport read_tflite(std::string_view bytes, const std::string& where) {
  return Importer(bytes, where).import();
}

TfliteImport load_tflite(const std::filesystem::path& path) {
  constexpr int64_t kMostBytes = 256 * kMebibyte;  // Flash of microcontrollers is some MiB
  return read_tflite(read_given_file(path, kMostBytes), path.string());
}

bool is_tflite(const std::filesystem::path& path) {
  if (path.extension() == ".tflite") return true;
  if (!std::filesystem::is_regular_file(path)) return false;
  std::ifstream file(path, std::ios::binary);
  char head[8] = {};
  return file.read(head, sizeof head) && std::string_view(head + 4, 4) == "TFL3";
}

}  // namespace tinynas
