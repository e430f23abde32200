// Layers whose requantisation is not plain (runtime/tn_dsp.h): they alone pay for it.
#include <catch2/catch.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "cost_models/costs.h"
#include "export/emulator.h"
#include "packages.h"
#include "quantize/interpreter.h"

using namespace tinynas;
using namespace tinynas::testing;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

// Two 1x1 convolutions and two depthwise ones, all without activation, multipliers of about 2^-8.
Int8Model chain(Rng& rng) {
  Graph graph;
  graph.name = "chain";
  const Shape shape{6, 6, 8};
  graph.tensors.push_back({"input", shape});
  graph.input = 0;
  for (const OpKind kind :
       {OpKind::kConv2d, OpKind::kDepthwiseConv2d, OpKind::kConv2d, OpKind::kDepthwiseConv2d}) {
    Op op;
    op.kind = kind;
    op.name = "op" + std::to_string(graph.ops.size());
    op.inputs = {static_cast<TensorId>(graph.tensors.size()) - 1};
    op.output = static_cast<TensorId>(graph.tensors.size());
    if (kind == OpKind::kDepthwiseConv2d) {
      op.kernel_h = op.kernel_w = 3;
      op.padding = {1, 1, 1, 1};
    }
    graph.tensors.push_back({op.name + ".out", shape});
    graph.ops.push_back(op);
  }
  graph.output = static_cast<TensorId>(graph.tensors.size()) - 1;
  graph.check();
  return random_int8_model(graph, rng);
}

// Multiplies output channel 3 of an operator; `weights` = 0 makes it a dead one.
void rescale_channel(Int8Model& model, size_t op, float scale, int weights) {
  Int8Op& data = model.ops[op];
  data.weight_scales[3] = scale;
  const size_t channels = data.bias.size();
  const size_t taps = data.weights.size() / channels;
  const bool hwc = model.graph.ops[op].kind == OpKind::kDepthwiseConv2d;
  data.bias[3] = 0;
  for (size_t tap = 0; tap < taps; ++tap) {
    int8_t& weight = data.weights[hwc ? tap * channels + 3 : 3 * taps + tap];
    weight = static_cast<int8_t>(weight * weights);
  }
  derive_fixed_point(model);
}

std::string kernels_of(const fs::path& package) { return read_file(package / "src" / "model_kernels.c"); }

// On this computer and on the emulated cores that are installed.
void check_bits(const Int8Model& model, const fs::path& package,
                const std::vector<std::vector<int8_t>>& inputs) {
  VerifyOptions host;
  host.arm_compiler = "no-such-compiler";
  CHECK(verify_package(package, model, inputs, host).passed());
  Interpreter interpreter(model);
  std::vector<std::vector<int8_t>> expected;
  for (const auto& input : inputs) expected.push_back(interpreter.run(input.data()));
  for (const char* core : {"cortex-m4", "cortex-m55"}) {
    EmulatorOptions options;
    options.core = core;
    if (const std::string missing = emulator_missing(options); !missing.empty()) {
      std::cerr << "\n*** SKIPPED: " << missing << ": nothing was run on an emulated " << core << " ***\n\n";
      continue;
    }
    CAPTURE(core);
    CHECK(run_in_emulator(options, package, inputs).outputs == expected);
  }
}

}  // namespace

TEST_CASE("a dead channel costs nothing, whatever its multiplier is") {
  const TemporaryFolder folder;
  const fs::path package = folder.path() / "p";
  for (const KernelVariant variant : {KernelVariant::kDsp, KernelVariant::kMve}) {
    for (const float scale : {1e-35f, 1e-12f, 1e-8f}) {
      CAPTURE(name_of(variant), scale);
      Rng rng(71);
      Int8Model model = chain(rng);
      // Weights that are zero, and weights that are not but vanish in the output.
      rescale_channel(model, 0, scale, 0);
      rescale_channel(model, 1, scale, 1);
      ExportOptions options;
      options.plan.variant = variant;
      const int shift = model.ops[0].requant[3].shift;
      CHECK((shift == 0 || shift < -22));  // not plain as it stands
      const auto inputs = random_inputs(model, 3, rng);
      export_package(model, inputs, package, options);
      CHECK(general_layers(model, options.plan).reasons.empty());
      CHECK_THAT(kernels_of(package), Contains(", 1, 1)") && !Contains("general"));
      CHECK_THAT(read_file(package / "report.json"), !Contains("general_requantisation"));
      check_bits(model, package, inputs);
    }
  }
}

TEST_CASE("a channel that is shifted left slows its own layer, which the report says") {
  const TemporaryFolder folder;
  const fs::path package = folder.path() / "p";
  for (const bool streamed : {false, true}) {
    for (const KernelVariant variant : {KernelVariant::kDsp, KernelVariant::kMve}) {
      CAPTURE(name_of(variant), streamed);
      Rng rng(72);
      Int8Model model = chain(rng);
      ExportOptions options;
      options.plan.variant = variant;
      // The first layer has to run by rows; the other 1x1 convolution runs as a whole.
      const size_t slow = streamed ? 0 : 2;
      const std::string name = "op" + std::to_string(slow);
      if (streamed) {
        options.plan.schedule = Schedule::kStream;
        options.plan.input = InputKind::kRows;
      }
      REQUIRE(general_layers(model, options.plan).reasons.empty());
      const float one = model.tensors[slow + 1].scale / model.tensors[slow].scale;
      rescale_channel(model, slow, 1.5f * one, 1);
      REQUIRE(model.ops[slow].requant[3].shift == 1);
      const GeneralLayers layers = general_layers(model, options.plan);
      CHECK(layers.linked_twice == std::vector<Kernel>{Kernel::kConv2d1x1});
      REQUIRE(layers.reasons.size() == 1);
      CHECK_THAT(layers.reasons[0], Contains("'" + name + "'") && Contains("channel 3 is shifted by 1"));

      const auto inputs = random_inputs(model, 3, rng);
      export_package(model, inputs, package, options);
      const std::string row = streamed ? "_row" : "";
      CHECK_THAT(kernels_of(package), Contains("(model_conv2d_1x1, 1, 1)") &&
                                          Contains("(model_conv2d_1x1_general" + row + ", 1, 0)"));
      const auto report = nlohmann::json::parse(read_file(package / "report.json"));
      for (const auto& op : report.at("operators"))
        CHECK(op.contains("general_requantisation") == (op.at("name") == name));
      // The bound knows of the second form.
      CostOptions costs;
      costs.plan = options.plan;
      const int64_t once = estimate(model.graph, costs).flash.code_bytes;
      costs.linked_twice = layers.linked_twice;
      const int64_t twice = estimate(model.graph, costs).flash.code_bytes;
      CHECK(twice > once);
      CHECK(report.at("flash").at("code_bytes_at_most") == twice);
      check_bits(model, package, inputs);
    }
  }
  // Where every layer of a kernel is general there is one form, and portable kernels have no other.
  Rng rng(73);
  Int8Model model = chain(rng);
  const float one = model.tensors[3].scale / model.tensors[2].scale;
  rescale_channel(model, 0, 1.5f * model.tensors[1].scale / model.tensors[0].scale, 1);
  rescale_channel(model, 2, 1.5f * one, 1);
  CHECK(general_layers(model, {}).reasons.size() == 2);
  CHECK(general_layers(model, {}).linked_twice.empty());
  PlanOptions portable;
  portable.variant = KernelVariant::kPortable;
  CHECK(general_layers(model, portable).reasons.empty());
}
