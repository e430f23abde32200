#include <catch2/catch.hpp>
#include <cstring>

#include "base/error.h"
#include "quantize/interpreter.h"
#include "support/random_graph.h"
#include "tflite/tflite.h"

using namespace tinynas;
using namespace tinynas::testing;
using Catch::Matchers::Contains;

namespace {

RandomGraphOptions writable() {
  RandomGraphOptions options;
  options.max_stride = 3;
  options.pool_padding = false;
  return options;
}

// -1: not there.
TensorId imported_id(const Graph& graph, const std::string& name) {
  for (size_t id = 0; id < graph.tensors.size(); ++id) {
    if (graph.tensors[id].name == name) return static_cast<TensorId>(id);
  }
  return -1;
}

}  // namespace

TEST_CASE("a model through a .tflite file and back computes the same bytes in every tensor") {
  int padded = 0;
  int renamed = 0;
  for (uint64_t seed = 0; seed < 450; ++seed) {
    INFO("seed " << seed);
    Rng rng(seed);
    RandomGraphOptions options = writable();
    // Of these some pads become a convolution's own, and some reshapes another name.
    options.pads_and_reshapes = seed % 3 == 2;
    Int8Model model = random_int8_model(random_graph(rng, options), rng);
    const int64_t outputs = model.graph.tensor(model.graph.output).shape.elements();
    for (int64_t i = 0; i < outputs && seed % 2 == 0; ++i)
      model.class_names.push_back("\"cläss\" " + std::to_string(i));
    const std::string bytes = tflite_bytes(model);
    REQUIRE(bytes.substr(4, 4) == "TFL3");
    REQUIRE(tflite_bytes(model) == bytes);
    const TfliteImport imported = read_tflite(bytes, "m.tflite");
    REQUIRE(imported.notes.empty());
    REQUIRE(imported.model.class_names == model.class_names);
    const bool same_graph = !options.pads_and_reshapes;
    REQUIRE((!same_graph || imported.model.graph.ops.size() == model.graph.ops.size()));
    REQUIRE((!same_graph || imported.model.tensors == model.tensors));
    for (size_t i = 0; i < model.ops.size() && same_graph; ++i) {
      REQUIRE(imported.model.graph.ops[i].kind == model.graph.ops[i].kind);
      REQUIRE(imported.model.graph.ops[i].padding == model.graph.ops[i].padding);
      REQUIRE(imported.model.ops[i].weights == model.ops[i].weights);
      REQUIRE(imported.model.ops[i].weight_scales == model.ops[i].weight_scales);
    }
    padded += bytes.find("/paddings") != std::string::npos ? 1 : 0;
    Interpreter before(model);
    Interpreter after(imported.model);
    for (int image = 0; image < 2; ++image) {
      const std::vector<int8_t> input = random_int8_input(model.graph, rng);
      REQUIRE(after.run(input.data()) == before.run(input.data()));
      for (const Op& op : model.graph.ops) {
        const TensorId there = imported_id(imported.model.graph, model.graph.tensor(op.output).name);
        if (same_graph || there >= 0) REQUIRE(after.tensor(there) == before.tensor(op.output));
        renamed += there < 0 ? 1 : 0;
      }
    }
    // What was read is written as what was read; only operators' names are not kept.
    const std::string again = tflite_bytes(imported.model);
    REQUIRE(tflite_bytes(read_tflite(again, "again.tflite").model) == again);
  }
  CHECK(padded > 50);
  CHECK(renamed > 20);
}

TEST_CASE("what TensorFlow Lite has no form for is named") {
  Op pool;
  pool.kind = OpKind::kAvgPool;
  pool.name = "the_pool";
  pool.inputs = {0};
  pool.output = 1;
  pool.kernel_h = pool.kernel_w = 3;
  pool.padding = {2, 2, 2, 2};
  Int8Model model;
  model.graph = {"g", {{"x", {4, 4, 2}}, {"y", {6, 6, 2}}}, {pool}, 0, 1};
  model.tensors = {{0.5f, 3}, {0.5f, 3}};
  model.ops.resize(1);
  derive_fixed_point(model);
  CHECK_THROWS_WITH(tflite_bytes(model), Contains("the_pool") && Contains("padding"));
  Op& mean = model.graph.ops[0];
  mean = Op{};
  mean.kind = OpKind::kGlobalAvgPool;
  mean.name = "the_mean";
  mean.inputs = {0};
  mean.output = 1;
  mean.activation = Activation::kRelu;
  model.graph.tensors[1].shape = {1, 1, 2};
  derive_fixed_point(model);
  CHECK_THROWS_WITH(tflite_bytes(model), Contains("the_mean") && Contains("activation"));
}
