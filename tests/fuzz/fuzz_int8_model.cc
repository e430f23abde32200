// load_int8_model(): the JSON is the input up to its first NUL byte, the .bin beside it is what follows. The
// hash that ties them together is put right, or every mutation would end there. Whatever is loaded must run.
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/hash.h"
#include "quantize/interpreter.h"
#include "scratch_file.h"

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
  static const fuzz::ScratchFile json_file(".json");
  static const fuzz::ScratchFile data_file(".bin");
  const std::string input = fuzz::text(data, size);
  const size_t end = std::min(input.find('\0'), input.size());
  std::string json_text = input.substr(0, end);
  const std::string bytes = end < input.size() ? input.substr(end + 1) : "";
  nlohmann::json json = nlohmann::json::parse(json_text, nullptr, /*allow_exceptions=*/false);
  if (json.is_object() && json.contains("data") && json["data"].is_object()) {
    json["data"]["xxh3_128"] = hash_hex(bytes);
    json_text = json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }
  json_file.write(json_text);
  data_file.write(bytes);
  try {
    const Int8Model model = load_int8_model(json_file.path());
    if (values(model.graph) > kMaxValues || macs(model.graph) > kMaxMacs) return 0;
    Interpreter interpreter(model);
    const std::vector<int8_t> image(
        static_cast<size_t>(model.graph.tensor(model.graph.input).shape.elements()), 1);
    interpreter.run(image.data());
  } catch (const Error&) {
  }
  return 0;
}
