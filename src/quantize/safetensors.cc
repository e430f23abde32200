#include "quantize/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"

namespace tinynas {
namespace {

static_assert(std::endian::native == std::endian::little, "tensors are copied as little-endian bytes");

using nlohmann::json;

constexpr uint64_t kLengthBytes = 8;
constexpr uint64_t kMaxHeaderBytes = 100'000'000;  // the reference implementation's limit

// Bytes of one element; 0 for a dtype that the format does not know.
int64_t element_bytes(const std::string& dtype) {
  static const std::map<std::string, int64_t> kBytes = {
      {"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"F8_E5M2", 1}, {"F8_E4M3", 1}, {"I16", 2}, {"U16", 2}, {"F16", 2},
      {"BF16", 2}, {"I32", 4}, {"U32", 4}, {"F32", 4},     {"F64", 8},     {"I64", 8}, {"U64", 8}};
  const auto found = kBytes.find(dtype);
  return found == kBytes.end() ? 0 : found->second;
}

std::string shape_text(const std::vector<int64_t>& shape) { return json(shape).dump(); }

// Bytes that dtype and shape ask for; -1 when the shape is negative or the product is above `limit`.
int64_t expected_bytes(const NamedTensor& tensor, int64_t limit) {
  int64_t bytes = element_bytes(tensor.dtype);
  for (const int64_t side : tensor.shape) {
    if (side < 0) return -1;
    if (side > 0 && bytes > limit / side) return -1;
    bytes *= side;
  }
  return bytes;
}

struct Extent {
  uint64_t begin = 0;
  uint64_t end = 0;
  std::string name;
};

uint64_t unsigned_number(const json& value, const std::string& what) {
  if (!value.is_number_unsigned())
    throw data_error(what + ": expected a non-negative integer, got " + value.dump());
  return value.get<uint64_t>();
}

// One entry of the header, checked against a data part of `data_bytes` bytes.
Extent parse_entry(const std::string& name, const json& entry, uint64_t data_bytes, const std::string& where,
                   NamedTensor& tensor) {
  const std::string what = where + ": tensor '" + name + "'";
  if (!entry.is_object()) throw data_error(what + ": expected an object, got " + entry.dump());
  for (const char* key : {"dtype", "shape", "data_offsets"}) {
    if (!entry.contains(key)) throw data_error(what + ": '" + key + "' is missing");
  }
  if (!entry["dtype"].is_string() || element_bytes(entry["dtype"].get<std::string>()) == 0) {
    throw data_error(what + ": unknown dtype " + entry["dtype"].dump());
  }
  tensor.dtype = entry["dtype"].get<std::string>();
  if (!entry["shape"].is_array())
    throw data_error(what + ": shape: expected a list, got " + entry["shape"].dump());
  for (const json& side : entry["shape"]) {
    const uint64_t value = unsigned_number(side, what + ": shape");
    if (value > static_cast<uint64_t>(INT64_MAX))
      throw data_error(what + ": shape: too large: " + side.dump());
    tensor.shape.push_back(static_cast<int64_t>(value));
  }
  const json& offsets = entry["data_offsets"];
  if (!offsets.is_array() || offsets.size() != 2) {
    throw data_error(what + ": data_offsets: expected [begin, end], got " + offsets.dump());
  }
  const Extent extent{unsigned_number(offsets[0], what + ": data_offsets"),
                      unsigned_number(offsets[1], what + ": data_offsets"), name};
  if (extent.begin > extent.end || extent.end > data_bytes) {
    throw data_error(what + ": data_offsets " + offsets.dump() + " are not inside the " +
                     std::to_string(data_bytes) + " bytes of data");
  }
  const int64_t expected = expected_bytes(tensor, static_cast<int64_t>(data_bytes));
  if (expected < 0 || static_cast<uint64_t>(expected) != extent.end - extent.begin) {
    throw data_error(what + ": data_offsets hold " + std::to_string(extent.end - extent.begin) +
                     " bytes, which does not agree with " + tensor.dtype + " " + shape_text(tensor.shape));
  }
  return extent;
}

// The format allows neither overlaps nor holes: every byte belongs to exactly one tensor.
void check_cover(std::vector<Extent> extents, uint64_t data_bytes, const std::string& where) {
  std::sort(extents.begin(), extents.end(), [](const Extent& a, const Extent& b) {
    return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
  });
  uint64_t covered = 0;
  for (const Extent& extent : extents) {
    if (extent.begin != covered) {
      throw data_error(where + ": tensor '" + extent.name + "' starts at byte " +
                       std::to_string(extent.begin) +
                       (extent.begin < covered ? ": it overlaps the tensor before it, which ends at "
                                               : ": a hole follows the tensor before it, which ends at ") +
                       std::to_string(covered));
    }
    covered = extent.end;
  }
  if (covered != data_bytes) {
    throw data_error(where + ": " + std::to_string(data_bytes - covered) +
                     " bytes at the end belong to no tensor");
  }
}

}  // namespace

void Safetensors::put_floats(const std::string& name, std::vector<int64_t> shape, const float* values) {
  NamedTensor tensor;
  tensor.shape = std::move(shape);
  const int64_t bytes = expected_bytes(tensor, INT64_MAX);
  if (bytes < 0) throw usage_error("tensor '" + name + "': impossible shape " + shape_text(tensor.shape));
  tensor.bytes.resize(static_cast<size_t>(bytes));
  if (bytes > 0) std::memcpy(tensor.bytes.data(), values, tensor.bytes.size());
  tensors[name] = std::move(tensor);
}

std::vector<float> Safetensors::floats(const std::string& name, int64_t expected_count) const {
  const auto found = tensors.find(name);
  if (found == tensors.end()) throw data_error("tensor '" + name + "' is missing");
  const NamedTensor& tensor = found->second;
  if (tensor.dtype != "F32") throw data_error("tensor '" + name + "': expected F32, got " + tensor.dtype);
  std::vector<float> values(tensor.bytes.size() / sizeof(float));
  if (static_cast<int64_t>(values.size()) != expected_count) {
    throw data_error("tensor '" + name + "': expected " + std::to_string(expected_count) + " values, got " +
                     std::to_string(values.size()) + " of shape " + shape_text(tensor.shape));
  }
  if (!values.empty()) std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
  return values;
}

void save_safetensors(const Safetensors& file, const std::filesystem::path& path) {
  // Wide elements first keeps every tensor aligned to its element, as the format's own writer does.
  std::vector<std::pair<std::string, const NamedTensor*>> order;
  for (const auto& [name, tensor] : file.tensors) {
    const int64_t expected = expected_bytes(tensor, INT64_MAX);
    if (element_bytes(tensor.dtype) == 0 || expected != static_cast<int64_t>(tensor.bytes.size())) {
      throw usage_error(path.string() + ": tensor '" + name + "': " + std::to_string(tensor.bytes.size()) +
                        " bytes do not agree with " + tensor.dtype + " " + shape_text(tensor.shape));
    }
    order.emplace_back(name, &tensor);
  }
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return element_bytes(a.second->dtype) > element_bytes(b.second->dtype);
  });

