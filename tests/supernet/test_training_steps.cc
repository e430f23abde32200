// Steps of the training methods against plain formulas, and what holds for all of them.
#include <torch/torch.h>
#include <unistd.h>

#include "base/interrupt.h"
#include "fixtures.h"
#include "supernet/distillation.h"
#include "supernet/graph_runner.h"
#include "supernet/trainer.h"
#include "supernet/weight_average.h"
#include "supernet/weights.h"

using namespace tinynas;

namespace {

const SubSpace kSubSpace{0.5, 12};

TrainOptions plain_options() {
  TrainOptions options;
  options.steps = 1;
  options.warmup_fraction = 0;
  options.batch_size = 16;
  options.subnets_per_step = 1;
  options.weight_decay = 0;
  options.augment.crop_padding = 0;
  options.augment.flip = false;
  options.seed = 7;
  return options;
}

Supernet trained(const ImageSet& train, const TrainOptions& options, int workers = 2,
                 const std::filesystem::path& state = "", int interrupt_after_samples = -1) {
  Supernet supernet(small_space(), kSubSpace, 2, 1);
  MetricsLog metrics;
  int samples = 0;
  const ArchitectureSampler sampler = [&](Rng& rng) {
    if (++samples == interrupt_after_samples) set_interrupted(true);
    return sample(supernet.space(), kSubSpace, rng);
  };
  train_supernet(supernet, train, options, sampler, {workers, "cpu"}, state, metrics);
  return supernet;
}

// Options of every method, with all that has a state of its own switched on somewhere.
std::vector<TrainOptions> all_methods() {
  TrainOptions options;
  options.steps = 12;
  options.warmup_fraction = 0.25;
  options.batch_size = 8;
  options.subnets_per_step = 2;
  options.checkpoint_every = 5;
  options.seed = 7;
  TrainOptions mcunet = options, ofa = options, sandwich = options;
  mcunet.distillation = Distillation::kAlpha;
  mcunet.augment.mixup = 0.4;
  ofa.method = TrainMethod::kOfa;
  ofa.augment.randaugment = 5;
  sandwich.method = TrainMethod::kSandwich;
  sandwich.subnets_per_step = 1;
  sandwich.ema = 0.9;
  sandwich.augment.cutmix = 1;
  return {mcunet, ofa, sandwich};
}

}  // namespace

TEST_CASE(
    "a step of the sandwich is the mean gradient of its three networks, with and without distillation") {
  // A batch of all images: a step's order of them changes sums by rounding alone.
  const ImageSet train = two_classes(16, 12, 1);
  std::vector<int64_t> all(16);
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<int64_t>(i);
  const Batch batch = make_batch(train, all);
  for (const Distillation kind : {Distillation::kNone, Distillation::kKl, Distillation::kAlpha}) {
    TrainOptions options = plain_options();
    options.method = TrainMethod::kSandwich;
    options.distillation = kind;
    Supernet before(small_space(), kSubSpace, 2, 1);
    {
      // Predictions that differ between the networks: freshly made ones hardly do.
      const torch::NoGradGuard no_grad;
      before.impl().layers.at("classifier").weight.mul_(30);
    }
    Supernet after(std::move(before));
    const SupernetImpl start = after.impl().clone();
    Architecture drawn;
    const ArchitectureSampler sampler = [&](Rng& rng) { return drawn = sample(start.space, kSubSpace, rng); };
    MetricsLog metrics;
    train_supernet(after, train, options, sampler, {2, "cpu"}, "", metrics);

    std::vector<at::Tensor> parameters = start.decayed_parameters();
    for (const at::Tensor& other : start.other_parameters()) parameters.push_back(other);
    const auto logits_of = [&](const Architecture& architecture) {
      return forward_batch_statistics(start, lower(start.space, architecture, 2), batch.images);
    };
    at::Tensor loss = at::cross_entropy_loss(logits_of(start.layout), batch.labels);
    const at::Tensor teacher = logits_of(start.layout).detach();
    for (const Architecture& network : {smallest(start.space, kSubSpace), drawn}) {
      loss = loss + (kind == Distillation::kNone ? at::cross_entropy_loss(logits_of(network), batch.labels)
                                                 : distillation_loss(kind, logits_of(network), teacher));
    }
    const auto gradients = torch::autograd::grad({loss / 3}, parameters, {}, false, false, true);
    std::vector<at::Tensor> moved = after.impl().decayed_parameters();
    for (const at::Tensor& other : after.impl().other_parameters()) moved.push_back(other);
    const double rate = learning_rate_at(options, 0) * (1 + options.momentum);  // Nesterov's first step
    double largest_move = 0;
    for (size_t p = 0; p < parameters.size(); ++p) {
      const at::Tensor expected =
          gradients[p].defined() ? -rate * gradients[p] : at::zeros_like(parameters[p]);
      const at::Tensor got = (moved[p] - parameters[p]).detach();
      CHECK((got - expected).abs().max().item<double>() < 2e-5);
      largest_move = std::max(largest_move, expected.abs().max().item<double>());
    }
    CHECK(largest_move > 1e-3);
  }
}

