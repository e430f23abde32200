// Whole networks as firmware on emulated cores: instructions of one inference, RAM and Flash as linked. The
// keys are a contract (design.md, section 7).
#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "graph/network_file.h"
#include "run_firmware.h"
#include "seeded_model.h"
#include "tflite/tflite.h"

namespace {

using namespace tinynas;

struct Options {
  bool json = false;
  std::vector<std::string> networks = {"person-detection", "resnet-ic", "dscnn-kws", "mcunet-320k"};
  std::vector<std::string> cores = {"cortex-m4"};
  std::vector<std::string> schedules = {"layer", "stream"};
  std::string folder = "tests/networks";
  std::string write;  // folder for the networks as .tflite files; empty: measure them
  uint64_t seed = 1;
};

// The networks themselves, for `tinynas compile` and for other runtimes.
void write_networks(const Options& options) {
  std::filesystem::create_directories(options.write);
  for (const std::string& network : options.networks) {
    const Graph graph = load_network(options.folder + "/" + network + ".json").graph;
    const std::string file = options.write + "/" + network + ".tflite";
    save_tflite(seeded_model(graph, options.seed), file);
    std::printf("%s\n", file.c_str());
  }
}

nlohmann::json measure(const std::string& network, const std::string& core, const std::string& schedule,
                       const Options& options) {
  const Graph graph = load_network(options.folder + "/" + network + ".json").graph;
  const FirmwareRun firmware = run_firmware(seeded_model(graph, options.seed), core, options.seed,
                                            schedule_from_name(schedule, "--schedule"));
  const LinkedSize& linked = firmware.run.linked;
  return {{"network", network},
          {"core", core},
          {"variant", name_of(firmware.variant)},
          {"schedule", schedule},
          {"macs", macs(graph)},
          {"insns", firmware.run.instructions.at(0)},
          {"arena_bytes", linked.arena_bytes},
          {"stack_bytes", firmware.run.stack_bytes},
          {"ram_bytes", linked.arena_bytes + linked.data_bss_bytes + firmware.run.stack_bytes},
          {"weights_bytes", linked.weights_tables_bytes},
          {"code_bytes", linked.code_bytes},
          {"flash_bytes", linked.weights_tables_bytes + linked.code_bytes}};
}

void print_row(const nlohmann::json& row) {
  const auto number = [&](const char* key) { return static_cast<long long>(row[key].get<int64_t>()); };
  std::printf("%-18s %-12s %-9s %-8s %8.2f %8.2f %6.2f %9lld %7lld %9lld %9lld %8lld\n",
              row["network"].get<std::string>().c_str(), row["core"].get<std::string>().c_str(),
              row["variant"].get<std::string>().c_str(), row["schedule"].get<std::string>().c_str(),
              1e-6 * row["macs"].get<double>(), 1e-6 * row["insns"].get<double>(),
              row["insns"].get<double>() / row["macs"].get<double>(), number("arena_bytes"),
              number("stack_bytes"), number("ram_bytes"), number("weights_bytes"), number("code_bytes"));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Networks as firmware on emulated cores (QEMU counts instructions, never cycles); every output is "
      "compared with the "
      "interpreter's");
  Options options;
  app.add_flag("--json", options.json, "one JSON object on standard output");
  app.add_option("--network", options.networks, "names of files in --folder")->capture_default_str();
  app.add_option("--core", options.cores, "cortex-m4, cortex-m7, cortex-m33, cortex-m55, cortex-m0plus")
      ->capture_default_str();
  app.add_option("--schedule", options.schedules, "layer, stream (input resident, nothing recomputed)")
      ->capture_default_str();
  app.add_option("--folder", options.folder, "network files")->capture_default_str();
  app.add_option("--seed", options.seed, "of weights and input")->capture_default_str();
  app.add_option("--write", options.write, "write the networks there as .tflite files, and measure nothing");
  CLI11_PARSE(app, argc, argv);
  try {
    if (!options.write.empty()) {
      write_networks(options);
      return 0;
    }
    nlohmann::json rows = nlohmann::json::array();
    if (!options.json) {
      std::printf("%-18s %-12s %-9s %-8s %8s %8s %6s %9s %7s %9s %9s %8s\n", "network", "core", "variant",
                  "schedule", "M MACs", "M insns", "a MAC", "arena", "stack", "RAM", "weights", "code");
    }
    for (const std::string& core : options.cores) {
      for (const std::string& network : options.networks) {
        for (const std::string& schedule : options.schedules) {
          rows.push_back(measure(network, core, schedule, options));
          if (!options.json) print_row(rows.back());
        }
      }
    }
    if (options.json)
      std::printf("%s\n", nlohmann::json{{"rows", rows}, {"seed", options.seed}}.dump(2).c_str());
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return static_cast<int>(error.code());
  }
  return 0;
}
