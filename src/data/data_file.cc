#include "data/data_file.h"

#include "base/files.h"

namespace tinynas {

Error bad_file(const std::filesystem::path& path, const std::string& message) {
  return data_error(path.string() + ": " + message);
}

std::string read_data_file(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) throw bad_file(path, "no such file");
  if (!std::filesystem::is_regular_file(path, ignored))
    throw bad_file(path, "expected a file, got something else");
  try {
    return read_file(path);
  } catch (const Error& error) {
    throw data_error(error.what());
  }
}

}  // namespace tinynas
