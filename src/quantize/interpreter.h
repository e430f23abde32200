// The host integer interpreter: the reference that generated C and every later runtime must equal bit for
// bit.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "quantize/int8_model.h"

namespace tinynas {

// One per thread; it keeps its own buffers. Integer arithmetic only.
class Interpreter {
 public:
  explicit Interpreter(const Int8Model& model);  // keeps a reference: the model must outlive it
  ~Interpreter();

  // input: int8 NHWC [h][w][c]. Returns the output tensor, valid until the next run.
  const std::vector<int8_t>& run(const int8_t* input);
  // Operator `index` of the graph alone, on the given tensors (int8 NHWC, in the order of its inputs).
  // Returns its output, valid until the next run.
  const std::vector<int8_t>& run_operator(size_t index, const std::vector<const int8_t*>& inputs);
  // Any tensor of the last run, for comparisons layer by layer.
  const std::vector<int8_t>& tensor(TensorId id) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// uint8 pixel -> int8 input of the network (pixel - 128).
std::vector<int8_t> quantize_pixels(const uint8_t* pixels, int64_t count);

// Index of the largest value; ties go to the lowest index.
int argmax(const std::vector<int8_t>& logits);

}  // namespace tinynas
