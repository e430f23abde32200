// Accuracy from the architecture alone: a regression on measured sub-networks, thousands of times faster than
// an evaluation (Once-for-All, ICLR 2020, section 3.4; MCUNet, NeurIPS 2020).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/rng.h"
#include "search/rank_statistics.h"
#include "space/architecture.h"

namespace tinynas {

class Predictor {
 public:
  virtual ~Predictor() = default;
  // Learns anew from measured accuracies in [0,1]; at least two architectures. Deterministic: depends on the
  // arguments alone, in their order, never on threads.
  virtual void fit(const std::vector<Architecture>& architectures, const std::vector<double>& accuracies,
                   const Rng& rng) = 0;
  // In order; may lie outside [0,1]. Only after fit().
  virtual std::vector<double> predict(const std::vector<Architecture>& architectures) const = 0;
};

enum class PredictorKind { kNone, kRidge, kMlp };
const char* name_of(PredictorKind kind);  // "none", "ridge", "mlp"
// Throws Error(kUsage) naming `what`.
PredictorKind predictor_from_name(const std::string& name, const std::string& what);

// Ridge regression on the one-hot encoding (Hoerl and Kennard 1970). The penalty is, of 10^-3 ... 10^3 in
// half decades, the one with the smallest leave-one-out error, which the singular values give in closed form
// (Allen's PRESS, 1974).
std::unique_ptr<Predictor> make_ridge_predictor(const SearchSpace& space, const SubSpace& sub_space);

struct MlpOptions {
  int members = 4;        // their mean predicts (Lakshminarayanan et al. 2017)
  int hidden = 48;        // units of each of the two hidden layers, ReLU
  double held_out = 0.2;  // part of the networks that stops a member early; another part for each
  int max_steps = 600;    // full-batch Adam (Kingma and Ba 2015)
  int patience = 60;      // steps without a better held-out loss before a member stops
  double learning_rate = 5e-3;
  double weight_decay = 1e-3;  // on weights, decoupled (Loshchilov and Hutter 2019)

  // Throws Error(kUsage) naming the option that is out of range.
  void check() const;
};
// An ensemble of small multi-layer perceptrons on the one-hot encoding. Members train side by side, each from
// a forked seed and keeping the weights of its best held-out loss.
std::unique_ptr<Predictor> make_mlp_predictor(const SearchSpace& space, const SubSpace& sub_space,
                                              const MlpOptions& options = {});

// std::logic_error for kNone.
std::unique_ptr<Predictor> make_predictor(PredictorKind kind, const SearchSpace& space,
                                          const SubSpace& sub_space);

// How a predictor does on sub-networks that it was not trained on.
struct HeldOutQuality {
  int folds = 0;
  RankCorrelation correlation;
  std::optional<double> rmse;  // of the accuracy, in [0,1]
};

// k-fold cross-validation: shuffled by `rng`, each network predicted by a fit on the other folds, and the
// figures over all of these predictions together. `folds` is cut to the number of networks; fewer than 4
// networks give no figures. `predictor` is fitted anew and left so.
HeldOutQuality cross_validate(Predictor& predictor, const std::vector<Architecture>& architectures,
                              const std::vector<double>& accuracies, int folds, const Rng& rng);

// {"folds", "networks", "tau", "tau_interval", "rho", "rho_interval", "rmse"}
nlohmann::json to_json(const HeldOutQuality& quality);
// "tau 0.62 [...], rho 0.80 [...], RMSE 1.31 points (5 folds of 100 networks)"
std::string describe(const HeldOutQuality& quality);

}  // namespace tinynas
