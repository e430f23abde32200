// read_tflite(): somebody else's .tflite file. What is imported must pass its check, and small models must run.
#include "base/error.h"
#include "quantize/interpreter.h"
#include "scratch_file.h"
#include "tflite/tflite.h"

using namespace tinynas;

namespace {

constexpr int64_t kMaxMacs = 200'000;    // of a model that is run
constexpr int64_t kMaxValues = 200'000;  // in all its tensors

int64_t values(const Graph& graph) {
  int64_t sum = 0;
  for (const Tensor& tensor : graph.tensors) sum += tensor.shape.elements();
  return sum;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Int8Model model;
  try {
    model = read_tflite(fuzz::text(data, size), "input").model;
  } catch (const Error&) {
    return 0;
  }
  model.check();
  if (values(model.graph) > kMaxValues || macs(model.graph) > kMaxMacs) return 0;
  Interpreter interpreter(model);
  const std::vector<int8_t> image(
      static_cast<size_t>(model.graph.tensor(model.graph.input).shape.elements()), 1);
  interpreter.run(image.data());
  return 0;
}
