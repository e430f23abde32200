// Learned maps from large kernels to small ones (Once-for-All, section 3.2).
#include <torch/torch.h>

#include "fixtures.h"
#include "graph/lower.h"
#include "supernet/graph_runner.h"
#include "supernet/weights.h"

using namespace tinynas;

namespace {

constexpr int kClasses = 5;
const SubSpace kSubSpace{1.0, 16};

at::Tensor random_images(int64_t n, uint64_t seed) {
  at::Tensor images = at::empty({n, 16, 16, 3});
  Rng rng(seed);
  for (int64_t i = 0; i < images.numel(); ++i) images.data_ptr<float>()[i] = static_cast<float>(rng.normal());
  return images.permute({0, 3, 1, 2});
}

void randomise_maps(SupernetImpl& weights) {
  const torch::NoGradGuard no_grad;
  Rng rng(7);
  for (auto& [name, layer] : weights.layers) {
    for (KernelMap& map : layer.kernel_maps) {
      float* values = map.matrix.data_ptr<float>();
      for (int64_t i = 0; i < map.matrix.numel(); ++i) values[i] += static_cast<float>(0.2 * rng.normal());
    }
  }
}

const Op& op_named(const Graph& graph, const std::string& name) {
  for (const Op& op : graph.ops) {
    if (op.name == name) return op;
  }
  throw std::logic_error("no operator " + name);
}

// One map applied by its definition: from the centre of [c, 1, k, k].
at::Tensor map_by_hand(const at::Tensor& weight, const KernelMap& map) {
  at::Tensor small = at::zeros({weight.size(0), 1, map.to, map.to});
  const int64_t offset = (weight.size(2) - map.to) / 2;
  for (int64_t c = 0; c < weight.size(0); ++c) {
    for (int64_t i = 0; i < map.to * map.to; ++i) {
      double sum = 0;
      for (int64_t j = 0; j < map.to * map.to; ++j) {
        sum += map.matrix[i][j].item<double>() *
               weight[c][0][offset + j / map.to][offset + j % map.to].item<double>();
      }
      small[c][0][i / map.to][i % map.to] = sum;
    }
  }
  return small;
}

}  // namespace

TEST_CASE("kernel maps that are identities are the central crop, to the bit") {
  for (const SearchSpace& space : {small_space(), small_wide_space(), small_ds_space()}) {
    const SupernetImpl plain(space, largest(space, kSubSpace), kClasses, 3);
    SupernetImpl mapped = plain.clone();
    mapped.add_kernel_maps();
    Rng rng(4);
    for (int i = 0; i < 6; ++i) {
      const Graph graph = lower(space, sample(space, kSubSpace, rng), kClasses);
      for (const Op& op : graph.ops) {
        if (!op.has_weights()) continue;
        CHECK(at::equal(plain.slice(graph, op).weight, mapped.slice(graph, op).weight));
      }
    }
  }
}

TEST_CASE("a small kernel comes from the large one through every map between them") {
  const SearchSpace space = small_space();
  SupernetImpl weights(space, largest(space, kSubSpace), kClasses, 3);
  weights.add_kernel_maps();
  randomise_maps(weights);
  const std::string name = "stage1.block0.depthwise";
  const LayerWeights& full = weights.layers.at(name);
  REQUIRE(full.kernel_maps.size() == 2);
  CHECK((full.kernel_maps[0].from == 7 && full.kernel_maps[0].to == 5));
  CHECK((full.kernel_maps[1].from == 5 && full.kernel_maps[1].to == 3));
  at::Tensor expected = full.weight.detach();
  for (const int kernel : {7, 5, 3}) {
    Architecture architecture = weights.layout;
    architecture.stages[1].blocks[0].kernel = kernel;
    const Graph graph = lower(space, architecture, kClasses);
    if (kernel < 7) expected = map_by_hand(expected, full.kernel_maps[kernel == 5 ? 0 : 1]);
    const at::Tensor got = weights.slice(graph, op_named(graph, name)).weight;
    REQUIRE(got.sizes() == expected.sizes());
    CHECK((got - expected).abs().max().item<double>() < 1e-5);
  }
}

TEST_CASE("maps learn, stay with their layer, and are gone in a network that stands alone") {
  const SearchSpace space = small_space();
  SupernetImpl weights(space, largest(space, kSubSpace), kClasses, 3);
  const size_t without = weights.other_parameters().size();
  weights.add_kernel_maps();
  weights.add_kernel_maps();  // again changes nothing
  CHECK(weights.other_parameters().size() == without + 2 * 6);
  randomise_maps(weights);
  const Architecture small = smallest(space, kSubSpace);
  const Graph graph = lower(space, small, kClasses);
  const at::Tensor images = random_images(4, 8);
  const at::Tensor logits = forward_batch_statistics(weights, graph, images);
  for (const KernelMap& map : weights.layers.at("stage1.block0.depthwise").kernel_maps) {
    const at::Tensor gradient =
        torch::autograd::grad({logits.square().sum()}, {map.matrix}, {}, /*retain_graph=*/true)[0];
    CHECK(gradient.abs().max().item<double>() > 0);
  }
  const SupernetImpl alone = weights.extract(small);
  for (const auto& [name, layer] : alone.layers) CHECK(layer.kernel_maps.empty());
  CHECK((forward_batch_statistics(alone, graph, images) - logits).abs().max().item<double>() < 1e-4);
  const SupernetImpl copy = weights.clone();
  CHECK(at::equal(forward_batch_statistics(copy, graph, images), logits));
}
