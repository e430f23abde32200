#include "graph/graph.h"

#include <unordered_set>

#include "base/error.h"
#include "graph/limits.h"

namespace tinynas {
namespace {

void check_tensors(const Graph& graph) {
  std::unordered_set<std::string> names;
  for (const Tensor& tensor : graph.tensors) {
    const Shape& s = tensor.shape;
    const auto in_range = [](int size) { return size >= 1 && size <= kMaxDimension; };
    if (!in_range(s.h) || !in_range(s.w) || !in_range(s.c) || s.elements() > kMaxElements) {
      throw usage_error("tensor \"" + tensor.name + "\": shape {" + std::to_string(s.h) + ", " +
                        std::to_string(s.w) + ", " + std::to_string(s.c) +
                        "} is out of range, expected 1 to " + std::to_string(kMaxDimension) +
                        " each and up to " + std::to_string(kMaxElements) + " values");
    }
    if (tensor.element_bytes < 1 || tensor.element_bytes > 8) {
      throw usage_error("tensor \"" + tensor.name + "\": element_bytes " +
                        std::to_string(tensor.element_bytes) + " is out of range, expected 1 to 8");
    }
    if (tensor.name.empty() || !names.insert(tensor.name).second) {
      throw usage_error("tensor \"" + tensor.name + "\": expected a name of its own");
    }
  }
}

}  // namespace

void Graph::check() const {
  check_tensors(*this);
  const auto known = [&](TensorId id) { return id >= 0 && id < static_cast<int>(tensors.size()); };
  if (!known(input) || !known(output))
    throw usage_error("graph \"" + name + "\": input or output is not a tensor");

  if (ops.empty()) throw usage_error("graph \"" + name + "\": has no operators");

  std::vector<bool> produced(tensors.size(), false);
  std::vector<bool> read(tensors.size(), false);
  produced[static_cast<size_t>(input)] = true;
  read[static_cast<size_t>(output)] = true;
  std::unordered_set<std::string> op_names;
  for (const Op& op : ops) {
    const auto fail = [&](const std::string& message) {
      throw usage_error("operator \"" + op.name + "\": " + message);
    };
    if (op.name.empty() || !op_names.insert(op.name).second) fail("expected a name of its own");
    std::vector<Shape> shapes;
    for (const TensorId id : op.inputs) {
      if (!known(id)) fail("input " + std::to_string(id) + " is not a tensor");
      if (!produced[static_cast<size_t>(id)]) fail("reads \"" + tensor(id).name + "\" before it is produced");
      read[static_cast<size_t>(id)] = true;
      shapes.push_back(tensor(id).shape);
    }
    if (!known(op.output)) fail("output " + std::to_string(op.output) + " is not a tensor");
    const Tensor& out = tensor(op.output);
    if (produced[static_cast<size_t>(op.output)]) fail("produces \"" + out.name + "\" a second time");
    produced[static_cast<size_t>(op.output)] = true;
    const Shape inferred = infer_shape(op, shapes, out.shape);
    if (!(inferred == out.shape)) {
      fail("its output \"" + out.name + "\" should have the shape {" + std::to_string(inferred.h) + ", " +
           std::to_string(inferred.w) + ", " + std::to_string(inferred.c) + "}");
    }
  }
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (!produced[i]) throw usage_error("tensor \"" + tensors[i].name + "\" is produced by no operator");
    if (!read[i]) throw usage_error("tensor \"" + tensors[i].name + "\" is read by no operator");
  }
}

}  // namespace tinynas