  json header = json::object();
  if (!file.metadata.empty()) header["__metadata__"] = file.metadata;
  uint64_t data_bytes = 0;
  for (const auto& [name, tensor] : order) {
    header[name] = {{"dtype", tensor->dtype},
                    {"shape", tensor->shape},
                    {"data_offsets", {data_bytes, data_bytes + tensor->bytes.size()}}};
    data_bytes += tensor->bytes.size();
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');

  std::string content(kLengthBytes, '\0');
  const uint64_t header_bytes = text.size();
  std::memcpy(content.data(), &header_bytes, kLengthBytes);
  content.reserve(kLengthBytes + header_bytes + data_bytes);
  content += text;
  for (const auto& [name, tensor] : order) content.append(tensor->bytes.begin(), tensor->bytes.end());
  write_file_atomic(path, content);
}

Safetensors parse_safetensors(const std::string& bytes, const std::string& where) {
  if (bytes.size() < kLengthBytes) {
    throw data_error(where + ": not a safetensors file: " + std::to_string(bytes.size()) + " bytes");
  }
  uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, bytes.data(), kLengthBytes);
  if (header_bytes > kMaxHeaderBytes || header_bytes > bytes.size() - kLengthBytes) {
    throw data_error(where + ": not a safetensors file, or cut short: its header claims " +
                     std::to_string(header_bytes) + " bytes, the file has " + std::to_string(bytes.size()));
  }
  const char* text = bytes.data() + kLengthBytes;
  const json header = json::parse(text, text + header_bytes, nullptr, /*allow_exceptions=*/false);
  if (!header.is_object()) throw data_error(where + ": the safetensors header is not a JSON object");

  const char* data = text + header_bytes;
  const uint64_t data_bytes = bytes.size() - kLengthBytes - header_bytes;
  Safetensors file;
  std::vector<Extent> extents;
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") {
      if (!entry.is_object()) throw data_error(where + ": __metadata__ is not an object");
      for (const auto& [key, value] : entry.items()) {
        if (!value.is_string()) throw data_error(where + ": __metadata__: '" + key + "' is not a string");
        file.metadata[key] = value.get<std::string>();
      }
      continue;
    }
    NamedTensor tensor;
    const Extent extent = parse_entry(name, entry, data_bytes, where, tensor);
    tensor.bytes.assign(data + extent.begin, data + extent.end);
    extents.push_back(extent);
    file.tensors[name] = std::move(tensor);
  }
  check_cover(std::move(extents), data_bytes, where);
  return file;
}

Safetensors load_safetensors(const std::filesystem::path& path) {
  constexpr int64_t kMostBytes = 4096 * kMebibyte;
  return parse_safetensors(read_given_file(path, kMostBytes), path.string());
}

}  // namespace tinynas
