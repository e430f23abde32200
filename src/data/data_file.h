// Reading a data set's files: what is missing or unreadable is bad data (exit code 4), not a machine failure.
#pragma once

#include <filesystem>
#include <string>

#include "base/error.h"

namespace tinynas {

// The whole file. Throws Error(kData) naming it when it is missing or cannot be read.
std::string read_data_file(const std::filesystem::path& path);

// "PATH: MESSAGE" with kData.
Error bad_file(const std::filesystem::path& path, const std::string& message);

}  // namespace tinynas
