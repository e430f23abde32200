#include <torch/torch.h>

#include "fixtures.h"
#include "graph/lower.h"
#include "supernet/graph_runner.h"
#include "supernet/weights.h"

using namespace tinynas;

namespace {

constexpr int kClasses = 5;

at::Tensor random_images(int64_t n, int size, uint64_t seed) {
  at::Tensor images = at::empty({n, size, size, 3});
  Rng rng(seed);
  for (int64_t i = 0; i < images.numel(); ++i) images.data_ptr<float>()[i] = static_cast<float>(rng.normal());
  return images.permute({0, 3, 1, 2});
}

double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

// Batch norm far from its initial values, so that a slice of the wrong channels shows.
void randomise_batch_norm(SupernetImpl& weights) {
  const torch::NoGradGuard no_grad;
  Rng rng(99);
  for (auto& [name, layer] : weights.layers) {
    if (!layer.gamma.defined()) continue;
    for (int64_t c = 0; c < layer.gamma.numel(); ++c) {
      layer.gamma.data_ptr<float>()[c] = static_cast<float>(0.5 + rng.uniform());
      layer.beta.data_ptr<float>()[c] = static_cast<float>(rng.normal() * 0.3);
    }
  }
}

// Spaces of both kinds.
std::vector<std::pair<SearchSpace, int>> spaces_and_resolutions() {
  std::vector<std::pair<SearchSpace, int>> all;
  for (const SearchSpace& space : {small_space(), small_wide_space(), small_ds_space()}) {
    for (const int resolution : space.resolutions) all.emplace_back(space, resolution);
  }
  return all;
}

}  // namespace

TEST_CASE("a sub-network computes what a stand-alone network with the copied weights computes") {
  const torch::NoGradGuard no_grad;
  for (const auto& [space, resolution] : spaces_and_resolutions()) {
    const SubSpace sub_space{1.0, resolution};
    SupernetImpl supernet(space, largest(space, sub_space), kClasses, 3);
    randomise_batch_norm(supernet);
    const at::Tensor images = random_images(6, resolution, 4);
    Rng rng(5);
    for (int i = 0; i < 8; ++i) {
      const Architecture architecture = sample(space, sub_space, rng);
      CAPTURE(encode(architecture));
      const SupernetImpl alone = supernet.extract(architecture);
      const Graph graph = lower(space, architecture, kClasses);
      for (const Op& op : graph.ops) {
        if (!op.has_weights()) continue;
        // The stand-alone network holds these weights and no others.
        CHECK(alone.layers.at(op.name).weight.sizes() == supernet.slice(graph, op).weight.sizes());
      }
      CHECK(alone.layers.size() < supernet.layers.size() + 1);
      const at::Tensor shared = forward_batch_statistics(supernet, graph, images);
      const at::Tensor own = forward_batch_statistics(alone, graph, images);
      CHECK(largest_difference(shared, own) < 1e-4);
      CHECK(shared.abs().max().item<double>() > 1e-3);
    }
  }
}

TEST_CASE("slices are the first channels and the centre of the kernel") {
  const SearchSpace space = small_space();
  const SubSpace sub_space{1.0, 16};
  const SupernetImpl supernet(space, largest(space, sub_space), kClasses, 3);
  const Graph graph = lower(space, smallest(space, sub_space), kClasses);
  for (const Op& op : graph.ops) {
    if (op.name != "stage1.block0.depthwise") continue;
    const at::Tensor& full = supernet.layers.at(op.name).weight;
    const at::Tensor part = supernet.slice(graph, op).weight;
    REQUIRE(full.size(2) == 7);
    REQUIRE(part.size(2) == 3);
    CHECK(part.size(0) == 8 * 2);
    CHECK(full.size(0) == 8 * 4);
    for (int c = 0; c < 16; ++c) {
      for (int y = 0; y < 3; ++y) {
        for (int x = 0; x < 3; ++x) {
          CHECK(part[c][0][y][x].item<float>() == full[c][0][y + 2][x + 2].item<float>());
        }
      }
    }
    return;
  }
  FAIL("the smallest network has no stage1.block0.depthwise");
}

TEST_CASE("gradients of a sub-network reach its slices and nothing else") {
  const SearchSpace space = small_space();
  const SubSpace sub_space{1.0, 12};
  const SupernetImpl supernet(space, largest(space, sub_space), kClasses, 3);
  const Graph graph = lower(space, smallest(space, sub_space), kClasses);
  const at::Tensor loss = forward_batch_statistics(supernet, graph, random_images(4, 12, 8)).square().sum();
  const at::Tensor& weight = supernet.layers.at("stage1.block0.depthwise").weight;
  const at::Tensor gradient = torch::autograd::grad({loss}, {weight})[0];
  at::Tensor outside = gradient.clone();
  outside.narrow(0, 0, 16).narrow(2, 2, 3).narrow(3, 2, 3).zero_();
  CHECK(outside.abs().max().item<double>() == 0.0);
  CHECK(gradient.abs().max().item<double>() > 0.0);
}

