#include "data/data_file.h"

#include "base/files.h"

namespace tinynas {

Error bad_file(const std::filesystem::path& path, const std::string& message) {
  return data_error(path.string() + ": " + message);
}

std::string read_data_file(const std::filesystem::path& path) {
  constexpr int64_t kMostBytes = 2048 * kMebibyte;  // of one file of a data set
  return read_given_file(path, kMostBytes);
}

}  // namespace tinynas
