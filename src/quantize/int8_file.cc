#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "quantize/int8_model.h"

namespace tinynas {
namespace {

using nlohmann::json;

constexpr const char* kFormat = "tinynas-int8-1";

std::filesystem::path data_path(std::filesystem::path json_path) {
  return json_path.replace_extension(".bin");
}

// ---- writing

json to_json(const FixedMultiplier& fixed) { return {fixed.multiplier, fixed.shift}; }

// Little endian whatever the host: the file is meant for other tools too.
void append(std::string& data, const std::vector<int32_t>& values) {
  for (const int32_t value : values) {
    for (int byte = 0; byte < 4; ++byte)
      data += static_cast<char>(static_cast<uint32_t>(value) >> (8 * byte));
  }
}

json op_to_json(const Op& op, const Int8Op& data, std::string& bytes) {
  json out = {{"name", op.name}, {"activation_range", {data.activation_min, data.activation_max}}};
  if (op.has_weights()) {
    out["weights"] = {{"offset", bytes.size()}, {"count", data.weights.size()}};
    bytes.append(data.weights.begin(), data.weights.end());
    out["bias"] = {{"offset", bytes.size()}, {"count", data.bias.size()}};
    append(bytes, data.bias);
    out["weight_scales"] = data.weight_scales;
    for (const FixedMultiplier& fixed : data.requant) out["requant"].push_back(to_json(fixed));
  } else if (op.kind == OpKind::kAdd) {
    out["add_input"] = {to_json(data.add_input[0]), to_json(data.add_input[1])};
    out["add_output"] = to_json(data.add_output);
  } else if (op.kind == OpKind::kGlobalAvgPool) {
    out["mean"] = to_json(data.mean);
  } else if (op.kind == OpKind::kSoftmax) {
    out["softmax_input"] = to_json(data.softmax_input);
    out["softmax_difference_min"] = data.softmax_difference_min;
  }
  return out;
}

// ---- reading: `where` names the file and the path inside its JSON

const json& field(const json& object, const std::string& key, const std::string& where) {
  if (!object.is_object() || !object.contains(key)) throw data_error(where + ": '" + key + "' is missing");
  return object[key];
}

const json& list(const json& object, const std::string& key, const std::string& where, size_t size) {
  const json& value = field(object, key, where);
  if (!value.is_array() || value.size() != size) {
    throw data_error(where + ": '" + key + "': expected a list of " + std::to_string(size));
  }
  return value;
}

int64_t integer(const json& value, const std::string& where, int64_t low, int64_t high) {
  const bool fits = value.is_number_unsigned() ? value.get<uint64_t>() <= static_cast<uint64_t>(INT64_MAX)
                                               : value.is_number_integer();
  if (!fits || value.get<int64_t>() < low || value.get<int64_t>() > high) {
    throw data_error(where + ": expected an integer in [" + std::to_string(low) + ", " +
                     std::to_string(high) + "], got " + value.dump());
  }
  return value.get<int64_t>();
}

int32_t int32(const json& value, const std::string& where) {
  return static_cast<int32_t>(integer(value, where, INT32_MIN, INT32_MAX));
}

float real(const json& value, const std::string& where) {
  if (!value.is_number() || std::abs(value.get<double>()) > std::numeric_limits<float>::max()) {
    throw data_error(where + ": expected a number, got " + value.dump());
  }
  return static_cast<float>(value.get<double>());
}

std::string text(const json& object, const std::string& key, const std::string& where) {
  const json& value = field(object, key, where);
  if (!value.is_string()) throw data_error(where + ": '" + key + "': expected text, got " + value.dump());
  return value.get<std::string>();
}

FixedMultiplier fixed(const json& value, const std::string& where) {
  if (!value.is_array() || value.size() != 2) {
    throw data_error(where + ": expected [multiplier, shift], got " + value.dump());
  }
  return {int32(value[0], where), int32(value[1], where)};
}

// The bytes of {"offset": .., "count": ..} values of `width` bytes.
std::string_view slice(const json& object, const std::string& key, const std::string& where, int64_t width,
                       int64_t expected_count, const std::string& bytes) {
  const std::string what = where + "." + key;
  const json& value = field(object, key, where);
  const auto size = static_cast<int64_t>(bytes.size());
  const int64_t offset = integer(field(value, "offset", what), what + ".offset", 0, size);
  const int64_t count = integer(field(value, "count", what), what + ".count", 0, size);
  if (count != expected_count) {
    throw data_error(what + ".count: expected " + std::to_string(expected_count) + ", got " +
                     std::to_string(count));
  }
  if (count * width > size - offset) {
    throw data_error(what + ": " + std::to_string(count * width) + " bytes at " + std::to_string(offset) +
                     " are not inside the " + std::to_string(size) + " bytes of data");
  }
  return std::string_view(bytes).substr(static_cast<size_t>(offset), static_cast<size_t>(count * width));
}

Int8Op op_from_json(const Graph& graph, const Op& op, const json& from, const std::string& bytes,
                    const std::string& where) {
  Int8Op out;
  if (const std::string name = text(from, "name", where); name != op.name) {
    throw data_error(where + ".name: expected '" + op.name + "', got '" + name + "'");
  }
  const json& range = list(from, "activation_range", where, 2);
  out.activation_min = int32(range[0], where + ".activation_range");
  out.activation_max = int32(range[1], where + ".activation_range");
  if (op.has_weights()) {
    const std::string_view weights = slice(from, "weights", where, 1, weight_count(graph, op), bytes);
    out.weights.assign(weights.begin(), weights.end());
    const std::string_view bias = slice(from, "bias", where, 4, bias_count(graph, op), bytes);
    for (size_t i = 0; i < bias.size(); i += 4) {
      uint32_t value = 0;
      for (size_t byte = 0; byte < 4; ++byte)
        value |= uint32_t{static_cast<uint8_t>(bias[i + byte])} << (8 * byte);
      out.bias.push_back(static_cast<int32_t>(value));
    }
    const size_t scales = op.kind == OpKind::kFullyConnected ? 1 : out.bias.size();
    for (const json& value : list(from, "weight_scales", where, scales)) {
      out.weight_scales.push_back(real(value, where + ".weight_scales"));
    }
    for (const json& value : list(from, "requant", where, scales)) {
      out.requant.push_back(fixed(value, where + ".requant"));
    }
  } else if (op.kind == OpKind::kAdd) {
    const json& inputs = list(from, "add_input", where, 2);
    for (size_t i = 0; i < 2; ++i) out.add_input[i] = fixed(inputs[i], where + ".add_input");
    out.add_output = fixed(field(from, "add_output", where), where + ".add_output");
  } else if (op.kind == OpKind::kGlobalAvgPool) {
    out.mean = fixed(field(from, "mean", where), where + ".mean");
  } else if (op.kind == OpKind::kSoftmax) {
    out.softmax_input = fixed(field(from, "softmax_input", where), where + ".softmax_input");
    out.softmax_difference_min =
        int32(field(from, "softmax_difference_min", where), where + ".softmax_difference_min");
  }
  return out;
}

// Flash of microcontrollers is some MiB; the tables of its channels are text.
constexpr int64_t kMostJsonBytes = 64 * kMebibyte;
constexpr int64_t kMostWeightBytes = 256 * kMebibyte;

Int8Model parse(const json& root, const std::string& bytes, const std::string& where) {
  if (const std::string format = text(root, "format", where); format != kFormat) {
    throw data_error(where + ": 'format': expected " + kFormat + ", got '" + format + "'");
  }
  const json& data = field(root, "data", where);
  if (const std::string hash = hash_hex(bytes); text(data, "xxh3_128", where + ": data") != hash) {
    throw data_error(where + ": data: the .bin file beside it is not the one it was written with");
  }
  Int8Model model;
  try {
    model.graph = graph_from_json(field(root, "graph", where), where + ": graph");
  } catch (const Error& error) {
    throw data_error(error.what());  // a graph that breaks its rules is bad data here, not bad usage
  }
  const json& names = field(root, "class_names", where);
  if (!names.is_array()) throw data_error(where + ": 'class_names': expected a list");
  for (const json& name : names) {
    if (!name.is_string()) throw data_error(where + ": 'class_names': expected text, got " + name.dump());
    model.class_names.push_back(name.get<std::string>());
  }
  for (const json& tensor : list(root, "tensors", where, model.graph.tensors.size())) {
    const std::string what = where + ": tensors[" + std::to_string(model.tensors.size()) + "]";
    model.tensors.push_back({real(field(tensor, "scale", what), what + ".scale"),
                             int32(field(tensor, "zero_point", what), what + ".zero_point")});
  }
  for (const json& op : list(root, "ops", where, model.graph.ops.size())) {
    const size_t index = model.ops.size();
    model.ops.push_back(op_from_json(model.graph, model.graph.ops[index], op, bytes,
                                     where + ": ops[" + std::to_string(index) + "]"));
  }
  return model;
}

}  // namespace

void save_int8_model(const Int8Model& model, const std::filesystem::path& json_path) {
  model.check();
  std::string bytes;
  json root = {
      {"format", kFormat}, {"graph", tinynas::to_json(model.graph)}, {"class_names", model.class_names}};
  for (size_t i = 0; i < model.tensors.size(); ++i) {
    root["tensors"].push_back({{"name", model.graph.tensors[i].name},
                               {"scale", model.tensors[i].scale},
                               {"zero_point", model.tensors[i].zero_point}});
  }
  for (size_t i = 0; i < model.ops.size(); ++i) {
    root["ops"].push_back(op_to_json(model.graph.ops[i], model.ops[i], bytes));
  }
  root["data"] = {{"file", data_path(json_path).filename().string()},
                  {"bytes", bytes.size()},
                  {"xxh3_128", hash_hex(bytes)}};
  // The data first: a JSON file always finds the data that it was written with, or says that it does not.
  write_file_atomic(data_path(json_path), bytes);
  write_file_atomic(json_path, root.dump(1) + "\n");
}

Int8Model load_int8_model(const std::filesystem::path& json_path) {
  const std::string where = json_path.string();
  const json root =
      json::parse(read_given_file(json_path, kMostJsonBytes), nullptr, /*allow_exceptions=*/false);
  if (root.is_discarded()) throw data_error(where + ": not JSON");
  Int8Model model = parse(root, read_given_file(data_path(json_path), kMostWeightBytes), where);
  try {
    model.check();
  } catch (const Error& error) {
    throw data_error(where + ": " + error.what());
  }
  return model;
}

}  // namespace tinynas
