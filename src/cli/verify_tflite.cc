#include "cli/verify_tflite.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/files.h"
#include "quantize/interpreter.h"
#include "tflite/comparison.h"
#include "tflite/library.h"
#include "tflite/tflite.h"

namespace tinynas {
namespace {

int64_t differing_outputs(const Int8Model& model, const ReferenceRuns& reference) {
  const auto input_values = static_cast<size_t>(model.graph.tensor(model.graph.input).shape.elements());
  Interpreter interpreter(model);
  int64_t differing = 0;
  for (size_t i = 0; i < reference.inputs.size(); ++i) {
    differing += reference.inputs[i].size() != input_values ||
                 interpreter.run(reference.inputs[i].data()) != reference.outputs[i];
  }
  return differing;
}

// Fails the result or leaves it skipped: for this TensorFlow Lite is not needed.
void check_network(const std::filesystem::path& file, const ReferenceRuns& reference, TargetResult& result) {
  const std::string where = file.string();
  if (const int64_t differing = differing_outputs(load_tflite(file).model, reference); differing > 0) {
    result.outcome = Outcome::kFailed;
    result.note = fmt::format("{}: {} of {} outputs are not the interpreter's: it is another network", where,
                              differing, reference.inputs.size());
  }
}

void compare(const std::filesystem::path& file, const std::string& version, const ReferenceRuns& reference,
             TargetResult& result) {
  const TfliteComparison comparison = compare_with_tflite(read_file(file), file.string(), reference.inputs);
  result.outcome = comparison.passed() ? Outcome::kPassed : Outcome::kFailed;
  result.runs = static_cast<int64_t>(reference.inputs.size());
  result.note = fmt::format(
      "{}, operator by operator (convolutions, fully connected and softmax may be off by one): {}", version,
      comparison.text());
}

}  // namespace

TargetResult verify_tflite(const std::filesystem::path& package, const ReferenceRuns& reference) {
  TargetResult result;
  result.target = "TensorFlow Lite";
  result.outcome = Outcome::kSkipped;
  const std::filesystem::path file = package / "model.tflite";
  if (!std::filesystem::exists(file)) {
    result.note = "the package has no model.tflite";
    return result;
  }
  try {
    check_network(file, reference, result);
    if (result.outcome == Outcome::kFailed) return result;
    std::string reason;
    const std::optional<std::string> version = tflite_version(reason);
    if (!version) {
      result.note = reason + " (tools/fetch_tflite brings it, or set TINYNAS_TFLITE_LIBRARY)";
      return result;
    }
    compare(file, *version, reference, result);
  } catch (const Error& error) {
    if (error.code() != ExitCode::kVerification && error.code() != ExitCode::kData) throw;
    result.outcome = Outcome::kFailed;
    result.note = error.what();
  }
  return result;
}

}  // namespace tinynas