TEST_CASE("sorting channels keeps the largest network's function and orders importance") {
  const torch::NoGradGuard no_grad;
  const SearchSpace space = small_space();
  const SubSpace sub_space{1.0, 16};
  SupernetImpl supernet(space, largest(space, sub_space), kClasses, 11);
  randomise_batch_norm(supernet);
  const Graph graph = lower(space, supernet.layout, kClasses);
  const at::Tensor images = random_images(6, 16, 4);
  const at::Tensor before = forward_batch_statistics(supernet, graph, images);
  const at::Tensor unsorted = supernet.layers.at("stage2.block1.project").weight.clone();
  supernet.sort_channels();
  CHECK(largest_difference(before, forward_batch_statistics(supernet, graph, images)) < 1e-3);
  const at::Tensor project = supernet.layers.at("stage2.block1.project").weight;
  CHECK(largest_difference(unsorted, project) > 0);
  const at::Tensor importance = project.abs().sum(std::vector<int64_t>{0, 2, 3});
  CHECK((importance.diff() <= 0).all().item<bool>());
}

TEST_CASE("sorting elastic output channels keeps the largest network's function and orders importance") {
  const torch::NoGradGuard no_grad;
  for (const int head_channels : {0, 20}) {
    SearchSpace space = small_ds_space();
    space.head_channels = head_channels;
    const SubSpace sub_space{1.0, 16};
    SupernetImpl supernet(space, largest(space, sub_space), kClasses, 11);
    randomise_batch_norm(supernet);
    const Graph graph = lower(space, supernet.layout, kClasses);
    const at::Tensor images = random_images(6, 16, 4);
    const at::Tensor before = forward_batch_statistics(supernet, graph, images);
    const std::map<std::string, LayerWeights> unsorted = supernet.extract(supernet.layout).layers;
    supernet.sort_channels();
    CHECK(largest_difference(before, forward_batch_statistics(supernet, graph, images)) < 1e-3);
    const std::string last = head_channels > 0 ? "head" : "classifier";
    for (const std::string name :
         {"stage1.block0.project", "stage2.block0.project", "stage2.block2.project", last.c_str()}) {
      CAPTURE(name);
      const at::Tensor weight = supernet.layers.at(name).weight;
      CHECK(largest_difference(unsorted.at(name).weight, weight) > 0);
      const at::Tensor importance = weight.abs().transpose(0, 1).flatten(1).sum(1);
      CHECK((importance.diff() <= 1e-5).all().item<bool>());
    }
    // The stem's channels are not elastic: whoever reads them reads them as before.
    CHECK(largest_difference(unsorted.at("stem").weight, supernet.layers.at("stem").weight) == 0);
    CHECK(largest_difference(unsorted.at("stage0.block0.depthwise").weight,
                             supernet.layers.at("stage0.block0.depthwise").weight) == 0);
  }
}

TEST_CASE("the folded network equals the reference execution of the operator graph") {
  const torch::NoGradGuard no_grad;
  const SearchSpace space = small_space();
  for (const int resolution : {12, 13}) {  // even and odd: SAME padding with stride 2 differs
    const SubSpace sub_space{0.5, resolution};
    SupernetImpl supernet(space, largest(space, sub_space), kClasses, 3);
    randomise_batch_norm(supernet);
    Rng rng(21);
    for (int i = 0; i < 4; ++i) {
      const Graph graph = lower(space, sample(space, sub_space, rng), kClasses);
      const at::Tensor images = random_images(8, resolution, 77);
      StatisticsByOp statistics;
      const at::Tensor batch_logits = forward_batch_statistics(supernet, graph, images, &statistics);
      const FoldedLayers folded = fold_batch_norm(supernet, graph, statistics);
      const at::Tensor logits = forward_folded(folded, graph, images);
      CHECK(largest_difference(batch_logits, logits) < 1e-3);
      const FloatModel model = to_float_model(folded, graph);
      const at::Tensor again = forward_folded(to_folded_layers(model), graph, images);
      CHECK(largest_difference(logits, again) < 1e-5);
      const at::Tensor nhwc = images.permute({0, 2, 3, 1}).contiguous();
      for (int64_t n = 0; n < 2; ++n) {
        const auto tensors = run_float(model, nhwc[n].data_ptr<float>());
        const std::vector<float>& reference = tensors[static_cast<size_t>(graph.output)];
        for (int k = 0; k < kClasses; ++k) {
          CHECK(reference[static_cast<size_t>(k)] == Approx(logits[n][k].item<float>()).margin(1e-3));
        }
      }
    }
  }
}
