// Packages of random networks on emulated cores, in memories cut to a budget.
#include <catch2/catch.hpp>
#include <iostream>

#include "base/error.h"
#include "export/emulator.h"
#include "packages.h"
#include "quantize/interpreter.h"

using namespace tinynas;
using namespace tinynas::testing;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

struct Fixture {
  TemporaryFolder folder;
  fs::path package = folder.path() / "a package";
  Int8Model model;
  std::vector<std::vector<int8_t>> inputs;
  std::vector<std::vector<int8_t>> expected;

  explicit Fixture(uint64_t seed, const PlanOptions& plan = {}) : model(random_model(seed)) {
    Rng rng(seed);
    inputs = random_inputs(model, 3, rng);
    Interpreter interpreter(model);
    for (const auto& input : inputs) expected.push_back(interpreter.run(input.data()));
    ExportOptions options;
    options.plan = plan;
    export_package(model, inputs, package, options);
  }
};

bool skipped(const std::string& core) {
  EmulatorOptions options;
  options.core = core;
  const std::string missing = emulator_missing(options);
  if (!missing.empty())
    std::cerr << "\n*** SKIPPED: " << missing << ": nothing was run on an emulated " << core << " ***\n\n";
  return !missing.empty();
}

std::string failure(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  FAIL("passed");
  return "";
}

}  // namespace

