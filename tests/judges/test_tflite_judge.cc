// Every operator of our .tflite files, computed by TensorFlow Lite and compared with our arithmetic.
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
#include <cstdio>
#include <iostream>

#include "graph/network_file.h"
#include "layer_judge.h"
#include "quantize/interpreter.h"
#include "support/random_graph.h"
#include "tflite/comparison.h"
#include "tflite/library.h"
#include "tflite/random_file.h"
#include "tflite/tflite.h"

using namespace tinynas;
using namespace tinynas::judges;
using namespace tinynas::testing;

namespace {

constexpr int kSkipped = 77;  // ctest's SKIP_RETURN_CODE

// The library's convolutions and fully connected operators shift right with ties up; its depthwise
// convolutions round as we do.
Rounding tflite_rounding(OpKind kind) {
  return kind == OpKind::kDepthwiseConv2d ? Rounding::kDouble : Rounding::kTiesUp;
}

struct Judgement {
  std::map<OpKind, Tally> layers;
  Distances whole;  // of the networks' outputs, with all the differences added up
};

// A padded average leaves out what lies outside, which .tflite can say for SAME and VALID alone.
bool expressible(const Graph& graph) {
  for (const Op& op : graph.ops) {
    if (op.kind != OpKind::kAvgPool || op.padding == Padding{}) continue;
    const Shape& in = graph.tensor(op.inputs[0]).shape;
    const auto rows = same_padding(in.h, op.kernel_h, op.stride_h);
    const auto columns = same_padding(in.w, op.kernel_w, op.stride_w);
    if (op.padding != Padding{rows.first, columns.first, rows.second, columns.second}) return false;
  }
  return true;
}

// Runs `model` with every tensor as an output on `inputs` random inputs.
void judge(const Int8Model& model, Rng& rng, int inputs, Judgement& judgement) {
  TfliteModel theirs(with_all_outputs(tflite_bytes(model)));
  Interpreter ours(model);
  const Graph& graph = model.graph;
  for (int i = 0; i < inputs; ++i) {
    std::vector<std::vector<int8_t>> tensors(graph.tensors.size());
    const std::vector<int8_t> input = random_int8_input(graph, rng);
    tensors[static_cast<size_t>(graph.input)] = input;
    for (const TfliteTensor& tensor : theirs.run(input)) {
      for (size_t id = 0; id < tensors.size(); ++id) {
        if (graph.tensors[id].name != tensor.name) continue;
        REQUIRE(tensor.scale == model.tensors[id].scale);
        REQUIRE(tensor.zero_point == model.tensors[id].zero_point);
        tensors[id] = tensor.values;
      }
    }
    for (size_t id = 0; id < tensors.size(); ++id) {
      INFO("tensor " << graph.tensors[id].name);
      REQUIRE(static_cast<int64_t>(tensors[id].size()) == graph.tensors[id].shape.elements());
    }
    judge_layers(model, tensors, tflite_rounding, judgement.layers);
    const std::vector<int8_t>& output = ours.run(input.data());
    for (size_t v = 0; v < output.size(); ++v) {
      judgement.whole.add(tensors[static_cast<size_t>(graph.output)][v], output[v]);
    }
  }
}

// What docs/decisions/0005 promises of each kind.
void require_promises(const Judgement& judgement, const std::string& what) {
  std::cout << what << ":\n"
            << to_text(judgement.layers) << "  outputs of whole networks: " << judgement.whole.equal
            << " equal, " << judgement.whole.by_one << " off by one, " << judgement.whole.further
            << " further" << std::endl;
  for (const auto& [kind, tally] : judgement.layers) {
    INFO(name_of(kind));
    CHECK(tally.ours.further == 0);
    CHECK(tally.theirs.further == 0);
    const bool may_differ =
        kind == OpKind::kConv2d || kind == OpKind::kFullyConnected || kind == OpKind::kSoftmax;
    if (!may_differ) CHECK(tally.ours.by_one == 0);
    if (kind != OpKind::kSoftmax) CHECK(tally.theirs.by_one == 0);
  }
}

}  // namespace

TEST_CASE("random networks") {
  Judgement judgement;
  for (uint64_t seed = 0; seed < 150; ++seed) {
    INFO("seed " << seed);
    Rng rng(seed);
    const Graph graph = random_graph(rng);
    if (!expressible(graph)) continue;
    judge(random_int8_model(graph, rng), rng, 2, judgement);
  }
  require_promises(judgement, "random networks");
  CHECK(judgement.layers.size() == 7);                          // every kind of operator
  CHECK(judgement.layers.at(OpKind::kConv2d).ours.by_one > 0);  // the variants do differ: the test can tell
}

