#include <torch/torch.h>

#include <set>

#include "fixtures.h"
#include "graph/lower.h"
#include "supernet/evaluation.h"

using namespace tinynas;

TEST_CASE("an accuracy depends on the architecture alone, whoever is evaluated beside it") {
  const SearchSpace space = small_space();
  const SubSpace sub_space{0.5, 12};
  const Supernet supernet(space, sub_space, 2, 1);
  const ImageSet train = two_classes(64, 12, 1);
  const ImageSet val = two_classes(50, 12, 2);
  const std::string before = supernet.checkpoint_hash();
  SupernetEvaluator one(supernet, train, val, "split", {2, 16, 0}, {1, "cpu"});
  SupernetEvaluator three(supernet, train, val, "split", {2, 16, 0}, {3, "cpu"});
  std::vector<Architecture> architectures;
  Rng rng(4);
  for (int i = 0; i < 6; ++i) architectures.push_back(sample(space, sub_space, rng));
  std::set<size_t> reported;
  const std::vector<double> together =
      three.evaluate(architectures, [&](size_t i, double) { reported.insert(i); });
  CHECK(reported.size() == architectures.size());
  for (size_t i = 0; i < architectures.size(); ++i) {
    CHECK(one.evaluate({architectures[i]}, [](size_t, double) {})[0] == together[i]);
  }
  CHECK(one.key() == three.key());
  // Evaluation never writes the shared weights.
  CHECK(supernet.checkpoint_hash() == before);
}

TEST_CASE("the key names all that an accuracy depends on") {
  const SearchSpace space = small_space();
  const Supernet supernet(space, {0.5, 12}, 2, 1);
  const Supernet other(space, {0.5, 12}, 2, 2);
  const ImageSet train = two_classes(64, 12, 1);
  const auto key = [&](const Supernet& net, const std::string& split,
                       const RecalibrationOptions& recalibration) {
    return SupernetEvaluator(net, train, train, split, recalibration, {1, "cpu"}).key();
  };
  const std::string base = key(supernet, "a", {2, 16, 0});
  CHECK(key(supernet, "a", {2, 16, 0}) == base);
  CHECK(key(other, "a", {2, 16, 0}) != base);
  CHECK(key(supernet, "b", {2, 16, 0}) != base);
  CHECK(key(supernet, "a", {3, 16, 0}) != base);
  CHECK(key(supernet, "a", {2, 32, 0}) != base);
  CHECK(key(supernet, "a", {2, 16, 32}) != base);
}

TEST_CASE("recalibrated statistics are the average of the batches' own") {
  const torch::NoGradGuard no_grad;
  const SearchSpace space = small_space();
  const SubSpace sub_space{0.5, 12};
  const Supernet supernet(space, sub_space, 2, 1);
  const ImageSet train = two_classes(32, 12, 1);
  const Graph graph = lower(space, largest(space, sub_space), 2);
  // With one batch of all images the stem's mean is the mean over every pixel, in whatever order they come.
  const StatisticsByOp statistics = recalibrate(supernet.impl(), graph, train, {1, 32, 0}, "cpu");
  at::Tensor images = at::empty({32, 12, 12, 3});
  std::vector<int64_t> indices;
  for (int64_t i = 0; i < 32; ++i) indices.push_back(i);
  std::vector<int64_t> labels(32);
  fill_batch(train, indices, images.data_ptr<float>(), labels.data());
  const at::Tensor stem =
      at::conv2d(images.permute({0, 3, 1, 2}), supernet.impl().layers.at("stem").weight, {}, 1, 1);
  const at::Tensor mean = stem.mean(std::vector<int64_t>{0, 2, 3});
  const at::Tensor variance = stem.var(std::vector<int64_t>{0, 2, 3}, /*unbiased=*/false);
  CHECK((statistics.at("stem").mean - mean).abs().max().item<double>() < 1e-3);
  CHECK(((statistics.at("stem").variance - variance) / variance).abs().max().item<double>() < 1e-2);
}