TEST_CASE("on every emulated core outputs, arena and stack are what was promised") {
  for (const char* core : {"cortex-m0plus", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55"}) {
    if (skipped(core)) continue;
    CAPTURE(core);
    const Fixture f(11);
    EmulatorOptions options;
    options.core = core;
    const EmulatorRun run = run_in_emulator(options, f.package, f.inputs);
    REQUIRE(run.fits());
    CHECK(run.outputs == f.expected);
    CHECK(run.linked.arena_bytes == plan_memory(f.model.graph, {}).arena_bytes);
    CHECK(run.linked.data_bss_bytes == 0);
    CHECK(run.linked.code_bytes > 0);
    CHECK(run.stack_bytes > 0);
    CHECK(run.stack_bytes <= run.linked.stack_bytes);
    CHECK(run.instructions.empty());
    // The smallest program around a package takes what the emulated one does.
    const TemporaryFolder work;
    const LinkedSize alone =
        measure_linked(options.arm_compiler, core_flags(core), f.package, "model", work.path());
    CHECK(alone.code_bytes == run.linked.code_bytes);
    CHECK(alone.weights_tables_bytes == run.linked.weights_tables_bytes);
  }
}

TEST_CASE("a package planned for vectors, by layers or rows, computes the same on cores without them") {
  for (const char* core : {"cortex-m0plus", "cortex-m4", "cortex-m55"}) {
    if (skipped(core)) continue;
    for (const uint64_t seed : {12, 13, 14, 15, 18}) {
      CAPTURE(core, seed);
      PlanOptions plan;
      plan.variant = KernelVariant::kMve;
      if (seed >= 13) plan.schedule = Schedule::kStream;
      if (seed >= 14) plan.max_extra_macs = 5;
      const Fixture f(seed, plan);
      EmulatorOptions options;
      options.core = core;
      const EmulatorRun run = run_in_emulator(options, f.package, f.inputs);
      REQUIRE(run.fits());
      CHECK(run.outputs == f.expected);
      CHECK(run.linked.arena_bytes == plan_memory(f.model.graph, plan).arena_bytes);
      CHECK(run.stack_bytes <= run.linked.stack_bytes);
    }
  }
}

TEST_CASE("rows that are asked for once, or again by strips, give the same on emulated cores") {
  for (const char* core : {"cortex-m0plus", "cortex-m4", "cortex-m55"}) {
    if (skipped(core)) continue;
    for (const InputKind input : {InputKind::kRows, InputKind::kReread}) {
      for (const uint64_t seed : {13, 14, 15}) {
        CAPTURE(core, name_of(input), seed);
        PlanOptions plan;
        plan.variant = core == std::string("cortex-m55") ? KernelVariant::kMve : KernelVariant::kDsp;
        plan.schedule = Schedule::kStream;
        plan.input = input;
        plan.max_extra_macs = input == InputKind::kReread ? 5 : 0;
        const Fixture f(seed, plan);
        EmulatorOptions options;
        options.core = core;
        const EmulatorRun run = run_in_emulator(options, f.package, f.inputs);
        REQUIRE(run.fits());
        CHECK(run.outputs == f.expected);
        CHECK(run.linked.arena_bytes == plan_memory(f.model.graph, plan).arena_bytes);
        CHECK(run.linked.data_bss_bytes == 0);
        CHECK(run.stack_bytes <= run.linked.stack_bytes);
      }
    }
  }
}

TEST_CASE("a budget is the linker's: exactly what is needed fits, a byte less does not") {
  if (skipped("cortex-m4")) return;
  const Fixture f(12);
  EmulatorOptions options;
  options.stack_bytes = 1024;
  const EmulatorRun roomy = run_in_emulator(options, f.package, f.inputs);
  const int64_t sram = options.stack_bytes + roomy.linked.data_bss_bytes + roomy.linked.arena_bytes;
  const int64_t flash = roomy.linked.code_bytes + roomy.linked.weights_tables_bytes;
  options.sram_bytes = sram;
  options.flash_bytes = flash;
  CHECK(run_in_emulator(options, f.package, f.inputs).outputs == f.expected);
  options.sram_bytes = sram - 8;
  options.flash_bytes = flash - 1;
  const EmulatorRun tight = run_in_emulator(options, f.package, f.inputs);
  CHECK_FALSE(tight.fits());
  CHECK(tight.sram_overflow_bytes == 8);
  CHECK(tight.flash_overflow_bytes == 1);
  CHECK(tight.outputs.empty());
  // A stack of what was painted is enough, and 8 bytes less is a fault.
  options.sram_bytes = sram;
  options.flash_bytes = flash;
  options.stack_bytes = (roomy.stack_bytes + 7) / 8 * 8;
  CHECK(run_in_emulator(options, f.package, f.inputs).outputs == f.expected);
  options.stack_bytes -= 8;
  CHECK_THAT(failure([&] { run_in_emulator(options, f.package, f.inputs); }), Contains("faulted"));
}

TEST_CASE("instructions are counted, and the same every time") {
  if (skipped("cortex-m4")) return;
  const Fixture f(13);
  EmulatorOptions options;
  options.count_instructions = true;
  const EmulatorRun run = run_in_emulator(options, f.package, {f.inputs[0], f.inputs[1], f.inputs[0]});
  REQUIRE(run.instructions.size() == 3);
  CHECK(run.instructions[0] == run.instructions[2]);
  CHECK(run.instructions[0] > macs(f.model.graph));
}

TEST_CASE("what is wrong with a package or its build is said") {
  if (skipped("cortex-m4")) return;
  const Fixture f(14);
  EmulatorOptions options;
  CHECK_THAT(failure([&] { run_in_emulator(options, f.package, {{1, 2, 3}}); }), Contains("3 values"));
  options.emulator = "no-such-qemu";
  CHECK_THAT(failure([&] { run_in_emulator(options, f.package, f.inputs); }), Contains("no-such-qemu"));
  CHECK_FALSE(emulator_missing(options).empty());
  options = {};
  options.core = "cortex-m1";
  CHECK_THAT(failure([&] { options.check(); }), Contains("cortex-m1") && Contains("cortex-m55"));
  options = {};
  options.sram_bytes = 16 * 1024 * 1024;
  CHECK_THAT(failure([&] { options.check(); }), Contains("SRAM"));

  const std::string source = read_file(f.package / "src" / "model.c");
  const size_t call = source.find("  LAYER(0)");
  const int64_t arena_bytes = plan_memory(f.model.graph, {}).arena_bytes;
  std::string behind = source;
  tamper(f.package, "src/model.c",
         behind.insert(call, "  arena[" + std::to_string(arena_bytes) + "] = 1;\n"));
  CHECK_THAT(failure([&] { run_in_emulator({}, f.package, f.inputs); }), Contains("wrote behind"));
  std::string endless = source;
  tamper(f.package, "src/model.c", endless.insert(call, "  for (;;) {\n  }\n"));
  options = {};
  options.timeout_s = 1;
  CHECK_THAT(failure([&] { run_in_emulator(options, f.package, f.inputs); }), Contains("more than 1 s"));
}
