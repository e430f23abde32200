// A second opinion: every operator of our .tflite files, computed by Arm NN's reference backend.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
#include <iostream>

#include "armnn_library.h"
#include "layer_judge.h"
#include "support/random_graph.h"
#include "tflite/comparison.h"
#include "tflite/tflite.h"

using namespace tinynas;
using namespace tinynas::judges;
using namespace tinynas::testing;

TEST_CASE("Arm NN computes what we compute, with one rounding where we round twice") {
  RandomGraphOptions options;
  options.explicit_padding = false;  // SAME and VALID: Arm NN 20.08 gives a wrong PAD as an output
  std::map<OpKind, Tally> tallies;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    INFO("seed " << seed);
    Rng rng(seed);
    const Graph graph = random_graph(rng, options);  // SAME and VALID pools too
    const Int8Model model = random_int8_model(graph, rng);
    const std::vector<int8_t> input = random_int8_input(graph, rng);
    std::vector<std::vector<int8_t>> tensors(graph.tensors.size());
    tensors[static_cast<size_t>(graph.input)] = input;
    const auto outputs = run_armnn(with_all_outputs(tflite_bytes(model)), input);
    for (size_t id = 0; id < tensors.size(); ++id) {
      if (static_cast<TensorId>(id) != graph.input) tensors[id] = outputs.at(graph.tensors[id].name);
    }
    judge_layers(
        model, tensors, [](OpKind) { return Rounding::kSingle; }, tallies);
  }
  std::cout << "Arm NN, CpuRef:\n" << to_text(tallies) << std::flush;
  for (const auto& [kind, tally] : tallies) {
    INFO(name_of(kind));
    CHECK(tally.ours.further == 0);
    // Sums and means are float there and ties of a mean go the way of the real value, ours of the level: one
    // off.
    const bool exact =
        kind == OpKind::kConv2d || kind == OpKind::kDepthwiseConv2d || kind == OpKind::kFullyConnected;
    if (exact) CHECK(tally.theirs.by_one == 0);
  }
  CHECK(tallies.size() == 7);
}
