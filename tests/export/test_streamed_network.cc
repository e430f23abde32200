// A network of the literature that layer by layer needs twice the SRAM that there is.
#include <catch2/catch.hpp>
#include <iostream>

#include "cost_models/best_schedule.h"
#include "export/emulator.h"
#include "graph/network_file.h"
#include "packages.h"
#include "quantize/interpreter.h"
#include "seeded_model.h"

using namespace tinynas;
using namespace tinynas::testing;

TEST_CASE("mcunet-320k at 176x176 streams in 128 KiB, as linked, bit for bit") {
  constexpr int64_t kSram = 128 * 1024;
  constexpr int64_t kFlash = 1024 * 1024;
  EmulatorOptions emulator;
  emulator.core = "cortex-m4";
  emulator.sram_bytes = kSram;
  emulator.flash_bytes = kFlash;
  if (const std::string missing = emulator_missing(emulator); !missing.empty()) {
    std::cerr << "\n*** SKIPPED: " << missing << ": mcunet-320k was not run in 128 KiB ***\n\n";
    return;
  }
  const Int8Model model = seeded_model(load_network("tests/networks/mcunet-320k.json").graph, 1);
  REQUIRE(model.graph.tensor(model.graph.input).shape == Shape{176, 176, 3});
  const std::vector<int8_t> input = seeded_input(model.graph, 1);
  const TemporaryFolder folder;
  const auto run = [&](Schedule schedule, const std::string& name) {
    CostOptions costs;
    costs.plan.schedule = schedule;
    costs.sram_limit_bytes = kSram;
    ExportOptions options;
    options.plan = under_best_schedule(model.graph, costs).options;
    options.golden_vectors = 1;
    export_package(model, {input}, folder.path() / name, options);
    return run_in_emulator(emulator, folder.path() / name, {input});
  };
  CHECK(run(Schedule::kLayer, "layer").sram_overflow_bytes > 100 * 1024);
  const EmulatorRun streamed = run(Schedule::kAuto, "auto");
  REQUIRE(streamed.fits());
  Interpreter interpreter(model);
  CHECK(streamed.outputs.at(0) == interpreter.run(input.data()));
}

TEST_CASE("dscnn-kws, whose rows have five columns, streams at the layer schedule's instructions") {
  const Int8Model model = seeded_model(load_network("tests/networks/dscnn-kws.json").graph, 1);
  const std::vector<int8_t> input = seeded_input(model.graph, 1);
  Interpreter interpreter(model);
  const std::vector<int8_t> expected = interpreter.run(input.data());
  for (const auto& [core, variant] :
       {std::pair("cortex-m4", KernelVariant::kDsp), std::pair("cortex-m55", KernelVariant::kMve)}) {
    EmulatorOptions emulator;
    emulator.core = core;
    emulator.count_instructions = true;
    if (const std::string missing = emulator_missing(emulator); !missing.empty()) {
      std::cerr << "\n*** SKIPPED: " << missing << ": dscnn-kws was not run on " << core << " ***\n\n";
      continue;
    }
    const auto run = [&](Schedule schedule) {
      ExportOptions options;
      options.plan.variant = variant;
      options.plan.schedule = schedule;
      options.golden_vectors = 1;
      const TemporaryFolder folder;
      export_package(model, {input}, folder.path() / "package", options);
      EmulatorRun result = run_in_emulator(emulator, folder.path() / "package", {input});
      CHECK(result.outputs.at(0) == expected);
      return result;
    };
    const EmulatorRun layer = run(Schedule::kLayer);
    const EmulatorRun stream = run(Schedule::kStream);
    CAPTURE(core, layer.instructions, stream.instructions);
    CHECK(stream.linked.arena_bytes < layer.linked.arena_bytes);
    CHECK(stream.instructions.at(0) * 100 <= layer.instructions.at(0) * 105);
  }
}
