// Reading and writing whole files so that an interruption or a full disk never leaves half of one.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace tinynas {

// Writes to a temporary beside `path`, syncs and renames: readers see the old content or the new, nothing between.
// Throws Error(kFailure) naming the file and the system's reason (for example "No space left on device"); the old
// file is then untouched and the temporary is removed.
void write_file_atomic(const std::filesystem::path& path, std::string_view content);

// Throws Error(kFailure) naming the file.
std::string read_file(const std::filesystem::path& path);

}  // namespace tinynas
