#include "quantize/float_model.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "quantize/safetensors.h"

namespace tinynas {
namespace {

using nlohmann::json;

constexpr const char* kFormat = "tinynas-float-1";

std::vector<int64_t> weight_shape(const Graph& graph, const Op& op) {
  const Shape& in = graph.tensor(op.inputs[0]).shape;
  const Shape& out = graph.tensor(op.output).shape;
  switch (op.kind) {
    case OpKind::kConv2d:
      return {out.c, op.kernel_h, op.kernel_w, in.c};
    case OpKind::kDepthwiseConv2d:
      return {op.kernel_h, op.kernel_w, out.c};
    case OpKind::kFullyConnected:
      return {out.c, in.elements()};
    default:
      return {};
  }
}

void check_values(const Op& op, const char* what, const std::vector<float>& values, int64_t expected) {
  if (static_cast<int64_t>(values.size()) != expected) {
    throw usage_error("operator '" + op.name + "': expected " + std::to_string(expected) + " " + what +
                      ", got " + std::to_string(values.size()));
  }
  for (const float value : values) {
    if (!std::isfinite(value)) {
      throw usage_error("operator '" + op.name + "': one of its " + what + " is not a finite number");
    }
  }
}

}  // namespace

void FloatModel::check() const {
  graph.check();
  for (const Op& op : graph.ops) {
    if (!op.has_weights()) continue;
    const auto found = weights.find(op.name);
    if (found == weights.end()) throw usage_error("operator '" + op.name + "': it has no weights");
    check_values(op, "weights", found->second.weights, weight_count(graph, op));
    check_values(op, "biases", found->second.bias, bias_count(graph, op));
  }
}

void save_float_model(const FloatModel& model, const std::filesystem::path& path) {
  model.check();
  Safetensors file;
  file.metadata["format"] = kFormat;
  file.metadata["graph"] = to_json(model.graph).dump();
  file.metadata["class_names"] = json(model.class_names).dump();
  for (const Op& op : model.graph.ops) {
    if (!op.has_weights()) continue;
    const FloatWeights& weights = model.weights.at(op.name);
    file.put_floats(op.name + ".weight", weight_shape(model.graph, op), weights.weights.data());
    file.put_floats(op.name + ".bias", {static_cast<int64_t>(weights.bias.size())}, weights.bias.data());
  }
  save_safetensors(file, path);
}

FloatModel load_float_model(const std::filesystem::path& path) {
  const Safetensors file = load_safetensors(path);
  const auto metadata = [&](const std::string& key) {
    const auto found = file.metadata.find(key);
    if (found == file.metadata.end()) throw data_error(path.string() + ": metadata '" + key + "' is missing");
    return found->second;
  };
  if (const std::string format = metadata("format"); format != kFormat) {
    throw data_error(path.string() + ": metadata 'format': expected " + kFormat + ", got '" + format + "'");
  }
  try {
    FloatModel model;
    model.graph = graph_from_json(json::parse(metadata("graph")), "metadata 'graph'");
    model.class_names = json::parse(metadata("class_names")).get<std::vector<std::string>>();
    for (const Op& op : model.graph.ops) {
      if (!op.has_weights()) continue;
      model.weights[op.name] = {file.floats(op.name + ".weight", weight_count(model.graph, op)),
                                file.floats(op.name + ".bias", bias_count(model.graph, op))};
    }
    model.check();
    return model;
  } catch (const json::exception& error) {
    throw data_error(path.string() + ": " + error.what());
  } catch (const Error& error) {
    throw data_error(path.string() + ": " + error.what());
  }
}

}  // namespace tinynas
