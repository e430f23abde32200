#include <catch2/catch.hpp>

#include "base/error.h"
#include "random_graph.h"

using namespace tinynas;
using namespace tinynas::testing;
using Catch::Matchers::Contains;

namespace {

// MACs by walking every output value and every tap.
int64_t walked_macs(const Graph& graph, const Op& op) {
  const Shape in = graph.tensor(op.inputs[0]).shape;
  const Shape out = graph.tensor(op.output).shape;
  int64_t count = 0;
  for (int64_t value = 0; value < out.elements(); ++value) {
    if (op.kind == OpKind::kFullyConnected) count += in.elements();
    for (int tap = 0; tap < op.kernel_h * op.kernel_w; ++tap) {
      if (op.kind == OpKind::kConv2d) count += in.c;
      if (op.kind == OpKind::kDepthwiseConv2d) count += 1;
    }
  }
  return count;
}

}  // namespace

TEST_CASE("MACs and parameters agree with walking every tap") {
  Rng rng(41);
  for (int round = 0; round < 100; ++round) {
    const Graph graph = random_graph(rng);
    int64_t total_macs = 0;
    int64_t total_params = 0;
    for (const Op& op : graph.ops) {
      CHECK(macs(graph, op) == walked_macs(graph, op));
      total_macs += macs(graph, op);
      total_params += weight_count(graph, op) + bias_count(graph, op);
      CHECK(op.has_weights() == (weight_count(graph, op) > 0));
    }
    CHECK(macs(graph) == total_macs);
    CHECK(params(graph) == total_params);
  }
}

TEST_CASE("check refuses what is not a graph and names the culprit") {
  // input -> a (conv) -> b (depthwise) -> c (a + b)
  Graph good;
  good.name = "g";
  good.tensors = {{"input", {4, 4, 2}}, {"a", {4, 4, 3}}, {"b", {4, 4, 3}}, {"c", {4, 4, 3}}};
  good.input = 0;
  good.output = 3;
  const auto op = [](OpKind kind, const char* name, std::vector<TensorId> inputs, TensorId output) {
    Op made;
    made.kind = kind;
    made.name = name;
    made.inputs = std::move(inputs);
    made.output = output;
    return made;
  };
  good.ops = {op(OpKind::kConv2d, "a", {0}, 1), op(OpKind::kDepthwiseConv2d, "b", {1}, 2),
              op(OpKind::kAdd, "c", {1, 2}, 3)};
  REQUIRE_NOTHROW(good.check());

  const auto message = [&](auto spoil) -> std::string {
    Graph graph = good;
    spoil(graph);
    try {
      graph.check();
    } catch (const Error& error) {
      CHECK(error.code() == ExitCode::kUsage);
      return error.what();
    }
    return "accepted";
  };
  CHECK_THAT(message([](Graph& g) { std::swap(g.ops[0], g.ops[1]); }),
             Contains("\"b\"") && Contains("before"));
  CHECK_THAT(message([](Graph& g) { g.ops[2].inputs = {1, 7}; }), Contains("\"c\"") && Contains("7"));
  CHECK_THAT(message([](Graph& g) { g.ops[2].output = 2; }), Contains("\"c\"") && Contains("second time"));
  CHECK_THAT(message([](Graph& g) {
               g.ops[2].inputs = {2, 2}, g.ops[1].inputs = {0}, g.tensors[2].shape.c = 2;
             }),
             Contains("shape"));
  CHECK_THAT(message([](Graph& g) { g.ops[1].stride_h = 2; }), Contains("\"b\"") && Contains("{2, 4, 3}"));
  CHECK_THAT(message([](Graph& g) { g.ops.pop_back(); }), Contains("\"b\"") && Contains("read by no"));
  CHECK_THAT(message([](Graph& g) {
               g.tensors.push_back({"d", {1, 1, 1}});
             }),
             Contains("\"d\"") && Contains("produced by no operator"));
  CHECK_THAT(message([](Graph& g) {
               g.ops[2].inputs = {1, 1};
             }),
             Contains("\"b\"") && Contains("read by no"));
  CHECK_THAT(message([](Graph& g) { g.ops[1].name = "a"; }), Contains("name of its own"));
  CHECK_THAT(message([](Graph& g) { g.tensors[0].shape.h = 70000; }),
             Contains("\"input\"") && Contains("70000"));
  CHECK_THAT(message([](Graph& g) { g.output = 4; }), Contains("output"));
  CHECK_THAT(message([](Graph& g) { g.ops.clear(); }), Contains("no operators"));
}
