// A TensorFlow Lite library, loaded at run time: tools/fetch_tflite brings it. Only its C API is used, and of
// that only what is declared in the .cc. It judges our files; nothing that tinynas computes comes from it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tinynas {

// $TINYNAS_TFLITE_LIBRARY, or where tools/fetch_tflite puts it in the source tree.
std::filesystem::path tflite_library_path();
// nullopt where the library cannot be loaded; `reason` says why.
std::optional<std::string> tflite_version(std::string& reason);

struct TfliteTensor {
  std::string name;
  std::vector<int> shape;
  float scale = 0;
  int32_t zero_point = 0;
  std::vector<int8_t> values;
};

// One model in one interpreter, one thread. The library must be there.
class TfliteModel {
 public:
  // Throws std::runtime_error with the library's own message when it refuses the file.
  explicit TfliteModel(std::string file);
  ~TfliteModel();

  // int8 input, as many values as the model's only input has; every output. Throws std::runtime_error.
  std::vector<TfliteTensor> run(const std::vector<int8_t>& input);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tinynas
