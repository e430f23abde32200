#include "base/error.h"
#include "base/files.h"
#include "tflite/importer.h"
#include "tflite/tflite.h"

namespace tinynas {

TfliteImport read_tflite(std::string_view bytes, const std::string& where) {
  return Importer(bytes, where).import();
}

TfliteImport load_tflite(const std::filesystem::path& path) {
  if (!std::filesystem::is_regular_file(path)) throw data_error(path.string() + ": there is no such file");
  return read_tflite(read_file(path), path.string());
}

}  // namespace tinynas
