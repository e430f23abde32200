#include "supernet/distillation.h"

#include <torch/torch.h>

#include <cmath>
#include <limits>

#include "fixtures.h"

using namespace tinynas;

namespace {

constexpr double kUnbounded = std::numeric_limits<double>::infinity();

at::Tensor random_logits(int64_t n, int64_t classes, double scale, uint64_t seed) {
  at::Tensor logits = at::empty({n, classes}, at::kDouble);
  Rng rng(seed);
  for (int64_t i = 0; i < logits.numel(); ++i) logits.data_ptr<double>()[i] = scale * rng.normal();
  return logits;
}

std::vector<double> softmax(const double* logits, int64_t classes) {
  double sum = 0;
  std::vector<double> p;
  for (int64_t k = 0; k < classes; ++k) sum += std::exp(logits[k]);
  for (int64_t k = 0; k < classes; ++k) p.push_back(std::exp(logits[k]) / sum);
  return p;
}

// The definition, in plain loops.
double plain_divergence(const double* student, const double* teacher, int64_t classes, double alpha,
                        double most) {
  const std::vector<double> q = softmax(student, classes), p = softmax(teacher, classes);
  double sum = 0;
  for (size_t k = 0; k < q.size(); ++k) {
    const double ratio = p[k] / q[k];
    sum += alpha == 1 ? p[k] * std::log(ratio)
                      : q[k] * (std::min(std::pow(ratio, alpha), most) - 1) / (alpha * (alpha - 1));
  }
  return sum;
}

double largest(const at::Tensor& tensor) { return tensor.abs().max().item<double>(); }

}  // namespace

TEST_CASE("divergences are their definitions, 0 at equality and positive elsewhere") {
  const at::Tensor student = random_logits(6, 5, 1.5, 1), teacher = random_logits(6, 5, 1.5, 2);
  for (const double alpha : {-1.0, 0.5, 1.0, 2.0}) {
    for (const double most : {5.0, kUnbounded}) {
      const at::Tensor got = alpha_divergence(student, teacher, alpha, alpha == 1 ? kUnbounded : most);
      for (int64_t i = 0; i < 6; ++i) {
        CHECK(got[i].item<double>() ==
              Approx(plain_divergence(student.data_ptr<double>() + 5 * i, teacher.data_ptr<double>() + 5 * i,
                                      5, alpha, most)));
      }
    }
    CHECK((alpha_divergence(student, teacher, alpha, kUnbounded) > 0).all().item<bool>());
    CHECK(largest(alpha_divergence(student, student, alpha, kUnbounded)) < 1e-12);
  }
}

TEST_CASE("the alpha-divergence tends to KL as alpha tends to 1") {
  const at::Tensor student = random_logits(6, 5, 1, 1), teacher = random_logits(6, 5, 1, 2);
  const at::Tensor kl = alpha_divergence(student, teacher, 1, kUnbounded);
  const double far = largest(alpha_divergence(student, teacher, 1.01, kUnbounded) - kl);
  const double near = largest(alpha_divergence(student, teacher, 1.0001, kUnbounded) - kl);
  CHECK(near < 1e-3);
  CHECK(near < far / 50);
}

TEST_CASE("gradients of the divergences agree with finite differences, and the teacher gets none") {
  const int64_t classes = 4;
  const at::Tensor teacher = random_logits(3, classes, 1, 12).requires_grad_(true);
  for (const double alpha : {-1.0, 0.5, 1.0, 2.0}) {
    CAPTURE(alpha);
    const at::Tensor student = random_logits(3, classes, 1, 11).requires_grad_(true);
    const at::Tensor loss = alpha_divergence(student, teacher, alpha, kUnbounded).sum();
    const auto gradients = torch::autograd::grad({loss}, {student, teacher}, {}, false, false, true);
    CHECK_FALSE(gradients[1].defined());
    for (int64_t i = 0; i < student.numel(); ++i) {
      const double h = 1e-5;
      const auto shifted = [&](double by) {
        at::Tensor moved = student.detach().clone();
        moved.data_ptr<double>()[i] += by;
        const int64_t row = i / classes * classes;
        return plain_divergence(moved.data_ptr<double>() + row, teacher.data_ptr<double>() + row, classes,
                                alpha, kUnbounded);
      };
      CHECK(gradients[0].flatten()[i].item<double>() ==
            Approx((shifted(h) - shifted(-h)) / (2 * h)).margin(1e-7));
    }
  }
}

TEST_CASE("KL's gradient is the difference of the predictions; alpha is the larger side of each image") {
  const at::Tensor student = random_logits(8, 5, 2, 21).requires_grad_(true);
  const at::Tensor teacher = random_logits(8, 5, 2, 22);
  const at::Tensor kl = distillation_loss(Distillation::kKl, student, teacher);
  CHECK(largest(torch::autograd::grad({kl}, {student})[0] -
                (at::softmax(student, 1) - at::softmax(teacher, 1)) / 8) < 1e-12);
  const at::Tensor left = alpha_divergence(student, teacher, -1, 5);
  const at::Tensor right = alpha_divergence(student, teacher, 1, kUnbounded);
  CHECK((left > right).any().item<bool>());
  CHECK((left < right).any().item<bool>());
  CHECK(distillation_loss(Distillation::kAlpha, student, teacher).item<double>() ==
        Approx(at::max(left, right).mean().item<double>()));
}

TEST_CASE("one class that the teacher rules out cannot make the gradient explode") {
  const at::Tensor student = torch::tensor({{0.0, 0.0, 0.0}}, torch::kDouble).requires_grad_(true);
  const at::Tensor teacher = torch::tensor({{10.0, 0.0, -30.0}}, torch::kDouble);
  const auto gradient = [&](double most) {
    return largest(torch::autograd::grad({alpha_divergence(student, teacher, -1, most).sum()}, {student})[0]);
  };
  CHECK(gradient(kUnbounded) > 1e10);
  CHECK(gradient(5) < 5);
  CHECK(gradient(5) > 0.1);
}
