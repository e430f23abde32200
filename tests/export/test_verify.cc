#include <catch2/catch.hpp>
#include <iostream>

#include "base/error.h"
#include "cost_models/costs.h"
#include "packages.h"
#include "quantize/interpreter.h"

using namespace tinynas;
using namespace tinynas::testing;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

// The whole message of the verification error that `action` must throw.
std::string verification_failure(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::kVerification);
    return error.what();
  }
  FAIL("passed");
  return "";
}

std::vector<std::vector<int8_t>> interpreted(const Int8Model& model,
                                             const std::vector<std::vector<int8_t>>& inputs) {
  Interpreter interpreter(model);
  std::vector<std::vector<int8_t>> outputs;
  for (const auto& input : inputs) outputs.push_back(interpreter.run(input.data()));
  return outputs;
}

// A package of a classifier: fully connected at the end, no clamp, and outputs that depend on the input.
struct Fixture {
  TemporaryFolder folder;
  fs::path package = folder.path() / "a package";  // paths with spaces are paths
  Int8Model model;
  std::vector<std::vector<int8_t>> inputs;
  VerifyOptions host_only;

  explicit Fixture(uint64_t seed) {
    Rng rng(seed);
    do {
      model = random_model(rng.next());
      inputs = random_inputs(model, 20, rng);
    } while (!is_classifier() || interpreted(model, {inputs[0]}) == interpreted(model, {inputs[1]}));
    host_only.arm_compiler = "no-such-compiler";
    export_package(model, inputs, package, {});
  }

  bool is_classifier() const {
    const Op& last = model.graph.ops.back();
    return last.kind == OpKind::kFullyConnected && last.activation == Activation::kNone &&
           model.graph.ops.size() > 3;
  }
};

// Replaces the first `from` after `after`.
std::string replaced(std::string text, const std::string& after, const std::string& from,
                     const std::string& to) {
  const size_t position = text.find(from, text.find(after));
  REQUIRE(position != std::string::npos);
  return text.replace(position, from.size(), to);
}

}  // namespace

TEST_CASE("a changed weight byte is caught, by its hash and by what it computes") {
  Fixture f(1);
  CHECK(verify_package(f.package, f.model, f.inputs, f.host_only).passed());

  // The first weight of the last operator whose change shows in an output at all (some are hidden by a
  // clamp).
  const auto expected = interpreted(f.model, f.inputs);
  Int8Model changed = f.model;
  for (size_t i = 0; interpreted(changed, f.inputs) == expected; ++i) {
    changed = f.model;
    int8_t& weight = changed.ops.back().weights.at(i);
    weight = weight > 0 ? -127 : 127;
  }
  export_package(changed, f.inputs, f.folder.path() / "changed", {});
  const std::string path = "src/model_weights.c";
  const std::string weights = read_file(f.folder.path() / "changed" / path);
  REQUIRE(weights != read_file(f.package / path));

  write_file_atomic(f.package / path, weights);
  CHECK_THAT(verification_failure([&] { verify_package(f.package, f.model, f.inputs, f.host_only); }),
             Contains(path) && Contains("changed"));
  tamper(f.package, path, weights);
  const VerifyReport report = verify_package(f.package, f.model, f.inputs, f.host_only);
  CHECK(report.mismatches > 0);
  CHECK_FALSE(report.passed());
}

TEST_CASE("another model than the exported one is counted image by image") {
  Fixture f(2);
  Int8Model other = f.model;
  for (int32_t& bias : other.ops.back().bias) bias += 100000;
  const VerifyReport report = verify_package(f.package, other, f.inputs, f.host_only);
  CHECK(report.images == 20);
  CHECK(report.mismatches > 0);
  CHECK_FALSE(report.passed());
  CHECK(to_json(report).at("passed") == false);
  CHECK(to_json(report).at("mismatches") == report.mismatches);
  CHECK_FALSE(verify_package(f.package, f.model, {}, f.host_only).passed());  // no image, no proof
}

TEST_CASE("what does not compile, or is not installed, is an error that says so") {
  Fixture f(3);
  VerifyOptions missing = f.host_only;
  missing.host_compiler = "no-such-cc";
  CHECK_THAT(verification_failure([&] { verify_package(f.package, f.model, f.inputs, missing); }),
             Contains("'no-such-cc'"));
  CHECK_THAT(verify_package(f.package, f.model, f.inputs, f.host_only).arm_note,
             Contains("'no-such-compiler' is not installed"));

  const std::string source = read_file(f.package / "src" / "model.c");
  tamper(f.package, "src/model.c", source + "\nstatic int unused_function(void) { return 0; }\n");
  CHECK_THAT(verification_failure([&] { verify_package(f.package, f.model, f.inputs, f.host_only); }),
             Contains("unused_function"));
  fs::remove(f.package / "src" / "model.c");
  CHECK_THAT(verification_failure([&] { verify_package(f.package, f.model, f.inputs, f.host_only); }),
             Contains("model.c' is missing"));
  write_file_atomic(f.package / "src" / "model.c", source);
  tamper(f.package, "src/model.c", source);
  tamper(f.package, "report.json", "{");
  CHECK_THAT(verification_failure([&] { verify_package(f.package, f.model, f.inputs, f.host_only); }),
             Contains("report.json"));
  write_file_atomic(f.package / "MANIFEST.sha256", "no hash\n");
  CHECK_THAT(verification_failure([&] { verify_package(f.package, f.model, f.inputs, f.host_only); }),
             Contains("MANIFEST.sha256"));
  CHECK_THAT(verification_failure([&] { verify_package(f.folder.path(), f.model, f.inputs, f.host_only); }),
             Contains("no package"));
}

