#include <catch2/catch.hpp>

#include "base/error.h"
#include "random_graph.h"

using namespace tinynas;
using namespace tinynas::testing;
using Catch::Matchers::Contains;
using nlohmann::json;

TEST_CASE("graphs survive JSON text") {
  Rng rng(51);
  for (int round = 0; round < 100; ++round) {
    const Graph graph = random_graph(rng);
    const json written = to_json(graph);
    const Graph read = graph_from_json(json::parse(written.dump()), "model.int8.json");
    CHECK(to_json(read) == written);
    CHECK(macs(read) == macs(graph));
  }
}

TEST_CASE("graph errors name the file and the path or the operator") {
  Rng rng(52);
  const json good = to_json(random_graph(rng));
  const auto message = [&](auto spoil) -> std::string {
    json spoilt = good;
    spoil(spoilt);
    try {
      graph_from_json(spoilt, "model.int8.json");
    } catch (const Error& error) {
      CHECK(error.code() == ExitCode::kUsage);
      return error.what();
    }
    return "accepted";
  };
  CHECK_THAT(message([](json& j) { j["ops"][0]["kind"] = "conv3d"; }),
             Contains("model.int8.json: ops[0].kind: got \"conv3d\"") && Contains("depthwise_conv2d"));
  CHECK_THAT(message([](json& j) { j["tensors"][0]["shape"] = {1, 2}; }), Contains("tensors[0].shape"));
  CHECK_THAT(message([](json& j) { j["ops"][0]["inputs"] = {99}; }),
             Contains("model.int8.json: operator \"op0\""));
  CHECK_THAT(message([](json& j) { j["ops"][0]["stirde"] = 1; }), Contains("unknown key \"stirde\""));
}

TEST_CASE("mutated graph JSON throws Error or gives a graph that passes its check") {
  Rng rng(53);
  const std::string good = to_json(RandomGraphBuilder(rng).build(6)).dump();
  int accepted = 0;
  for (int round = 0; round < 4000; ++round) {
    std::string text = good;
    for (int64_t edits = 1 + rng.below(3); edits > 0; --edits) {
      const auto at = static_cast<size_t>(rng.below(static_cast<int64_t>(text.size())));
      text[at] = rng.chance(0.7) ? static_cast<char>('0' + rng.below(10)) : static_cast<char>(rng.below(256));
    }
    const json parsed = json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (parsed.is_discarded()) continue;
    try {
      const Graph graph = graph_from_json(parsed, "g.json");
      CHECK(macs(graph) >= 0);
      ++accepted;
    } catch (const Error& error) {
      CHECK(error.code() == ExitCode::kUsage);
    }
  }
  CHECK(accepted > 0);
}
