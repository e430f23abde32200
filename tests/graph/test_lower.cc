#include <catch2/catch.hpp>
#include <set>

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
    const SearchSpace space = random_any_space(rng);
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

TEST_CASE("blocks of their own widths: a residual where two neighbours agree") {
  SearchSpace space;
  space.name = "elastic";
  space.stages = {{24, 2, {3}, {1, 4}, {3}}};
  space.stages[0].block_widths = {0.5, 0.75, 1};
  space.widths = {1};
  space.resolutions = {16};
  space.check();
  const Graph graph = lower(space, {{1.0, 16}, {{{{3, 4, 24}, {3, 4, 24}, {3, 1, 16}}}}}, 7);
  CHECK(graph.tensor(find(graph, "stage0.block0.project")->output).shape.c == 24);
  CHECK(find(graph, "stage0.block1.add") != nullptr);
  CHECK(find(graph, "stage0.block2.add") == nullptr);
  CHECK(find(graph, "stage0.block2.expand") == nullptr);
  CHECK(graph.tensor(find(graph, "stage0.block2.project")->output).shape.c == 16);
}

TEST_CASE("a DS network is a chain: stem of rows by columns, depthwise and 1x1 with ReLU6, no residual") {
  SearchSpace space;
  space.name = "words";
  space.block = BlockKind::kDepthwiseSeparable;
  space.input_channels = 1;
  space.columns = 10;
  space.stem = {16, 10, 2, 4, 1};
  space.stages = {
      {16, 1, {3}, {1}, {1}}, {32, 1, {3, 5}, {1}, {0, 1, 2}, 16, 4}, {48, 2, {3}, {1}, {1}, 16, 4}};
  space.divisor = 4;
  space.widths = {0.5, 1.0};
  space.resolutions = {49};
  space.check();
  const Graph graph =
      lower(space, {{1.0, 49}, {{{{3, 1, 16}}}, {{{5, 1, 20}, {3, 1, 32}}}, {{{3, 1, 24}}}}}, 12);
  std::vector<std::string> names;
  for (const Op& op : graph.ops) names.push_back(op.name);
  CHECK(names == std::vector<std::string>{
                     "stem", "stage0.block0.depthwise", "stage0.block0.project", "stage1.block0.depthwise",
                     "stage1.block0.project", "stage1.block1.depthwise", "stage1.block1.project",
                     "stage2.block0.depthwise", "stage2.block0.project", "pool", "classifier"});
  for (const Op& op : graph.ops) {
    const bool convolution = op.kind == OpKind::kConv2d || op.kind == OpKind::kDepthwiseConv2d;
    CHECK(op.activation == (convolution ? Activation::kRelu6 : Activation::kNone));
    CHECK(op.inputs.size() == 1);
  }
  CHECK(graph.tensor(graph.input).shape == Shape{49, 10, 1});
  const Op& stem = *find(graph, "stem");
  CHECK(stem.kernel_h == 10);
  CHECK(stem.kernel_w == 4);
  CHECK(stem.stride_h == 2);
  CHECK(stem.stride_w == 1);
  CHECK(graph.tensor(stem.output).shape == Shape{25, 10, 16});
  CHECK(graph.tensor(find(graph, "stage1.block0.project")->output).shape == Shape{25, 10, 20});
  CHECK(graph.tensor(find(graph, "stage2.block0.project")->output).shape == Shape{13, 5, 24});
  // By hand: stem, three blocks of depthwise and 1x1 on 25x10, the strided block on 13x5, the classifier.
  const int64_t by_hand = 250 * (40 * 16 + 9 * 16 + 16 * 16 + 25 * 16 + 16 * 20 + 9 * 20 + 20 * 32) +
                          65 * (9 * 32 + 32 * 24) + 24 * 12;
  CHECK(macs(graph) == by_hand);
  // A skipped stage leaves nothing behind; the next reads the one before.
  const Graph skipped = lower(space, {{1.0, 49}, {{{{3, 1, 16}}}, {}, {{{3, 1, 24}}}}}, 12);
  CHECK(skipped.ops.size() == 7);
  CHECK(skipped.tensor(find(skipped, "stage2.block0.depthwise")->output).shape == Shape{13, 5, 16});
}

TEST_CASE("a genotype of a DS space stands for one network alone") {
  // Every genotype of random spaces that are small enough, and the networks that they make, without the
  // operators' names, which tell the stages apart.
  const auto network = [](const SearchSpace& space, const Architecture& architecture) {
    std::string text;
    for (const BlockSpec& block : network_of(space, architecture, 10).blocks) {
      text += std::to_string(block.kernel) + "s" + std::to_string(block.stride) + "c" +
              std::to_string(block.channels) + " ";
    }
    return text;
  };
  Rng rng(62);
  int enumerated = 0;
  for (int round = 0; round < 300; ++round) {
    SearchSpace space = random_ds_space(rng);
    for (StageSpec& stage : space.stages) {
      stage.kernels.resize(1);
      stage.channels = std::min(stage.channels, stage.min_channels + stage.channel_step);
    }
    if (space.problem()) continue;  // cutting channels may have broken a skippable stage
    // All genotypes, stage by stage.
    std::vector<Architecture> all{{{1.0, 32}, {}}};
    for (const StageSpec& stage : space.stages) {
      const ChannelOptions options = channel_options(space, stage, 1.0);
      std::vector<StageChoice> choices;
      for (const int depth : stage.depths) {
        std::vector<StageChoice> of_depth{{}};
        for (int j = 0; j < depth; ++j) {
          std::vector<StageChoice> longer;
          for (const StageChoice& choice : of_depth) {
            for (int c = 0; c < options.count(); ++c) {
              longer.push_back(choice);
              longer.back().blocks.push_back({stage.kernels[0], 1, options.at(c)});
            }
          }
          of_depth = std::move(longer);
        }
        choices.insert(choices.end(), of_depth.begin(), of_depth.end());
      }
      std::vector<Architecture> longer;
      for (const Architecture& architecture : all) {
        for (const StageChoice& choice : choices) {
          longer.push_back(architecture);
          longer.back().stages.push_back(choice);
        }
      }
      all = std::move(longer);
      if (all.size() > 20000) break;
    }
    if (all.size() > 20000) continue;
    ++enumerated;
    std::set<std::string> networks;
    for (const Architecture& architecture : all) networks.insert(network(space, architecture));
    CHECK(networks.size() == all.size());
  }
  CHECK(enumerated > 50);
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
