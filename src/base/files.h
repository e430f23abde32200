// Reading and writing whole files so that an interruption or a full disk never leaves half of one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.h"

namespace tinynas {

// Writes to a temporary beside `path`, syncs and renames: readers see the old content or the new, nothing
// between. Throws Error(kFailure) naming the file and the system's reason (for example "No space left on
// device"); the old file is then untouched and the temporary is removed.
void write_file_atomic(const std::filesystem::path& path, std::string_view content);

// Throws Error(kFailure) naming the file.
std::string read_file(const std::filesystem::path& path);

// A file that a person names: it is looked at before anything is read, so that a pipe, a device or a huge
// file is refused at once. Throws Error(code) naming the file when there is none, when it is a folder or no
// regular file, when it has more than `most_bytes` (the message says both figures), or when it cannot be
// read.
std::string read_given_file(const std::filesystem::path& path, int64_t most_bytes,
                            ExitCode code = ExitCode::kData);

inline constexpr int64_t kMebibyte = 1 << 20;
// Texts that people write: configurations, boards, spaces.
inline constexpr int64_t kMostYamlBytes = kMebibyte;

}  // namespace tinynas
