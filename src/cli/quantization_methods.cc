#include "cli/quantization_methods.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <numeric>

#include "base/rng.h"
#include "cli/int8_accuracy.h"
#include "cli/options.h"
#include "data/batch.h"
#include "quantize/equalisation.h"

namespace tinynas {
namespace {

// Beside the configured one.
constexpr double kComparedPercentiles[] = {99.9, 99.99, 99.999};

// Of the fine-tuned network on the validation images; null where this run did not measure it.
nlohmann::json fp32_accuracy(const Run& run) {
  const StageRecord* record = run.record("finetune");
  return record == nullptr ? nlohmann::json() : record->summary.value("val_accuracy_fp32", nlohmann::json());
}

int resolution_of(const FloatModel& model) { return model.graph.tensor(model.graph.input).shape.h; }

std::vector<QuantizeOptions> every_method(const QuantizeOptions& configured, bool equalisation_matters) {
  std::vector<double> percentiles(std::begin(kComparedPercentiles), std::end(kComparedPercentiles));
  percentiles.push_back(configured.percentile);
  std::sort(percentiles.begin(), percentiles.end());
  percentiles.erase(std::unique(percentiles.begin(), percentiles.end()), percentiles.end());

  std::vector<QuantizeOptions> calibrations;
  const auto add = [&](const char* calibration, double percentile) {
    QuantizeOptions options = configured;
    options.calibration = calibration;
    options.percentile = percentile;
    calibrations.push_back(options);
  };
  add("minmax", configured.percentile);
  for (const double percentile : percentiles) add("percentile", percentile);
  add("mse", configured.percentile);

  std::vector<QuantizeOptions> methods;
  for (const bool equalisation : {false, true}) {
    if (equalisation && !equalisation_matters) continue;
    for (const bool bias_correction : {false, true}) {
      for (QuantizeOptions options : calibrations) {
        options.equalisation = equalisation;
        options.bias_correction = bias_correction;
        methods.push_back(options);
      }
    }
  }
  return methods;
}

}  // namespace

CalibrationImages::CalibrationImages(Workbench& bench, int resolution, int64_t count) {
  const ImageSet& train = bench.train(resolution);
  std::vector<int64_t> indices(static_cast<size_t>(train.size()));
  std::iota(indices.begin(), indices.end(), 0);
  Rng rng = Rng(static_cast<uint64_t>(bench.config().integer("seed"))).fork("calibration");
  rng.shuffle(indices);
  indices.resize(static_cast<size_t>(std::min(count, train.size())));

  const auto size = static_cast<size_t>(train.image_bytes());
  pixels_.resize(indices.size() * size);
  std::vector<int64_t> labels(indices.size());
  fill_batch(train, indices, pixels_.data(), labels.data());
  for (size_t i = 0; i < indices.size(); ++i) images_.push_back(pixels_.data() + i * size);
}

std::string describe(const QuantizeOptions& options) {
  std::string text = options.calibration;
  if (options.calibration == "percentile") text += fmt::format(" {}", options.percentile);
  if (options.equalisation) text += " + equalisation";
  if (options.bias_correction) text += " + bias correction";
  return text;
}

nlohmann::json judge_quantization(Workbench& bench, const Run& run, const FloatModel& model,
                                  const Int8Model& int8, const QuantizeOptions& options) {
  Equalisation equalisation;
  if (options.equalisation) {
    FloatModel equalised = model;
    equalisation = equalise(equalised);
  }
  const double accuracy =
      int8_accuracy(int8, bench.val(resolution_of(model)), worker_count(bench.config()), "int8 val");
  const nlohmann::json fp32 = fp32_accuracy(run);
  return {{"method", describe(options)},
          {"calibration", options.calibration},
          {"percentile",
           options.calibration == "percentile" ? nlohmann::json(options.percentile) : nlohmann::json()},
          {"equalisation", options.equalisation},
          {"equalised_pairs", equalisation.pairs},
          {"relu6_pairs", equalisation.relu6_pairs},
          {"bias_correction", options.bias_correction},
          {"val_accuracy_int8", accuracy},
          {"val_accuracy_fp32", fp32},
          {"loss_points",
           fp32.is_null() ? nlohmann::json() : nlohmann::json(100 * (fp32.get<double>() - accuracy))}};
}

nlohmann::json compare_quantization_methods(Workbench& bench, const Run& run) {
  const FloatModel model = load_float_model(run.path("model.safetensors"));
  const QuantizeOptions configured = quantize_options(bench.config());
  const CalibrationImages calibration(bench, resolution_of(model), configured.calibration_images);
  FloatModel equalised = model;
  const Equalisation equalisation = equalise(equalised);
  nlohmann::json methods = nlohmann::json::array();
  for (const QuantizeOptions& options : every_method(configured, equalisation.pairs > 0)) {
    spdlog::info("   {}", describe(options));
    const Int8Model int8 = quantize(model, calibration.images(), {kInputScale, kInputZeroPoint}, options);
    methods.push_back(judge_quantization(bench, run, model, int8, options));
    methods.back()["configured"] = describe(options) == describe(configured);
  }
  return {{"val_images", bench.val(resolution_of(model)).size()},
          {"calibration_images", calibration.images().size()},
          {"val_accuracy_fp32", fp32_accuracy(run)},
          {"equalised_pairs", equalisation.pairs},
          {"relu6_pairs", equalisation.relu6_pairs},
          {"methods", methods}};
}

std::string render_quantization_methods(const nlohmann::json& comparison) {
  const nlohmann::json& fp32 = comparison.at("val_accuracy_fp32");
  std::string text = fmt::format(
      "\nint8 top-1 by integer arithmetic on {} validation images, ranges from {} training images; fp32: {}\n"
      "Equalisation: {} pairs of layers can be equalised; {} have a ReLU6 between them and are left alone\n\n"
      "  {:<52} {:>9} {:>22}\n",
      comparison.at("val_images").get<int64_t>(), comparison.at("calibration_images").get<int64_t>(),
      fp32.is_null() ? std::string("not measured by this run")
                     : fmt::format("{:.2f} %", 100 * fp32.get<double>()),
      comparison.at("equalised_pairs").get<int>(), comparison.at("relu6_pairs").get<int>(), "method", "int8",
      "loss against fp32");
  for (const nlohmann::json& method : comparison.at("methods")) {
    const nlohmann::json& loss = method.at("loss_points");
    text += fmt::format("  {:<52} {:>7.2f} % {:>22}{}\n", method.at("method").get<std::string>(),
                        100 * method.at("val_accuracy_int8").get<double>(),
                        loss.is_null() ? std::string("-") : fmt::format("{:+.2f} points", loss.get<double>()),
                        method.at("configured").get<bool>() ? "   <- configured" : "");
  }
  return text;
}

}  // namespace tinynas