TEST_CASE("no method depends on the number of workers") {
  const ImageSet train = two_classes(64, 12, 1);
  for (const TrainOptions& options : all_methods())
    CHECK(trained(train, options, 1).checkpoint_hash() == trained(train, options, 3).checkpoint_hash());
}

TEST_CASE(
    "every method goes on after an interruption to the same weights: teacher, maps and average included") {
  const ImageSet train = two_classes(64, 12, 1);
  const auto state = std::filesystem::temp_directory_path() / ("tinynas_steps_" + std::to_string(::getpid()));
  for (const TrainOptions& options : all_methods()) {
    const std::string whole = trained(train, options).checkpoint_hash();
    for (const int samples : {1, 5, 8}) {
      CAPTURE(samples);
      std::filesystem::remove(state);
      CHECK_THROWS_AS(trained(train, options, 2, state, samples), Error);
      set_interrupted(false);
      REQUIRE(std::filesystem::exists(state));
      CHECK(trained(train, options, 2, state).checkpoint_hash() == whole);
      CHECK(trained(train, options, 2, state, 1).checkpoint_hash() == whole);  // finished: no step more
    }
    std::filesystem::remove(state);
  }
}

TEST_CASE("every method learns, down to the smallest network") {
  const ImageSet train = two_classes(256, 12, 1), val = two_classes(100, 12, 2);
  for (TrainOptions options : all_methods()) {
    CAPTURE(static_cast<int>(options.method));
    options.steps = 80;
    options.batch_size = 16;
    options.augment = {};
    options.augment.crop_padding = 0;
    const Supernet supernet = trained(train, options);
    SupernetEvaluator evaluator(supernet, train, val, "split", {4, 32, 0}, {2, "cpu"});
    const std::vector<double> accuracies = evaluator.evaluate(
        {largest(supernet.space(), kSubSpace), smallest(supernet.space(), kSubSpace)}, [](size_t, double) {});
    CHECK(accuracies[0] > 0.9);
    CHECK(accuracies[1] > 0.9);
  }
}

TEST_CASE("Once-for-All's kernel maps are trained and part of the supernet") {
  TrainOptions options = all_methods()[1];
  const Supernet supernet = trained(two_classes(64, 12, 1), options);
  const std::vector<KernelMap>& maps = supernet.impl().layers.at("stage1.block0.depthwise").kernel_maps;
  REQUIRE(maps.size() == 2);
  CHECK((maps[0].matrix - at::eye(25)).abs().max().item<double>() > 1e-6);
  options.kernel_maps = false;
  const Supernet cropped = trained(two_classes(64, 12, 1), options);
  CHECK(cropped.impl().layers.at("stage1.block0.depthwise").kernel_maps.empty());
}

TEST_CASE("the moving average: decay 0 is the last weights, else its recursion") {
  const std::vector<at::Tensor> weights = {at::ones({3}), at::full({2}, 5.0)};
  WeightAverage off(0);
  off.restart(weights);
  off.update(weights);
  off.copy_to(weights);
  CHECK_FALSE(off.on());
  CHECK(at::equal(weights[1], at::full({2}, 5.0)));

  WeightAverage average(0.5);
  average.restart(weights);
  double expected = 1;
  for (int t = 1; t <= 20; ++t) {
    weights[0].fill_(static_cast<double>(t * t));
    average.update(weights);
    const double decay = std::min(0.5, (1.0 + t) / (10.0 + t));
    expected = decay * expected + (1 - decay) * t * t;
    CHECK(average.tensors()[0][0].item<double>() == Approx(expected));
  }
  average.copy_to(weights);
  CHECK(weights[0][2].item<double>() == Approx(expected));

  const ImageSet train = two_classes(64, 12, 1);
  TrainOptions options = all_methods()[2];
  const std::string with = trained(train, options).checkpoint_hash();
  options.ema = 0;
  const std::string last = trained(train, options).checkpoint_hash();
  CHECK(with != last);
  options.ema = 1e-12;  // decays at once: the last weights, but for rounding
  const Supernet nearly = trained(train, options);
  options.ema = 0;
  const Supernet exactly = trained(train, options);
  const auto a = nearly.impl().decayed_parameters(), b = exactly.impl().decayed_parameters();
  for (size_t p = 0; p < a.size(); ++p) CHECK((a[p] - b[p]).abs().max().item<double>() < 1e-6);
}
