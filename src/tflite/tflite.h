// TensorFlow Lite's file format, both ways: an Int8Model as model.tflite, and anybody's int8 .tflite as an
// Int8Model.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "quantize/int8_model.h"

namespace tinynas {

// The model as the bytes of a .tflite file (schema version 3): int8 in and out, per-channel weights, class
// names as metadata. A convolution's padding that is neither SAME nor none becomes a PAD before it. The same
// model gives the same bytes. Throws Error(kUsage) naming the operator that TensorFlow Lite has no form for
// (an average pool with other padding than SAME or none, a mean with an activation).
std::string tflite_bytes(const Int8Model& model);
void save_tflite(const Int8Model& model, const std::filesystem::path& path);

struct TfliteImport {
  Int8Model model;  // passes check()
  std::vector<std::string>
      notes;  // what was left out or done otherwise, for people: "the input is uint8 ..."
};

// Reads a network of CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED, ADD, AVERAGE_POOL_2D, MEAN over rows and
// columns, SOFTMAX, PAD before a convolution, RESHAPE that moves nothing, and QUANTIZE and DEQUANTIZE at the
// ends (which are left out). One input and one output, batch 1. The bytes may be hostile: they are verified
// before anything is read, and memory stays within a few times their number. Throws Error(kData) naming
// `where`, the operator by index and builtin name, what was got and what was expected or can be done.
TfliteImport read_tflite(std::string_view bytes, const std::string& where);
TfliteImport load_tflite(const std::filesystem::path& path);  // at most 256 MiB

// By its extension, or, whatever its name is, by the identifier TFL3 in its bytes 4 to 7.
bool is_tflite(const std::filesystem::path& path);

}  // namespace tinynas
