// The safetensors container: named tensors and string metadata in one file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace tinynas {

struct NamedTensor {
  std::string dtype = "F32";  // F32 is what tinynas writes; others are kept as bytes
  std::vector<int64_t> shape;
  std::vector<uint8_t> bytes;  // little endian, row-major
};

struct Safetensors {
  std::map<std::string, std::string> metadata;
  std::map<std::string, NamedTensor> tensors;

  void put_floats(const std::string& name, std::vector<int64_t> shape, const float* values);
  // Throws Error(kData) naming the tensor when it is missing, not F32 or of another size.
  std::vector<float> floats(const std::string& name, int64_t expected_count) const;
};

// Written atomically, so that an interruption never leaves half a checkpoint.
void save_safetensors(const Safetensors& file, const std::filesystem::path& path);
// Throws Error(kData) naming the file and what is wrong with it: it comes from outside and is checked fully.
Safetensors load_safetensors(const std::filesystem::path& path);
Safetensors parse_safetensors(const std::string& bytes, const std::string& where);

}  // namespace tinynas
