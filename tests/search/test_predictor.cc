#include <tbb/global_control.h>

#include <catch2/catch.hpp>
#include <set>

#include "search/one_hot.h"
#include "search/predictor.h"
#include "synthetic.h"

using namespace tinynas;

namespace {

const SubSpace kSubSpace{1.0, 24};

struct Networks {
  std::vector<Architecture> architectures;
  std::vector<double> accuracies;
};

template <typename Accuracy>
Networks networks(const SearchSpace& space, int count, uint64_t seed, const Accuracy& accuracy) {
  Networks drawn;
  Rng rng(seed);
  for (int i = 0; i < count; ++i) {
    drawn.architectures.push_back(sample(space, kSubSpace, rng));
    drawn.accuracies.push_back(accuracy(drawn.architectures.back()));
  }
  return drawn;
}

// Linear in the one-hot encoding: what ridge regression can learn to the end.
double additive(const Architecture& architecture) {
  double sum = 0.3;
  for (size_t i = 0; i < architecture.stages.size(); ++i) {
    for (size_t j = 0; j < architecture.stages[i].blocks.size(); ++j) {
      const BlockChoice& block = architecture.stages[i].blocks[j];
      sum += 0.01 * block.expansion - 0.004 * std::abs(block.kernel - 5) + 0.002 * static_cast<double>(i * j);
    }
  }
  return sum;
}

std::vector<std::unique_ptr<Predictor>> all_predictors(const SearchSpace& space) {
  std::vector<std::unique_ptr<Predictor>> all;
  for (const PredictorKind kind : {PredictorKind::kRidge, PredictorKind::kMlp})
    all.push_back(make_predictor(kind, space, kSubSpace));
  return all;
}

double held_out_tau(Predictor& predictor, const Networks& train, const Networks& other) {
  predictor.fit(train.architectures, train.accuracies, Rng(1));
  return kendall_tau_b(predictor.predict(other.architectures), other.accuracies).value();
}

}  // namespace

TEST_CASE("the one-hot encoding has a column for every option and tells all architectures apart") {
  // Two stages of {1,2} blocks with 3 kernels and 3 expansions: 2 * (2 + 2 * (3 + 3)) columns.
  const SearchSpace space = tiny_space();
  const OneHotEncoding encoding(space, kSubSpace);
  CHECK(encoding.columns() == 28);
  Rng rng(2);
  std::set<std::string> texts;
  std::set<std::vector<float>> rows;
  for (int i = 0; i < 500; ++i) {
    const Architecture architecture = sample(space, kSubSpace, rng);
    const std::vector<float> row = encoding.encode(architecture);
    float ones = 0;
    for (const float value : row) {
      CHECK((value == 0.0f || value == 1.0f));
      ones += value;
    }
    // A one for the depth of each stage, two for each block.
    CHECK(ones == 2 + 2 * static_cast<float>(architecture.stages[0].blocks.size() +
                                             architecture.stages[1].blocks.size()));
    texts.insert(encode(architecture));
    rows.insert(row);
  }
  CHECK(rows.size() == texts.size());
  CHECK_THROWS_AS(encoding.encode(smallest(space, {0.5, 24})), std::logic_error);
}

TEST_CASE("elastic widths and depthwise-separable channels are encoded as well") {
  SearchSpace wide = tiny_space();
  for (StageSpec& stage : wide.stages) stage.block_widths = {0.5, 0.75, 1};
  SearchSpace ds = tiny_space();
  ds.block = BlockKind::kDepthwiseSeparable;
  ds.divisor = 4;
  ds.stages = {{16, 1, {3}, {1}, {1}, 8, 4}, {24, 1, {3, 5}, {1}, {0, 1}, 8, 4}};
  for (const SearchSpace& space : {wide, ds}) {
    const OneHotEncoding encoding(space, kSubSpace);
    Rng rng(2);
    std::set<std::string> texts;
    std::set<std::vector<float>> rows;
    for (int i = 0; i < 300; ++i) {
      const Architecture architecture = sample(space, kSubSpace, rng);
      texts.insert(encode(architecture));
      rows.insert(encoding.encode(architecture));
    }
    CHECK(rows.size() == texts.size());
  }
}

TEST_CASE("ridge regression learns what is linear in the choices, to the end") {
  const SearchSpace space = small_space();
  const Networks train = networks(space, 300, 1, additive);
  const Networks other = networks(space, 100, 2, additive);
  const auto ridge = make_ridge_predictor(space, kSubSpace);
  ridge->fit(train.architectures, train.accuracies, Rng(1));
  const std::vector<double> predicted = ridge->predict(other.architectures);
  CHECK(root_mean_square_error(predicted, other.accuracies).value() < 1e-4);
  CHECK(spearman_rho(predicted, other.accuracies).value() > 0.999);  // tau-b would count its exact ties
}