TEST_CASE("a write behind the arena is found") {
  Fixture f(4);
  const int64_t arena_bytes = plan_memory(f.model.graph, {}).arena_bytes;
  const std::string source = read_file(f.package / "src" / "model.c");
  tamper(f.package, "src/model.c",
         replaced(source, "static void execute", "  LAYER(0)",
                  "  arena[" + std::to_string(arena_bytes) + "] = 1;\n  LAYER(0)"));
  VerifyOptions quiet = f.host_only;
  CHECK_THAT(verification_failure([&] { verify_package(f.package, f.model, f.inputs, quiet); }),
             Contains("outside its arena"));
}

TEST_CASE("a function whose stack is not known when compiled is refused") {
  Fixture f(5);
  const std::string kernel = read_file(f.package / "src" / "kernels" / "tn_fully_connected_portable.h");
  tamper(f.package, "src/kernels/tn_fully_connected_portable.h",
         replaced(kernel, "void tn_fully_connected_portable", "{\n",
                  "{\n  volatile int8_t grows[op->in_c];\n  grows[0] = 0;\n  (void)grows[0];\n"));
  CHECK_THAT(verification_failure([&] { verify_package(f.package, f.model, f.inputs, f.host_only); }),
             Contains("dynamic"));
}

namespace {

// Of a model whose input can come by rows.
uint64_t streaming_seed(Rng& rng) {
  PlanOptions plan;
  plan.schedule = Schedule::kStream;
  plan.input = InputKind::kRows;
  for (;;) {
    const uint64_t seed = rng.next();
    try {
      (void)plan_memory(random_model(seed).graph, plan);
      return seed;
    } catch (const Error&) {
      continue;
    }
  }
}

}  // namespace

TEST_CASE(
    "linked sizes: weights and tables are the planner's to the byte, code and stack within its bounds") {
  VerifyOptions options;
  if (!run_process({options.arm_compiler, "--version"})) {
    std::cerr << "\n*** SKIPPED: " << options.arm_compiler
              << " is not installed, linked sizes were NOT compared ***\n\n";
    return;
  }
  const TemporaryFolder folder;
  Rng rng(6);
  const std::vector<std::string> cores = {"cortex-m0plus", "cortex-m4", "cortex-m7", "cortex-m33",
                                          "cortex-m55"};
  for (int round = 0; round < 30; ++round) {
    Board board;
    board.core = cores[static_cast<size_t>(round) % cores.size()];
    options.arm_cpu = board.core;
    const Int8Model model = random_model(round < 20 ? rng.next() : streaming_seed(rng));
    const auto inputs = random_inputs(model, 2, rng);
    ExportOptions export_options;
    export_options.plan.in_place = round % 2 == 0;
    if (round >= 10) {
      export_options.plan.schedule = Schedule::kStream;
      export_options.plan.max_extra_macs = round % 3;
    }
    if (round >= 20) export_options.plan.input = round % 2 == 0 ? InputKind::kRows : InputKind::kReread;
    export_package(model, inputs, folder.path() / "p", export_options);
    const VerifyReport report = verify_package(folder.path() / "p", model, inputs, options);
    CostOptions cost_options;
    cost_options.plan = export_options.plan;
    cost_options.board = &board;  // its core alone matters here
    cost_options.linked_twice = general_layers(model, export_options.plan).linked_twice;
    const CostReport costs = estimate(model.graph, cost_options);
    CAPTURE(round, model.graph.ops.size(), report.arm_note);
    CHECK(report.passed());
    REQUIRE(report.arm_compiled);
    CHECK(report.linked_rodata_bytes == costs.flash.weights_bytes + costs.flash.tables_bytes);
    CHECK(report.linked_data_bss_bytes == 0);
    CHECK(report.linked_code_bytes > 0);
    CHECK(report.linked_code_bytes <= costs.flash.code_bytes);
    CHECK(report.stack_bytes > 0);
    CHECK(report.stack_bytes <= costs.sram.stack_bytes);
    CHECK(report.compiled_arena_bytes == costs.sram.arena_bytes);
  }
}
