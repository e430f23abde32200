// load_network(): arch.json, MCUNet's and Once-for-All's files, graphs. Whatever it takes must be sound and
// come back from its own JSON.
#include <cstdlib>

#include "base/error.h"
#include "graph/network_file.h"
#include "scratch_file.h"

using namespace tinynas;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const fuzz::ScratchFile file(".json");
  file.write(fuzz::text(data, size));
  NetworkFile network;
  try {
    network = load_network(file.path());
  } catch (const Error&) {
    return 0;
  }
  network.graph.check();
  const nlohmann::json json = to_json(network.graph);
  if (to_json(graph_from_json(json, "again")) != json) std::abort();
  if (macs(network.graph) < 0 || params(network.graph) < 0) std::abort();
  return 0;
}
