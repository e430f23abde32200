// SHA-256, for files that leave the house: what `sha256sum -c` checks. Hashes of our own files are in
// base/hash.h.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace tinynas {

// 64 lower-case digits.
std::string sha256_hex(std::string_view text);
// Throws Error(kFailure) naming the file when it cannot be read.
std::string sha256_file_hex(const std::filesystem::path& path);

}  // namespace tinynas
