// What the fuzzers share: a file of the process's own for readers that take a path.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

namespace tinynas::fuzz {

// In memory where /dev/shm is there; removed at the end of the process.
class ScratchFile {
 public:
  explicit ScratchFile(const std::string& extension) {
    const std::filesystem::path memory = "/dev/shm";
    const bool has_memory = std::filesystem::is_directory(memory);
    path_ = (has_memory ? memory : std::filesystem::temp_directory_path()) /
            ("tinynas-fuzz-" + std::to_string(::getpid()) + extension);
  }
  ~ScratchFile() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }
  void write(const std::string& content) const {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << content;
  }

 private:
  std::filesystem::path path_;
};

inline std::string text(const uint8_t* data, size_t size) {
  return std::string(reinterpret_cast<const char*>(data), size);
}

}  // namespace tinynas::fuzz