TEST_CASE("random networks, larger, with strides up to 3 and kernels of every size") {
  Judgement judgement;
  RandomGraphOptions options;
  options.max_side = 28;
  options.max_channels = 48;
  options.max_blocks = 3;
  options.max_stride = 3;
  options.kernels = {1, 2, 3, 4, 5, 6, 7};
  for (uint64_t seed = 1000; seed < 1030; ++seed) {
    INFO("seed " << seed);
    Rng rng(seed);
    const Graph graph = random_graph(rng, options);
    if (!expressible(graph)) continue;
    judge(random_int8_model(graph, rng), rng, 1, judgement);
  }
  require_promises(judgement, "larger random networks");
}

TEST_CASE("random networks with pads and reshapes of their own: those two are exact") {
  Judgement judgement;
  RandomGraphOptions options;
  options.pool_padding = false;
  options.pads_and_reshapes = true;
  for (uint64_t seed = 3000; seed < 3080; ++seed) {
    INFO("seed " << seed);
    Rng rng(seed);
    judge(random_int8_model(random_graph(rng, options), rng), rng, 1, judgement);
  }
  require_promises(judgement, "random networks with pads and reshapes");
  CHECK(judgement.layers.at(OpKind::kPad).operators > 50);
  CHECK(judgement.layers.at(OpKind::kReshape).operators > 50);
}

// TensorFlow Lite is given the file that we import, not one of ours. All its operators are exact.
TEST_CASE("somebody else's files with pads and reshapes anywhere compute the same bytes") {
  for (uint64_t seed = 4000; seed < 4200; ++seed) {
    INFO("seed " << seed);
    Rng rng(seed);
    const File file = RandomFile(rng).file();
    const Int8Model model = read_tflite(file.bytes(), "net.tflite").model;
    Interpreter ours(model);
    const std::vector<int8_t> input = random_int8_input(model.graph, rng);
    const std::vector<std::vector<int8_t>> expected = run_file(file, input);
    CHECK(ours.run(input.data()) == expected[static_cast<size_t>(file.outputs[0])]);
    for (const TfliteTensor& theirs : TfliteModel(with_all_outputs(file.bytes())).run(input)) {
      for (size_t id = 0; id < file.tensors.size(); ++id) {
        if (file.tensors[id].name != theirs.name) continue;
        INFO(theirs.name);
        REQUIRE(theirs.values == expected[id]);
      }
    }
    CHECK(compare_with_tflite(tflite_bytes(model), "net", {input}).passed());
  }
}

TEST_CASE("networks of the size that are deployed") {
  for (const char* name : {"person-detection", "resnet-ic", "dscnn-kws", "mcunet-320k"}) {
    INFO(name);
    Rng rng(7);
    const Graph graph =
        load_network(TINYNAS_SOURCE_DIR "/tests/networks/" + std::string(name) + ".json").graph;
    Judgement judgement;
    judge(random_int8_model(graph, rng), rng, 1, judgement);
    require_promises(judgement, name);
  }
}

TEST_CASE("what verify compares: files of random networks pass, an interpreter that is off does not") {
  int compared = 0;
  for (uint64_t seed = 2000; seed < 2040; ++seed) {
    INFO("seed " << seed);
    Rng rng(seed);
    const Graph graph = random_graph(rng);
    if (!expressible(graph)) continue;
    const Int8Model model = random_int8_model(graph, rng);
    const std::vector<std::vector<int8_t>> inputs = {random_int8_input(graph, rng),
                                                     random_int8_input(graph, rng)};
    const TfliteComparison comparison = compare_with_tflite(tflite_bytes(model), "net", inputs);
    INFO(comparison.text());
    CHECK(comparison.passed());
    int64_t values = 0;
    for (const auto& [kind, distances] : comparison.kinds)
      values += distances.equal + distances.by_one + distances.further;
    int64_t expected = 0;
    for (const Op& op : model.graph.ops) expected += 2 * graph.tensor(op.output).shape.elements();
    CHECK(values == expected);
    ++compared;
  }
  CHECK(compared > 20);
  TfliteComparison off;
  off.kinds[OpKind::kAdd] = {1, 9, 1, 0};
  CHECK_FALSE(off.passed());
  off.kinds = {{OpKind::kConv2d, {1, 9, 1, 0}}};
  CHECK(off.passed());
  off.kinds = {{OpKind::kConv2d, {1, 9, 0, 1}}};
  CHECK_FALSE(off.passed());
}

int main(int argc, char** argv) {
  std::string reason;
  const std::optional<std::string> version = tflite_version(reason);
  if (!version) {
    std::printf("SKIPPED: no TensorFlow Lite: %s\n  tools/fetch_tflite brings it\n", reason.c_str());
    return kSkipped;
  }
  std::printf("TensorFlow Lite %s, %s\n", version->c_str(), tflite_library_path().c_str());
  return Catch::Session().run(argc, argv);
}
