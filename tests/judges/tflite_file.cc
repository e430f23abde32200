#include "tflite_file.h"

#include <flatbuffers/flatbuffers.h>

#include <cstring>
#include <vector>

#include "tflite/tflite.h"

namespace tinynas::judges {
namespace {

using flatbuffers::Offset;
using flatbuffers::Table;
using flatbuffers::Vector;

// Fields of TensorFlow Lite's schema.
const auto kModelSubgraphs = flatbuffers::FieldIndexToOffset(2);
const auto kSubgraphOutputs = flatbuffers::FieldIndexToOffset(2);
const auto kSubgraphOperators = flatbuffers::FieldIndexToOffset(3);
const auto kOperatorOutputs = flatbuffers::FieldIndexToOffset(2);

}  // namespace

std::string all_outputs_file(const Int8Model& model) {
  std::string file = tflite_bytes(model);
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

}  // namespace tinynas::judges
