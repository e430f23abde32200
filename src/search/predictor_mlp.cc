#include <tbb/parallel_for.h>

#include <Eigen/Dense>
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>

#include "base/error.h"
#include "search/one_hot.h"
#include "search/predictor.h"

namespace tinynas {
namespace {

using Matrix = Eigen::MatrixXf;  // a column a network: [features, networks]
using Vector = Eigen::VectorXf;

// One dense layer with Adam's moments of each parameter.
struct Layer {
  Matrix weight;  // [out, in]
  Vector bias;
  Matrix weight_first, weight_second;
  Vector bias_first, bias_second;

  Layer() = default;
  // He et al. 2015: normal of variance 2 / in.
  Layer(Eigen::Index out, Eigen::Index in, Rng rng) : weight(out, in), bias(Vector::Zero(out)) {
    const double deviation = std::sqrt(2.0 / static_cast<double>(in));
    for (Eigen::Index i = 0; i < weight.size(); ++i)
      weight.data()[i] = static_cast<float>(deviation * rng.normal());
    weight_first = weight_second = Matrix::Zero(out, in);
    bias_first = bias_second = Vector::Zero(out);
  }

  Matrix forward(const Matrix& x) const { return (weight * x).colwise() + bias; }

  // Adam's step `step` (from 1) with decoupled weight decay on the weights.
  void update(const Matrix& weight_gradient, const Vector& bias_gradient, int step,
              const MlpOptions& options) {
    adam(weight, weight_first, weight_second, weight_gradient, step, options.learning_rate,
         options.learning_rate * options.weight_decay);
    adam(bias, bias_first, bias_second, bias_gradient, step, options.learning_rate, 0);
  }

 private:
  template <typename Values>
  static void adam(Values& values, Values& first, Values& second, const Values& gradient, int step,
                   double rate, double decay) {
    constexpr float kFirst = 0.9f;
    constexpr float kSecond = 0.999f;
    first = kFirst * first + (1 - kFirst) * gradient;
    second = kSecond * second + (1 - kSecond) * gradient.cwiseProduct(gradient);
    const float scale =
        static_cast<float>(rate * std::sqrt(1 - std::pow(0.999, step)) / (1 - std::pow(0.9, step)));
    values = (1 - static_cast<float>(decay)) * values -
             scale * (first.array() / (second.array().sqrt() + 1e-8f)).matrix();
  }
};

struct Member {
  std::array<Layer, 3> layers;

  Eigen::RowVectorXf forward(const Matrix& x) const {
    return layers[2].forward(layers[1].forward(layers[0].forward(x).cwiseMax(0.0f)).cwiseMax(0.0f));
  }

  // One full-batch step on the mean squared error.
  void step(const Matrix& x, const Eigen::RowVectorXf& y, int step, const MlpOptions& options) {
    const Matrix first = layers[0].forward(x).cwiseMax(0.0f);
    const Matrix second = layers[1].forward(first).cwiseMax(0.0f);
    const Matrix output = layers[2].forward(second);
    const Matrix at_output = (output - y) * (2.0f / static_cast<float>(x.cols()));
    const Matrix at_second = back(layers[2], at_output, second);
    const Matrix at_first = back(layers[1], at_second, first);
    layers[2].update(at_output * second.transpose(), at_output.rowwise().sum(), step, options);
    layers[1].update(at_second * first.transpose(), at_second.rowwise().sum(), step, options);
    layers[0].update(at_first * x.transpose(), at_first.rowwise().sum(), step, options);
  }

 private:
  // The gradient before the ReLU whose output is `activated`.
  static Matrix back(const Layer& layer, const Matrix& gradient, const Matrix& activated) {
    return (layer.weight.transpose() * gradient).cwiseProduct((activated.array() > 0).matrix().cast<float>());
  }
};

Matrix columns_of(const Matrix& x, const std::vector<size_t>& indices) {
  Matrix picked(x.rows(), static_cast<Eigen::Index>(indices.size()));
  for (size_t i = 0; i < indices.size(); ++i)
    picked.col(static_cast<Eigen::Index>(i)) = x.col(static_cast<Eigen::Index>(indices[i]));
  return picked;
}

class MlpPredictor final : public Predictor {
 public:
  MlpPredictor(const SearchSpace& space, const SubSpace& sub_space, const MlpOptions& options)
      : encoding_(space, sub_space), options_(options) {
    options_.check();
  }

