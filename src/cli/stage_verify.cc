#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "base/error.h"
#include "base/rng.h"
#include "base/units.h"
#include "cli/options.h"
#include "cli/result.h"
#include "cli/stages.h"
#include "cli/verify_tflite.h"
#include "export/package.h"
#include "export/verify_targets.h"
#include "quantize/interpreter.h"

namespace tinynas {
namespace {

// The model's costs with what the compiler and linker found in place of the search's bounds. Host figures say
// nothing about the chip, so that without a cross compiler the bounds stay.
CostReport linked_costs(const Int8Model& model, CostOptions options, const VerifyReport& report) {
  options.linked_twice = general_layers(model, options.plan).linked_twice;
  CostReport costs = estimate(model.graph, options);
  if (report.arm_compiled) {
    costs.flash.code_bytes = report.linked_code_bytes;
    costs.flash.code_is_linked = true;
    costs.sram.data_bss_bytes = report.linked_data_bss_bytes;
    costs.sram.stack_bytes = report.stack_bytes;
  }
  return costs;
}

struct VerifyInputs {
  std::vector<std::vector<int8_t>> tensors;  // int8 NHWC
  std::string description;                   // "100 test images", or what they were topped up with
};

// verify.images test images. Where the test part has fewer, random tensors make up the number: equality of
// outputs is claimed for any input, and random ones reach the extremes that pictures do not.
VerifyInputs verify_inputs(Workbench& bench, const Shape& shape) {
  const ImageSet& test = bench.test(shape.h);
  const int64_t wanted = bench.config().integer("verify.images");
  const int64_t images = std::min(wanted, test.size());
  VerifyInputs inputs;
  for (int64_t i = 0; i < images; ++i) {
    inputs.tensors.push_back(quantize_pixels(test.image(i), test.image_bytes()));
  }
  Rng rng = Rng(static_cast<uint64_t>(bench.config().integer("seed"))).fork("verify");
  for (int64_t i = images; i < wanted; ++i) {
    std::vector<int8_t>& tensor = inputs.tensors.emplace_back(static_cast<size_t>(shape.elements()));
    for (int8_t& value : tensor) value = static_cast<int8_t>(rng.below(256) - 128);
  }
  inputs.description = fmt::format("{} test images", images);
  if (images < wanted) inputs.description += fmt::format(" and {} random inputs", wanted - images);
  return inputs;
}

// At most this many of the inputs run on every emulated core: a large network takes a second a run.
constexpr size_t kEmulatedInputs = 8;

// What the limits leave for the package beside the board's reserve: the budget of the emulator's linker
// script.
TargetOptions target_options(const VerifyOptions& options, const CostReport& costs, const Limits& limits) {
  TargetOptions targets;
  targets.host_compilers = {options.host_compiler};
  if (options.host_compiler != "clang") targets.host_compilers.push_back("clang");
  targets.arm_compiler = options.arm_compiler;
  if (limits.sram_bytes) targets.sram_bytes = *limits.sram_bytes - costs.sram.reserve_bytes;
  if (limits.flash_bytes) targets.flash_bytes = *limits.flash_bytes - costs.flash.reserve_bytes;
  return targets;
}

ReferenceRuns reference_runs(const Int8Model& model, const VerifyInputs& inputs) {
  ReferenceRuns reference;
  Interpreter interpreter(model);
  for (size_t i = 0; i < std::min(kEmulatedInputs, inputs.tensors.size()); ++i) {
    reference.inputs.push_back(inputs.tensors[i]);
    reference.outputs.push_back(interpreter.run(inputs.tensors[i].data()));
  }
  return reference;
}

nlohmann::json run_verify(Workbench& bench, Run& run) {
  const Config& config = bench.config();
  const Int8Model model = load_int8_model(run.path("model.int8.json"));
  const VerifyInputs inputs = verify_inputs(bench, model.graph.tensor(model.graph.input).shape);
  const VerifyReport report =
      verify_package(run.path("firmware"), model, inputs.tensors, verify_options(config, bench.board()));
  if (!report.passed()) {
    throw Error(
        ExitCode::kVerification,
        fmt::format(
            "{}: the package is not what was planned: {} of {} images differ from the interpreter; arena "
            "{} bytes as compiled, {} as planned",
            run.path("firmware").string(), report.mismatches, report.images, report.compiled_arena_bytes,
            report.planned_arena_bytes));
  }
  spdlog::info("   {} equal bit for bit; arena {} bytes as planned; {}", inputs.description,
               report.compiled_arena_bytes, report.arm_note);

  const CostReport costs = linked_costs(model, bench.cost_options(), report);
  for (const Violation& violation : violations(costs, bench.limits())) {
    if (violation.limit != "sram" && violation.limit != "flash")
      continue;  // the others did not change by linking
    throw Error(ExitCode::kNothingFits, "as compiled, the model exceeds a limit: " + describe(violation) +
                                            "; search again with a smaller limit");
  }
  const ReferenceRuns reference = reference_runs(model, inputs);
  std::vector<TargetResult> targets =
      verify_targets(run.path("firmware"), reference,
                     target_options(verify_options(config, bench.board()), costs, bench.limits()));
  targets.push_back(verify_tflite(run.path("firmware"), reference));
  spdlog::info("   every compiler and emulated core that is installed:\n{}", table_of(targets));
  if (targets.back().outcome == Outcome::kPassed) spdlog::info("   TensorFlow Lite {}", targets.back().note);
  if (!all_passed_or_skipped(targets)) {
    throw Error(ExitCode::kVerification, fmt::format("{}: the package fails on a target:\n{}",
                                                     run.path("firmware").string(), table_of(targets)));
  }
  const nlohmann::json summary = {{"images", report.images},
                                  {"inputs", inputs.description},
                                  {"mismatches", report.mismatches},
                                  {"arena_bytes", report.compiled_arena_bytes},
                                  {"arm_compiled", report.arm_compiled},
                                  {"arm_note", report.arm_note},
                                  {"targets", to_json(targets)},
                                  {"sram", result_json(costs.sram)},
                                  {"flash", result_json(costs.flash)}};
  write_json_file(run.path("verify.json"), summary);
  return summary;
}

}  // namespace

Stage verify_stage(Workbench& bench) {
  return {.name = "verify",
          .doc = "the compiled package against the integer interpreter, bit for bit",
          .config_keys = with_chip_keys({"verify", "data", "seed"}),
          .inputs = {"firmware", "model.int8.json", "model.int8.bin"},
          .outputs = {"verify.json"},
          .run = [&bench](Run& run) { return run_verify(bench, run); }};
}

}  // namespace tinynas
