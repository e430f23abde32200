// Quantisation of a run's trained network, by the configured method or by all of them side by side.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/run.h"
#include "cli/workbench.h"
#include "quantize/float_model.h"
#include "quantize/int8_model.h"

namespace tinynas {

// Training images that activation ranges are got from: different ones, drawn by the run's seed, normalised.
class CalibrationImages {
 public:
  CalibrationImages(Workbench& bench, int resolution, int64_t count);
  const std::vector<const float*>& images() const { return images_; }  // each [h][w][c]

 private:
  std::vector<float> pixels_;
  std::vector<const float*> images_;
};

// "mse", "percentile 99.99 + equalisation + bias correction"
std::string describe(const QuantizeOptions& options);

// {"method", "calibration", "percentile", "equalisation", "bias_correction", "equalised_pairs", "relu6_pairs"
// (left alone), "val_accuracy_int8", "val_accuracy_fp32", "loss_points"}: accuracies are top-1 in [0,1] over
// all validation images; the last two are null where the run records no fp32 accuracy. The test images are
// never touched here. `int8` is what `model` was quantised to.
nlohmann::json judge_quantization(Workbench& bench, const Run& run, const FloatModel& model,
                                  const Int8Model& int8, const QuantizeOptions& options);

// Quantises the run's model.safetensors by every method (minmax, percentiles, mse; with and without
// equalisation, where it changes anything, and bias correction) and judges each: {"val_images",
// "val_accuracy_fp32", "methods": [judge_quantization() with "configured"]}. Leaves the run's own int8 model
// alone.
nlohmann::json compare_quantization_methods(Workbench& bench, const Run& run);

// The comparison as a table for people.
std::string render_quantization_methods(const nlohmann::json& comparison);

}  // namespace tinynas