  void fit(const std::vector<Architecture>& architectures, const std::vector<double>& accuracies,
           const Rng& rng) override {
    if (architectures.size() < 2 || architectures.size() != accuracies.size()) {
      throw std::logic_error("mlp: fit() takes two networks or more and an accuracy for each");
    }
    const double count = static_cast<double>(accuracies.size());
    mean_ = std::accumulate(accuracies.begin(), accuracies.end(), 0.0) / count;
    double squares = 0;
    for (const double accuracy : accuracies) squares += (accuracy - mean_) * (accuracy - mean_);
    deviation_ = std::max(std::sqrt(squares / count), 1e-9);
    const Matrix x = columns(architectures);
    Matrix y(1, x.cols());
    for (size_t i = 0; i < accuracies.size(); ++i)
      y(0, static_cast<Eigen::Index>(i)) = static_cast<float>((accuracies[i] - mean_) / deviation_);
    members_.assign(static_cast<size_t>(options_.members), {});
    // Each member is a task of one thread with a seed of its own: the number of threads changes nothing.
    tbb::parallel_for(size_t{0}, members_.size(), [&](size_t member) {
      members_[member] = train(x, y, rng.fork("member").fork(static_cast<uint64_t>(member)));
    });
  }

  std::vector<double> predict(const std::vector<Architecture>& architectures) const override {
    if (architectures.empty()) return {};
    const Matrix x = columns(architectures);
    std::vector<double> predicted(architectures.size(), mean_);
    for (const Member& member : members_) {
      const Eigen::RowVectorXf y = member.forward(x);
      for (size_t i = 0; i < predicted.size(); ++i)
        predicted[i] += deviation_ * y(static_cast<Eigen::Index>(i)) / static_cast<double>(members_.size());
    }
    return predicted;
  }

 private:
  Matrix columns(const std::vector<Architecture>& architectures) const {
    Matrix x(static_cast<Eigen::Index>(encoding_.columns()), static_cast<Eigen::Index>(architectures.size()));
    for (Eigen::Index i = 0; i < x.cols(); ++i) {
      const std::vector<float> row = encoding_.encode(architectures[static_cast<size_t>(i)]);
      x.col(i) = Eigen::Map<const Vector>(row.data(), x.rows());
    }
    return x;
  }

  Member train(const Matrix& x, const Matrix& y, const Rng& rng) const {
    std::vector<size_t> order(static_cast<size_t>(x.cols()));
    std::iota(order.begin(), order.end(), size_t{0});
    rng.fork("split").shuffle(order);
    const size_t held = std::clamp<size_t>(
        static_cast<size_t>(std::llround(options_.held_out * static_cast<double>(order.size()))), 1,
        order.size() - 1);
    const std::vector<size_t> held_out(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(held));
    const std::vector<size_t> rest(order.begin() + static_cast<std::ptrdiff_t>(held), order.end());
    const Matrix train_x = columns_of(x, rest), train_y = columns_of(y, rest);
    const Matrix judge_x = columns_of(x, held_out), judge_y = columns_of(y, held_out);

    const Eigen::Index hidden = options_.hidden;
    Member member{{Layer(hidden, x.rows(), rng.fork("first")), Layer(hidden, hidden, rng.fork("second")),
                   Layer(1, hidden, rng.fork("last"))}};
    Member best = member;
    float least = std::numeric_limits<float>::infinity();
    int best_step = 0;
    for (int step = 1; step <= options_.max_steps && step - best_step <= options_.patience; ++step) {
      member.step(train_x, train_y, step, options_);
      const float loss = (member.forward(judge_x) - judge_y).squaredNorm();
      if (loss < least) {
        least = loss;
        best = member;
        best_step = step;
      }
    }
    return best;
  }

  OneHotEncoding encoding_;
  MlpOptions options_;
  std::vector<Member> members_;
  double mean_ = 0;
  double deviation_ = 1;
};

}  // namespace

void MlpOptions::check() const {
  const auto require = [](bool ok, const std::string& option, const std::string& expected) {
    if (!ok) throw usage_error("predictor: " + option + " is out of range: expected " + expected);
  };
  require(members >= 1, "members", "at least 1");
  require(hidden >= 1, "hidden", "at least 1");
  require(held_out > 0 && held_out < 1, "held_out", "above 0, below 1");
  require(max_steps >= 1, "max_steps", "at least 1");
  require(patience >= 1, "patience", "at least 1");
  require(learning_rate > 0, "learning_rate", "above 0");
  require(weight_decay >= 0 && weight_decay < 1, "weight_decay", "0 to below 1");
}

std::unique_ptr<Predictor> make_mlp_predictor(const SearchSpace& space, const SubSpace& sub_space,
                                              const MlpOptions& options) {
  return std::make_unique<MlpPredictor>(space, sub_space, options);
}

}  // namespace tinynas
