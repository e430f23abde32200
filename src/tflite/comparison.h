// A .tflite file in TensorFlow Lite itself, compared with our integer interpreter operator by operator.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"

namespace tinynas {

// Values of a kind of operator by how far TensorFlow Lite's are from ours.
struct ValueDistances {
  int64_t operators = 0;
  int64_t equal = 0;
  int64_t by_one = 0;
  int64_t further = 0;
};

// How far TensorFlow Lite may be (docs/decisions/0005): its convolutions and fully connected operators shift
// right with ties up instead of away from zero, and softmax's tables differ; all others are exact.
int64_t allowed_distance(OpKind kind);

struct TfliteComparison {
  std::map<OpKind, ValueDistances> kinds;
  bool passed() const;
  // "conv2d 12 operators, 34560 of 34567 values equal, 7 off by one; add ..."
  std::string text() const;
};

// Runs a file that read_tflite() takes, with every tensor that an operator makes as an output. Our
// interpreter is given TensorFlow Lite's own inputs of every operator, so that differences do not add up.
// `inputs`: int8 NHWC. Throws Error(kData) naming `where` when the file is broken, Error(kVerification) when
// TensorFlow Lite refuses it or has other tensors, shapes or scales; Error(kFailure) when the library is not
// there (tflite_version() in tflite/library.h tells).
TfliteComparison compare_with_tflite(std::string_view file, const std::string& where,
                                     const std::vector<std::vector<int8_t>>& inputs);

// A file that read_tflite() takes, with every tensor that an operator makes as an output.
std::string with_all_outputs(std::string file);

}  // namespace tinynas
