#include <Eigen/Dense>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "search/one_hot.h"
#include "search/predictor.h"

namespace tinynas {
namespace {

constexpr int kHalfDecades = 6;  // penalties from 10^(-6/2) to 10^(6/2)

class RidgePredictor final : public Predictor {
 public:
  RidgePredictor(const SearchSpace& space, const SubSpace& sub_space) : encoding_(space, sub_space) {}

  void fit(const std::vector<Architecture>& architectures, const std::vector<double>& accuracies,
           const Rng&) override {
    if (architectures.size() < 2 || architectures.size() != accuracies.size()) {
      throw std::logic_error("ridge: fit() takes two networks or more and an accuracy for each");
    }
    Eigen::MatrixXd x = rows(architectures);
    const Eigen::VectorXd y =
        Eigen::Map<const Eigen::VectorXd>(accuracies.data(), static_cast<Eigen::Index>(accuracies.size()));
    column_means_ = x.colwise().mean();
    mean_ = y.mean();
    coefficients_ = Eigen::VectorXd::Zero(x.cols());
    if (x.cols() == 0) return;  // nothing is elastic: all are one network
    x.rowwise() -= column_means_;
    const Eigen::VectorXd centred = y.array() - mean_;
    const Eigen::BDCSVD<Eigen::MatrixXd> svd(x, Eigen::ComputeThinU | Eigen::ComputeThinV);
    const Eigen::VectorXd squares = svd.singularValues().array().square();
    const Eigen::VectorXd projected = svd.matrixU().transpose() * centred;
    const double penalty = best_penalty(svd.matrixU(), squares, projected, centred);
    const Eigen::VectorXd scaled =
        projected.array() * svd.singularValues().array() / (squares.array() + penalty);
    coefficients_ = svd.matrixV() * scaled;
  }

  std::vector<double> predict(const std::vector<Architecture>& architectures) const override {
    if (architectures.empty()) return {};
    const Eigen::MatrixXd x = rows(architectures).rowwise() - column_means_;
    const Eigen::VectorXd y = (x * coefficients_).array() + mean_;
    return {y.data(), y.data() + y.size()};
  }

 private:
  Eigen::MatrixXd rows(const std::vector<Architecture>& architectures) const {
    Eigen::MatrixXd x(static_cast<Eigen::Index>(architectures.size()),
                      static_cast<Eigen::Index>(encoding_.columns()));
    for (Eigen::Index i = 0; i < x.rows(); ++i) {
      const std::vector<float> row = encoding_.encode(architectures[static_cast<size_t>(i)]);
      for (Eigen::Index j = 0; j < x.cols(); ++j) x(i, j) = row[static_cast<size_t>(j)];
    }
    return x;
  }

  // The residual of a network that was left out is its residual over 1 - h, h its leverage: of the mean 1/n,
  // and of the coefficients the diagonal of U diag(s^2 / (s^2 + penalty)) U'.
  static double best_penalty(const Eigen::MatrixXd& u, const Eigen::VectorXd& squares,
                             const Eigen::VectorXd& projected, const Eigen::VectorXd& centred) {
    const double count = static_cast<double>(centred.size());
    double best = 1;
    double least = std::numeric_limits<double>::infinity();
    for (int i = -kHalfDecades; i <= kHalfDecades; ++i) {
      const double penalty = std::pow(10.0, i / 2.0);
      const Eigen::VectorXd shrink = squares.array() / (squares.array() + penalty);
      const Eigen::ArrayXd residual = (centred - u * (shrink.array() * projected.array()).matrix()).array();
      const Eigen::ArrayXd leverage = (u.array().square().matrix() * shrink).array() + 1.0 / count;
      const double error = (residual / (1.0 - leverage).max(1e-9)).square().sum();
      if (error < least) {
        least = error;
        best = penalty;
      }
    }
    return best;
  }

  OneHotEncoding encoding_;
  Eigen::RowVectorXd column_means_;
  Eigen::VectorXd coefficients_;
  double mean_ = 0;
};

}  // namespace

std::unique_ptr<Predictor> make_ridge_predictor(const SearchSpace& space, const SubSpace& sub_space) {
  return std::make_unique<RidgePredictor>(space, sub_space);
}

}  // namespace tinynas
