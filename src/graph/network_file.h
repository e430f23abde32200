// Network files of every kind that we read, as one graph.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "graph/block_network.h"

namespace tinynas {

struct NetworkFile {
  std::string format;                  // for people: "tinynas arch.json"
  Graph graph;                         // with names; passes check()
  std::optional<BlockNetwork> blocks;  // what `graph` was lowered from; none for a file of operators
};

// arch.json, the network files of MCUNet and Once-for-All (ofa_json.h), or a graph as JSON (also inside a
// model.int8.json). `resolution`: rows of a square input instead of the file's; needed where the file has
// none. Throws Error(kUsage) naming the file and the path inside it, Error(kFailure) when the file cannot be
// read.
NetworkFile load_network(const std::filesystem::path& path, std::optional<int> resolution = std::nullopt);

}  // namespace tinynas
