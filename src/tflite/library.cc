#include "tflite/library.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

// Of tensorflow/lite/c/c_api.h, as of TensorFlow Lite 2.9.
extern "C" {
struct TfLiteModel;
struct TfLiteInterpreterOptions;
struct TfLiteInterpreter;
struct TfLiteTensor;
struct TfLiteQuantizationParams {
  float scale;
  int32_t zero_point;
};
}

namespace tinynas {
namespace {

constexpr int kOk = 0;        // TfLiteStatus
constexpr int kInt8Type = 9;  // kTfLiteInt8

// The functions of the library.
struct Api {
  const char* (*version)();
  TfLiteModel* (*model_create)(const void*, size_t);
  void (*model_delete)(TfLiteModel*);
  TfLiteInterpreterOptions* (*options_create)();
  void (*options_delete)(TfLiteInterpreterOptions*);
  void (*options_set_threads)(TfLiteInterpreterOptions*, int32_t);
  void (*options_set_reporter)(TfLiteInterpreterOptions*, void (*)(void*, const char*, va_list), void*);
  TfLiteInterpreter* (*interpreter_create)(const TfLiteModel*, const TfLiteInterpreterOptions*);
  void (*interpreter_delete)(TfLiteInterpreter*);
  int32_t (*input_count)(const TfLiteInterpreter*);
  TfLiteTensor* (*input)(const TfLiteInterpreter*, int32_t);
  int32_t (*output_count)(const TfLiteInterpreter*);
  const TfLiteTensor* (*output)(const TfLiteInterpreter*, int32_t);
  int (*allocate)(TfLiteInterpreter*);
  int (*invoke)(TfLiteInterpreter*);
  int (*type)(const TfLiteTensor*);
  int32_t (*dimensions)(const TfLiteTensor*);
  int32_t (*dimension)(const TfLiteTensor*, int32_t);
  size_t (*bytes)(const TfLiteTensor*);
  void* (*data)(const TfLiteTensor*);
  const char* (*name)(const TfLiteTensor*);
  TfLiteQuantizationParams (*quantization)(const TfLiteTensor*);
};

struct Loaded {
  std::optional<Api> api;
  std::string reason;
};

Loaded load() {
  const std::string path = tflite_library_path().string();
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return {std::nullopt, dlerror()};
  Api api{};
  std::string missing;
  const auto find = [&](const char* name, auto& function) {
    void* symbol = dlsym(library, name);
    if (symbol == nullptr) missing = path + ": has no " + name;
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(symbol);
  };
  find("TfLiteVersion", api.version);
  find("TfLiteModelCreate", api.model_create);
  find("TfLiteModelDelete", api.model_delete);
  find("TfLiteInterpreterOptionsCreate", api.options_create);
  find("TfLiteInterpreterOptionsDelete", api.options_delete);
  find("TfLiteInterpreterOptionsSetNumThreads", api.options_set_threads);
  find("TfLiteInterpreterOptionsSetErrorReporter", api.options_set_reporter);
  find("TfLiteInterpreterCreate", api.interpreter_create);
  find("TfLiteInterpreterDelete", api.interpreter_delete);
  find("TfLiteInterpreterGetInputTensorCount", api.input_count);
  find("TfLiteInterpreterGetInputTensor", api.input);
  find("TfLiteInterpreterGetOutputTensorCount", api.output_count);
  find("TfLiteInterpreterGetOutputTensor", api.output);
  find("TfLiteInterpreterAllocateTensors", api.allocate);
  find("TfLiteInterpreterInvoke", api.invoke);
  find("TfLiteTensorType", api.type);
  find("TfLiteTensorNumDims", api.dimensions);
  find("TfLiteTensorDim", api.dimension);
  find("TfLiteTensorByteSize", api.bytes);
  find("TfLiteTensorData", api.data);
  find("TfLiteTensorName", api.name);
  find("TfLiteTensorQuantizationParams", api.quantization);
  if (!missing.empty()) return {std::nullopt, missing};
  return {api, ""};
}

const Loaded& library() {
  static const Loaded loaded = load();
  return loaded;
}

void report(void* user_data, const char* format, va_list arguments) {
  char line[512];
  std::vsnprintf(line, sizeof line, format, arguments);
  *static_cast<std::string*>(user_data) += std::string(line) + "; ";
}

}  // namespace

std::filesystem::path tflite_library_path() {
  const char* chosen = std::getenv("TINYNAS_TFLITE_LIBRARY");
  return chosen != nullptr ? chosen : TINYNAS_SOURCE_DIR "/tools/cache/tflite/libtensorflowlite_c.so";
}

std::optional<std::string> tflite_version(std::string& reason) {
  reason = library().reason;
  if (!library().api) return std::nullopt;
  return library().api->version();
}

struct TfliteModel::State {
  const Api& api = library().api.value();
  std::string file;      // the model refers to it
  std::string messages;  // of the library
  TfLiteModel* model = nullptr;
  TfLiteInterpreterOptions* options = nullptr;
  TfLiteInterpreter* interpreter = nullptr;

  ~State() {
    if (interpreter != nullptr) api.interpreter_delete(interpreter);
    if (options != nullptr) api.options_delete(options);
    if (model != nullptr) api.model_delete(model);
  }

  [[noreturn]] void refuse(const std::string& what) const {
    throw std::runtime_error("TensorFlow Lite: " + what + ": " + messages);
  }
};

TfliteModel::TfliteModel(std::string file) : state_(std::make_unique<State>()) {
  State& s = *state_;
  s.file = std::move(file);
  s.model = s.api.model_create(s.file.data(), s.file.size());
  if (s.model == nullptr) s.refuse("is no model");
  s.options = s.api.options_create();
  s.api.options_set_threads(s.options, 1);
  s.api.options_set_reporter(s.options, report, &s.messages);
  s.interpreter = s.api.interpreter_create(s.model, s.options);
  if (s.interpreter == nullptr) s.refuse("cannot make an interpreter");
  if (s.api.allocate(s.interpreter) != kOk) s.refuse("cannot allocate the tensors");
  if (s.api.input_count(s.interpreter) != 1) s.refuse("expected one input");
}

TfliteModel::~TfliteModel() = default;

std::vector<TfliteTensor> TfliteModel::run(const std::vector<int8_t>& input) {
  State& s = *state_;
  TfLiteTensor* to = s.api.input(s.interpreter, 0);
  if (s.api.type(to) != kInt8Type || s.api.bytes(to) != input.size()) {
    s.refuse("the input has " + std::to_string(s.api.bytes(to)) + " bytes, or is not int8");
  }
  std::copy(input.begin(), input.end(), static_cast<int8_t*>(s.api.data(to)));
  if (s.api.invoke(s.interpreter) != kOk) s.refuse("cannot run");
  std::vector<TfliteTensor> outputs;
  for (int32_t i = 0; i < s.api.output_count(s.interpreter); ++i) {
    const TfLiteTensor* from = s.api.output(s.interpreter, i);
    if (s.api.type(from) != kInt8Type) s.refuse("output " + std::to_string(i) + " is not int8");
    const auto [scale, zero_point] = s.api.quantization(from);
    const auto* values = static_cast<const int8_t*>(s.api.data(from));
    TfliteTensor& tensor = outputs.emplace_back();
    tensor.name = s.api.name(from);
    for (int32_t d = 0; d < s.api.dimensions(from); ++d) tensor.shape.push_back(s.api.dimension(from, d));
    tensor.scale = scale;
    tensor.zero_point = zero_point;
    tensor.values.assign(values, values + s.api.bytes(from));
  }
  return outputs;
}

}  // namespace tinynas
