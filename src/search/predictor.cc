#include "search/predictor.h"

#include <algorithm>
#include <cstdio>
#include <numeric>
#include <stdexcept>

#include "base/error.h"

namespace tinynas {

const char* name_of(PredictorKind kind) {
  switch (kind) {
    case PredictorKind::kRidge:
      return "ridge";
    case PredictorKind::kMlp:
      return "mlp";
    default:
      return "none";
  }
}

PredictorKind predictor_from_name(const std::string& name, const std::string& what) {
  for (const PredictorKind kind : {PredictorKind::kNone, PredictorKind::kRidge, PredictorKind::kMlp}) {
    if (name == name_of(kind)) return kind;
  }
  throw usage_error(what + ": got '" + name + "', expected none, ridge or mlp");
}

std::unique_ptr<Predictor> make_predictor(PredictorKind kind, const SearchSpace& space,
                                          const SubSpace& sub_space) {
  switch (kind) {
    case PredictorKind::kRidge:
      return make_ridge_predictor(space, sub_space);
    case PredictorKind::kMlp:
      return make_mlp_predictor(space, sub_space);
    default:
      throw std::logic_error("no predictor was asked for");
  }
}

HeldOutQuality cross_validate(Predictor& predictor, const std::vector<Architecture>& architectures,
                              const std::vector<double>& accuracies, int folds, const Rng& rng) {
  const size_t count = architectures.size();
  HeldOutQuality quality;
  quality.correlation.networks = count;
  if (count < 4) return quality;
  quality.folds = std::clamp(folds, 2, static_cast<int>(count));
  std::vector<size_t> order(count);
  std::iota(order.begin(), order.end(), size_t{0});
  rng.fork("folds").shuffle(order);
  Series predictions(count);
  for (int fold = 0; fold < quality.folds; ++fold) {
    std::vector<Architecture> train, held_out;
    std::vector<double> known;
    std::vector<size_t> asked;
    for (size_t i = 0; i < count; ++i) {
      if (static_cast<int>(i % static_cast<size_t>(quality.folds)) == fold) {
        held_out.push_back(architectures[order[i]]);
        asked.push_back(order[i]);
      } else {
        train.push_back(architectures[order[i]]);
        known.push_back(accuracies[order[i]]);
      }
    }
    predictor.fit(train, known, rng.fork("fold").fork(static_cast<uint64_t>(fold)));
    const std::vector<double> predicted = predictor.predict(held_out);
    for (size_t i = 0; i < asked.size(); ++i) predictions[asked[i]] = predicted[i];
  }
  quality.correlation = rank_correlation(predictions, accuracies, rng.fork("bootstrap"));
  quality.rmse = root_mean_square_error(predictions, accuracies);
  return quality;
}

nlohmann::json to_json(const HeldOutQuality& quality) {
  nlohmann::json json = to_json(quality.correlation);
  json["folds"] = quality.folds;
  json["rmse"] = quality.rmse ? nlohmann::json(*quality.rmse) : nlohmann::json();
  return json;
}

std::string describe(const HeldOutQuality& quality) {
  if (!quality.rmse)
    return "not judged: " + std::to_string(quality.correlation.networks) + " networks are too few";
  char text[96];
  std::snprintf(text, sizeof text, ", RMSE %.2f points (%d folds of %zu networks)", 100 * *quality.rmse,
                quality.folds, quality.correlation.networks);
  return describe(quality.correlation) + text;
}

}  // namespace tinynas
