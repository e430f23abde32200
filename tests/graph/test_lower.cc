#include <catch2/catch.hpp>

#include "../space/random_space.h"
#include "base/error.h"
#include "graph/lower.h"
#include "reference_networks.h"

using namespace tinynas;
using namespace tinynas::testing;

namespace {

const Op* find(const Graph& graph, const std::string& name) {
  for (const Op& op : graph.ops) {
    if (op.name == name) return &op;
  }
  return nullptr;
}

}  // namespace

TEST_CASE("every architecture lowers to a valid graph, between the extremes in MACs and parameters") {
  Rng rng(61);
  for (int round = 0; round < 200; ++round) {
    const SearchSpace space = random_space(rng);
    const SubSpace sub_space = random_sub_space(space, rng);
    const Graph graph = lower(space, sample(space, sub_space, rng), 10);
    const Graph most = lower(space, largest(space, sub_space), 10);
    const Graph least = lower(space, smallest(space, sub_space), 10);
    REQUIRE_NOTHROW(graph.check());
    REQUIRE_NOTHROW(most.check());
    REQUIRE_NOTHROW(least.check());
    CHECK(macs(least) <= macs(graph));
    CHECK(macs(graph) <= macs(most));
    CHECK(params(least) <= params(graph));
    CHECK(params(graph) <= params(most));
  }
}

TEST_CASE("operators are named, padded and activated as documented") {
  SearchSpace space;
  space.name = "two stages";
  space.stem = {16, 3, 2};
  space.stages = {{16, 1, {3}, {1}, {1}}, {24, 2, {3, 5}, {3, 4}, {2}}};
  space.head_channels = 40;
  space.widths = {1.0};
  space.resolutions = {32};
  const Graph graph = lower(space, {{1.0, 32}, {{{{3, 1}}}, {{{5, 4}, {3, 3}}}}}, 7);
  std::vector<std::string> names;
  for (const Op& op : graph.ops) names.push_back(op.name);
  CHECK(names ==
        std::vector<std::string>{"stem", "stage0.block0.depthwise", "stage0.block0.project",
                                 "stage0.block0.add", "stage1.block0.expand", "stage1.block0.depthwise",
                                 "stage1.block0.project", "stage1.block1.expand", "stage1.block1.depthwise",
                                 "stage1.block1.project", "stage1.block1.add", "head", "pool", "classifier"});
  const Op& strided = *find(graph, "stage1.block0.depthwise");
  CHECK(strided.kernel_h == 5);
  CHECK(strided.stride_w == 2);
  CHECK(strided.padding == Padding{1, 1, 2, 2});  // 16 rows, k5 s2: 3 in all
  CHECK(strided.activation == Activation::kRelu6);
  CHECK(graph.tensor(strided.output).shape == Shape{8, 8, 64});
  CHECK(find(graph, "stage1.block0.project")->activation == Activation::kNone);
  CHECK(find(graph, "stage1.block1.add")->activation == Activation::kNone);
  CHECK(find(graph, "stem")->activation == Activation::kRelu6);
  CHECK(find(graph, "head")->activation == Activation::kRelu6);
  CHECK(find(graph, "classifier")->activation == Activation::kNone);
  CHECK(graph.tensor(graph.output).shape == Shape{1, 1, 7});
  // The residual reads the block's input.
  CHECK(find(graph, "stage1.block1.add")->inputs[0] == find(graph, "stage1.block1.expand")->inputs[0]);
}

TEST_CASE("published networks have their published MACs and parameters") {
  // Published counts hold two values of batch norm for each channel of a convolution; folded, one remains.
  const auto with_batch_norm = [](const Graph& graph) {
    int64_t count = params(graph);
    for (const Op& op : graph.ops) {
      if (op.kind != OpKind::kFullyConnected) count += bias_count(graph, op);
    }
    return count;
  };
  const auto rounded = [](int64_t value, int64_t unit) { return (value + unit / 2) / unit; };

  const ReferenceNetwork v2 = mobilenet_v2(1.0, 224, 1280);
  const Graph mobilenet = lower(v2.space, v2.architecture, 1000);
  CHECK(macs(mobilenet) == 300774272);  // torchvision's
  CHECK(with_batch_norm(mobilenet) == 3504872);

  const ReferenceNetwork zoo = mobilenet_v2(0.35, 144, 1280);  // MCUNet's model zoo
  const Graph small = lower(zoo.space, zoo.architecture, 1000);
  CHECK(rounded(macs(small), 10000) == 2350);  // 23.50 M
  CHECK(rounded(with_batch_norm(small), 1000) == 750);

  const ReferenceNetwork mcu = mcunet_320k();
  const Graph mcunet = lower(mcu.space, mcu.architecture, 1000);
  CHECK(rounded(macs(mcunet), 10000) == 8179);  // 81.79 M
  CHECK(rounded(with_batch_norm(mcunet), 1000) == 737);
}

TEST_CASE("an architecture outside the space, or too large for the kernels, is refused") {
  const ReferenceNetwork v2 = mobilenet_v2(1.0, 224, 1280);
  Architecture other = v2.architecture;
  other.stages[1].blocks[0].kernel = 5;
  CHECK_THROWS_AS(lower(v2.space, other, 10), Error);
  CHECK_THROWS_AS(lower(v2.space, v2.architecture, 0), Error);
  CHECK_THROWS_AS(lower(v2.space, v2.architecture, 1 << 20), Error);
  SearchSpace huge = v2.space;
  huge.stages[6].channels = 4096;
  huge.stages[6].expansions = {32};
  huge.stages[5].channels = 4096;
  CHECK_THROWS_AS(lower(huge, largest(huge, {1.0, 224}), 10), Error);
}
