// Kernels one by one on emulated cores: instructions per MAC of a network of one operator, its call included.
// The keys are a contract (design.md, section 7).
#include <CLI/CLI.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "graph/graph_builder.h"
#include "run_firmware.h"
#include "seeded_model.h"

namespace {

using namespace tinynas;

struct Layer {
  const char* name;
  bool depthwise;
  int side, in_c, out_c, kernel, stride;
};

// The layers that the peers were measured on (CMSIS-NN, TinyEngine).
constexpr Layer kLayers[] = {
    {"1x1 40x40x16->96", false, 40, 16, 96, 1, 1},       {"1x1 20x20x24->144", false, 20, 24, 144, 1, 1},
    {"1x1 40x40x96->16", false, 40, 96, 16, 1, 1},       {"1x1 20x20x144->24", false, 20, 144, 24, 1, 1},
    {"1x1 10x10x160->80", false, 10, 160, 80, 1, 1},     {"1x1 5x5x240->160", false, 5, 240, 160, 1, 1},
    {"dw3x3 s1 40x40x96", true, 40, 96, 96, 3, 1},       {"dw3x3 s2 40x40x96", true, 40, 96, 96, 3, 2},
    {"dw5x5 s1 20x20x96", true, 20, 96, 96, 5, 1},       {"dw5x5 s2 20x20x96", true, 20, 96, 96, 5, 2},
    {"dw7x7 s1 20x20x96", true, 20, 96, 96, 7, 1},       {"dw7x7 s2 20x20x96", true, 20, 96, 96, 7, 2},
    {"conv3x3 s2 80x80x3->16", false, 80, 3, 16, 3, 2},  {"conv3x3 s1 40x40x16->16", false, 40, 16, 16, 3, 1},
    {"conv3x3 s1 20x20x32->32", false, 20, 32, 32, 3, 1}};

Graph graph_of(const Layer& layer) {
  Graph graph;
  graph.name = layer.name;
  GraphBuilder builder(graph, Names::kFull, 1);
  graph.input = builder.input({layer.side, layer.side, layer.in_c});
  graph.output = layer.depthwise
                     ? builder.depthwise("op", graph.input, layer.kernel, layer.stride, Activation::kRelu6)
                     : builder.conv("op", graph.input, layer.out_c, layer.kernel, layer.kernel, layer.stride,
                                    layer.stride, Activation::kRelu6);
  graph.check();
  return graph;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Kernels on emulated cores (QEMU counts instructions, never cycles); every output is compared with the "
      "interpreter's");
  bool json = false;
  uint64_t seed = 1;
  std::vector<std::string> cores = {"cortex-m4", "cortex-m7", "cortex-m55"};
  app.add_flag("--json", json, "one JSON object on standard output");
  app.add_option("--core", cores, "cortex-m4, cortex-m7, cortex-m33, cortex-m55, cortex-m0plus")
      ->capture_default_str();
  app.add_option("--seed", seed, "of weights and input")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    nlohmann::json rows = nlohmann::json::array();
    if (!json)
      std::printf("%-26s %-12s %-9s %10s %10s %10s\n", "kernel", "core", "variant", "MACs", "insns",
                  "insn/MAC");
    for (const std::string& core : cores) {
      for (const Layer& layer : kLayers) {
        const Graph graph = graph_of(layer);
        const FirmwareRun firmware = run_firmware(seeded_model(graph, seed), core, seed);
        const auto insns = static_cast<double>(firmware.run.instructions.at(0));
        const auto layer_macs = static_cast<double>(macs(graph));
        rows.push_back({{"kernel", layer.name},
                        {"core", core},
                        {"variant", name_of(firmware.variant)},
                        {"macs", macs(graph)},
                        {"insns", firmware.run.instructions.at(0)},
                        {"insn_per_mac", insns / layer_macs}});
        if (!json) {
          std::printf("%-26s %-12s %-9s %10.0f %10.0f %10.3f\n", layer.name, core.c_str(),
                      name_of(firmware.variant), layer_macs, insns, insns / layer_macs);
        }
      }
    }
    if (json) std::printf("%s\n", nlohmann::json{{"rows", rows}, {"seed", seed}}.dump(2).c_str());
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return static_cast<int>(error.code());
  }
  return 0;
}
