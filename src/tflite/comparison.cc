#include "tflite/comparison.h"

#include <flatbuffers/flatbuffers.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "base/error.h"
#include "base/interrupt.h"
#include "quantize/interpreter.h"
#include "tflite/library.h"
#include "tflite/tflite.h"

namespace tinynas {
namespace {

using flatbuffers::Offset;
using flatbuffers::Table;
using flatbuffers::Vector;

// Fields of TensorFlow Lite's schema.
const auto kModelSubgraphs = flatbuffers::FieldIndexToOffset(2);
const auto kSubgraphOutputs = flatbuffers::FieldIndexToOffset(2);
const auto kSubgraphOperators = flatbuffers::FieldIndexToOffset(3);
const auto kOperatorOutputs = flatbuffers::FieldIndexToOffset(2);

// By TensorId of the model's graph; the file may have more (a PAD's output, a RESHAPE's).
std::vector<std::vector<int8_t>> tensors_of(const Int8Model& model, const std::vector<int8_t>& input,
                                            std::vector<TfliteTensor> theirs, const std::string& where) {
  const Graph& graph = model.graph;
  std::vector<std::vector<int8_t>> tensors(graph.tensors.size());
  tensors[static_cast<size_t>(graph.input)] = input;
  for (size_t id = 0; id < tensors.size(); ++id) {
    if (static_cast<TensorId>(id) == graph.input) continue;
    const auto found = std::find_if(theirs.begin(), theirs.end(), [&](const TfliteTensor& tensor) {
      return tensor.name == graph.tensors[id].name;
    });
    const bool same = found != theirs.end() && found->scale == model.tensors[id].scale &&
                      found->zero_point == model.tensors[id].zero_point &&
                      static_cast<int64_t>(found->values.size()) == graph.tensors[id].shape.elements();
    if (!same) {
      throw Error(ExitCode::kVerification, where + ": tensor '" + graph.tensors[id].name +
                                               "' is not in TensorFlow Lite, or has another shape or scale");
    }
    tensors[id] = std::move(found->values);
  }
  return tensors;
}

void compare(const Int8Model& model, Interpreter& interpreter,
             const std::vector<std::vector<int8_t>>& tensors, std::map<OpKind, ValueDistances>& kinds) {
  for (size_t i = 0; i < model.graph.ops.size(); ++i) {
    const Op& op = model.graph.ops[i];
    std::vector<const int8_t*> inputs;
    for (const TensorId id : op.inputs) inputs.push_back(tensors[static_cast<size_t>(id)].data());
    const std::vector<int8_t>& ours = interpreter.run_operator(i, inputs);
    const std::vector<int8_t>& theirs = tensors[static_cast<size_t>(op.output)];
    ValueDistances& distances = kinds[op.kind];
    for (size_t v = 0; v < ours.size(); ++v) {
      const int distance = std::abs(ours[v] - theirs[v]);
      ++(distance == 0 ? distances.equal : distance == 1 ? distances.by_one : distances.further);
    }
  }
}

}  // namespace

int64_t allowed_distance(OpKind kind) {
  return kind == OpKind::kConv2d || kind == OpKind::kFullyConnected || kind == OpKind::kSoftmax ? 1 : 0;
}

bool TfliteComparison::passed() const {
  return std::all_of(kinds.begin(), kinds.end(), [](const auto& entry) {
    const auto& [kind, distances] = entry;
    return distances.further == 0 && (distances.by_one == 0 || allowed_distance(kind) == 1);
  });
}

std::string TfliteComparison::text() const {
  std::string text;
  for (const auto& [kind, distances] : kinds) {
    const int64_t all = distances.equal + distances.by_one + distances.further;
    text += (text.empty() ? "" : "; ") + std::string(name_of(kind)) + " (" +
            std::to_string(distances.operators) + "): " + std::to_string(distances.equal) + " of " +
            std::to_string(all) + " values equal";
    if (distances.by_one > 0) text += ", " + std::to_string(distances.by_one) + " off by one";
    if (distances.further > 0) text += ", " + std::to_string(distances.further) + " off by more";
  }
  return text;
}

std::string with_all_outputs(std::string file) {
  const Table* root = flatbuffers::GetRoot<Table>(file.data());
  const Table* graph = root->GetPointer<const Vector<Offset<Table>>*>(kModelSubgraphs)->Get(0);
  std::vector<uint32_t> list{0};  // its length, and the tensors
  for (const Table* op : *graph->GetPointer<const Vector<Offset<Table>>*>(kSubgraphOperators)) {
    for (const int32_t id : *op->GetPointer<const Vector<int32_t>*>(kOperatorOutputs)) {
      list.push_back(static_cast<uint32_t>(id));
      ++list[0];
    }
  }
  // A longer vector does not fit where the old one is: it goes to the end, and the field points there.
  const auto* reference =
      reinterpret_cast<const char*>(graph) + graph->GetOptionalFieldOffset(kSubgraphOutputs);
  const auto at = static_cast<size_t>(reference - file.data());
  file.resize((file.size() + 3) / 4 * 4);
  const auto distance = static_cast<uint32_t>(file.size() - at);
  std::memcpy(file.data() + at, &distance, sizeof distance);
  file.append(reinterpret_cast<const char*>(list.data()), list.size() * sizeof(uint32_t));
  return file;
}

TfliteComparison compare_with_tflite(std::string_view file, const std::string& where,
                                     const std::vector<std::vector<int8_t>>& inputs) {
  std::string reason;
  if (!tflite_version(reason)) throw io_error("no TensorFlow Lite: " + reason);
  const Int8Model model = read_tflite(file, where).model;
  TfliteComparison comparison;
  for (const Op& op : model.graph.ops) ++comparison.kinds[op.kind].operators;
  Interpreter ours(model);
  try {
    TfliteModel theirs(with_all_outputs(std::string(file)));
    for (const std::vector<int8_t>& input : inputs) {
      check_interrupt();
      compare(model, ours, tensors_of(model, input, theirs.run(input), where), comparison.kinds);
    }
  } catch (const Error&) {
    throw;
  } catch (const std::runtime_error& error) {
    throw Error(ExitCode::kVerification, where + ": " + error.what());
  }
  return comparison;
}

}  // namespace tinynas
