// Content hashes that identify data sets, checkpoints and architectures. Not for security.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace tinynas {

// Incremental XXH3 128-bit hash; hex() gives 32 lower-case digits.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;

  Hasher& add(const void* data, size_t bytes);
  Hasher& add(std::string_view text) { return add(text.data(), text.size()); }
  std::string hex() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string hash_hex(std::string_view text);
// Throws Error(kFailure) naming the file when it cannot be read.
std::string hash_file_hex(const std::filesystem::path& path);

}  // namespace tinynas
