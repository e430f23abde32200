#include <torch/torch.h>

#include "base/interrupt.h"
#include "fixtures.h"
#include "supernet/trainer.h"

using namespace tinynas;

namespace {

TrainOptions short_training() {
  TrainOptions options;
  options.steps = 12;
  options.warmup_fraction = 0.25;
  options.batch_size = 8;
  options.subnets_per_step = 3;
  options.checkpoint_every = 5;
  options.seed = 7;
  return options;
}

std::string train_and_hash(const ImageSet& train, const ComputeOptions& compute,
                           const std::filesystem::path& state, int interrupt_after_samples = -1) {
  const SearchSpace space = small_space();
  const SubSpace sub_space{0.5, 12};
  Supernet supernet(space, sub_space, 2, 1);
  MetricsLog metrics;
  int samples = 0;
  const ArchitectureSampler sampler = [&](Rng& rng) {
    if (++samples == interrupt_after_samples) set_interrupted(true);
    return sample(space, sub_space, rng);
  };
  train_supernet(supernet, train, short_training(), sampler, compute, state, metrics);
  return supernet.checkpoint_hash();
}

}  // namespace

TEST_CASE("training does not depend on the number of workers") {
  const ImageSet train = two_classes(64, 12, 1);
  CHECK(train_and_hash(train, {1, "cpu"}, "") == train_and_hash(train, {3, "cpu"}, ""));
}

TEST_CASE("training that was interrupted and gone on with ends at the same weights") {
  const ImageSet train = two_classes(64, 12, 1);
  const std::string whole = train_and_hash(train, {2, "cpu"}, "");
  const auto state = std::filesystem::temp_directory_path() / ("tinynas_state_" + std::to_string(getpid()));
  for (const int interrupt_after : {1, 10, 20}) {
    CAPTURE(interrupt_after);
    std::filesystem::remove(state);
    try {
      train_and_hash(train, {2, "cpu"}, state, interrupt_after);
      FAIL("went on after the interruption");
    } catch (const Error& error) {
      CHECK(error.code() == ExitCode::kInterrupted);
    }
    set_interrupted(false);
    REQUIRE(std::filesystem::exists(state));
    CHECK(train_and_hash(train, {2, "cpu"}, state) == whole);
    // Whoever could not save the result asks again, and the finished state answers without another step.
    REQUIRE(std::filesystem::exists(state));
    CHECK(train_and_hash(train, {2, "cpu"}, state, 1) == whole);
    std::filesystem::remove(state);
  }
}

TEST_CASE("training learns, and fine-tuning goes on from the supernet's weights") {
  const SearchSpace space = small_space();
  const SubSpace sub_space{0.5, 12};
  const ImageSet train = two_classes(256, 12, 1);
  const ImageSet val = two_classes(100, 12, 2);
  Supernet supernet(space, sub_space, 2, 1);
  MetricsLog metrics;
  TrainOptions options = short_training();
  options.steps = 60;
  options.augment.crop_padding = 0;
  train_supernet(
      supernet, train, options, [&](Rng& rng) { return sample(space, sub_space, rng); }, {2, "cpu"}, "",
      metrics);
  const RecalibrationOptions recalibration{4, 32, 0};
  SupernetEvaluator evaluator(supernet, train, val, "split", recalibration, {2, "cpu"});
  const std::vector<double> accuracies =
      evaluator.evaluate({largest(space, sub_space), smallest(space, sub_space)}, [](size_t, double) {});
  CHECK(accuracies[0] > 0.9);
  CHECK(accuracies[1] > 0.9);
  options.steps = 3;
  options.learning_rate = 1e-3;
  const FinetuneResult tuned = finetune(supernet, smallest(space, sub_space), train, val, options,
                                        recalibration, {2, "cpu"}, "", metrics);
  CHECK(tuned.val_accuracy > 0.9);
  CHECK(tuned.val_accuracy == Approx(float_accuracy(tuned.model, val, {1, "cpu"})));
}

TEST_CASE("the learning rate rises, peaks at its value and falls to nothing") {
  TrainOptions options;
  options.steps = 1000;
  options.learning_rate = 0.2;
  double peak = 0;
  for (int64_t step = 0; step < options.steps; ++step) {
    const double rate = learning_rate_at(options, step);
    CHECK(rate > 0);
    peak = std::max(peak, rate);
    if (step > 100) CHECK(rate <= learning_rate_at(options, step - 1));
  }
  CHECK(peak == Approx(0.2).epsilon(0.02));
  CHECK(learning_rate_at(options, 999) < 1e-5);
}

TEST_CASE("training runs on a GPU where there is one") {
  if (!torch::cuda::is_available()) {
    WARN("SKIPPED: no CUDA device on this machine");
    return;
  }
  const SearchSpace space = small_space();
  const SubSpace sub_space{0.5, 12};
  const ImageSet train = two_classes(256, 12, 1);
  Supernet supernet(space, sub_space, 2, 1);
  MetricsLog metrics;
  TrainOptions options = short_training();
  options.steps = 60;
  options.augment.crop_padding = 0;
  const ComputeOptions gpu{2, "cuda"};
  train_supernet(
      supernet, train, options, [&](Rng& rng) { return sample(space, sub_space, rng); }, gpu, "", metrics);
  SupernetEvaluator evaluator(supernet, train, two_classes(100, 12, 2), "split", {4, 32, 0}, gpu);
  CHECK(evaluator.evaluate({largest(space, sub_space)}, [](size_t, double) {})[0] > 0.9);
}
