#include "graph/network_file.h"

#include "base/error.h"
#include "base/files.h"
#include "base/json_text.h"
#include "graph/limits.h"
#include "graph/lower.h"
#include "graph/ofa_json.h"

namespace tinynas {
namespace {

BlockNetwork network_of_arch(const nlohmann::json& json, const std::string& where,
                             std::optional<int> resolution) {
  const ArchitectureFile file = architecture_from_json(json, where);
  BlockNetwork network = network_of(file.space, file.architecture, file.num_classes);
  network.name = encode(file.architecture);
  if (!resolution) return network;
  if (network.input.h != network.input.w)
    throw usage_error(where + ": --resolution: got " + std::to_string(*resolution) +
                      ", but the network's input is not square");
  network.input.h = network.input.w = *resolution;
  return network;
}

bool is_graph(const nlohmann::json& json) {
  return json.is_object() && json.contains("ops") && json.contains("tensors");
}

NetworkFile read_network(const nlohmann::json& json, const std::string& where,
                         std::optional<int> resolution) {
  NetworkFile file;
  if (is_ofa_json(json)) {
    file.format = "MCUNet / Once-for-All network file";
    file.blocks = network_from_ofa_json(json, where, resolution);
  } else if (json.is_object() && json.contains("stages") && json.contains("space")) {
    file.format = "tinynas arch.json";
    file.blocks = network_of_arch(json, where, resolution);
  } else if (is_graph(json) || (json.is_object() && json.contains("graph") && is_graph(json["graph"]))) {
    if (resolution) throw usage_error(where + ": --resolution: the shapes of a file of operators are fixed");
    file.format = "tinynas graph";
    file.graph =
        is_graph(json) ? graph_from_json(json, where) : graph_from_json(json["graph"], where + ": graph");
  } else {
    throw usage_error(
        where +
        ": is no network that tinynas reads; expected an arch.json of ours (with space and stages), a "
        "network "
        "file of MCUNet or Once-for-All (with first_conv, blocks and classifier), or a graph (with tensors "
        "and ops)");
  }
  return file;
}

}  // namespace

// Networks of thousands of operators have some hundred KiB; a model.int8.json has the tables of its channels
// too.
constexpr int64_t kMostBytes = 64 * kMebibyte;

NetworkFile load_network(const std::filesystem::path& path, std::optional<int> resolution) {
  const std::string where = path.string();
  if (std::filesystem::is_directory(path))
    throw usage_error(where + ": is a folder, expected a network file (arch.json in a run directory)");
  if (resolution && (*resolution < 1 || *resolution > kMaxDimension)) {
    throw usage_error("--resolution: got " + std::to_string(*resolution) + ", expected 1 to " +
                      std::to_string(kMaxDimension));
  }
  NetworkFile file =
      read_network(parse_json(read_given_file(path, kMostBytes, ExitCode::kUsage), where), where, resolution);
  try {
    if (file.blocks) file.graph = lower(*file.blocks);
    file.graph.check();
  } catch (const Error& error) {
    throw Error(error.code(), where + ": " + error.what());
  }
  return file;
}

}  // namespace tinynas