TEST_CASE("predictors rank networks that they have not seen, better with more to learn from") {
  const SearchSpace space = small_space();
  const Networks few = networks(space, 20, 1, synthetic_accuracy);
  const Networks many = networks(space, 300, 1, synthetic_accuracy);
  const Networks other = networks(space, 150, 2, synthetic_accuracy);
  for (const auto& predictor : all_predictors(space)) {
    const double tau_few = held_out_tau(*predictor, few, other);
    const double tau_many = held_out_tau(*predictor, many, other);
    INFO("tau of 20 networks " << tau_few << ", of 300 " << tau_many);
    CHECK(tau_few > 0.1);
    CHECK(tau_many > 0.7);
    CHECK(tau_many > tau_few);
  }
}

TEST_CASE("what cannot be learnt is not: held-out figures are those of unseen networks") {
  const SearchSpace space = small_space();
  Rng noise(9);
  const Networks random =
      networks(space, 80, 1, [&](const Architecture&) { return 0.5 + 0.1 * noise.normal(); });
  for (const auto& predictor : all_predictors(space)) {
    const HeldOutQuality quality =
        cross_validate(*predictor, random.architectures, random.accuracies, 5, Rng(1));
    CHECK(quality.folds == 5);
    CHECK(quality.correlation.networks == 80);
    CHECK(std::abs(quality.correlation.tau.value_or(0)) < 0.3);
    CHECK(quality.rmse.value() > 0.08);
  }
}

TEST_CASE("cross-validation judges a predictor as fresh networks do") {
  const SearchSpace space = small_space();
  const Networks train = networks(space, 150, 1, synthetic_accuracy);
  const Networks other = networks(space, 200, 2, synthetic_accuracy);
  for (const auto& predictor : all_predictors(space)) {
    const double fresh = held_out_tau(*predictor, train, other);
    const HeldOutQuality quality =
        cross_validate(*predictor, train.architectures, train.accuracies, 5, Rng(1));
    CHECK(quality.correlation.tau.value() == Approx(fresh).margin(0.1));
    CHECK(to_json(quality).at("rmse").get<double>() > 0);
    CHECK(to_json(quality) ==
          to_json(cross_validate(*predictor, train.architectures, train.accuracies, 5, Rng(1))));
  }
  const auto ridge = make_ridge_predictor(space, kSubSpace);
  const Networks three = networks(space, 3, 1, synthetic_accuracy);
  CHECK_FALSE(
      cross_validate(*ridge, three.architectures, three.accuracies, 5, Rng(1)).correlation.tau.has_value());
}

TEST_CASE("a fit depends on its seed and not on threads") {
  const SearchSpace space = small_space();
  const Networks train = networks(space, 60, 1, synthetic_accuracy);
  const Networks other = networks(space, 40, 2, synthetic_accuracy);
  for (const auto& predictor : all_predictors(space)) {
    std::vector<std::vector<double>> by_threads;
    for (const size_t threads : {1, 2, 4}) {
      const tbb::global_control limit(tbb::global_control::max_allowed_parallelism, threads);
      predictor->fit(train.architectures, train.accuracies, Rng(1));
      by_threads.push_back(predictor->predict(other.architectures));
    }
    CHECK(by_threads[0] == by_threads[1]);
    CHECK(by_threads[0] == by_threads[2]);
  }
  const auto mlp = make_mlp_predictor(space, kSubSpace);
  mlp->fit(train.architectures, train.accuracies, Rng(1));
  const std::vector<double> one = mlp->predict(other.architectures);
  mlp->fit(train.architectures, train.accuracies, Rng(2));
  CHECK(mlp->predict(other.architectures) != one);
}

TEST_CASE("predictors have names, and options out of range are refused") {
  for (const PredictorKind kind : {PredictorKind::kNone, PredictorKind::kRidge, PredictorKind::kMlp})
    CHECK(predictor_from_name(name_of(kind), "x") == kind);
  CHECK_THROWS_WITH(predictor_from_name("forest", "search.predictor"),
                    Catch::Matchers::Contains("search.predictor: got 'forest'"));
  MlpOptions options;
  options.held_out = 1;
  CHECK_THROWS_WITH(options.check(), Catch::Matchers::Contains("held_out"));
}
