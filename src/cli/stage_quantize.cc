#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "cli/options.h"
#include "cli/quantization_methods.h"
#include "cli/stages.h"
#include "data/batch.h"
#include "quantize/float_model.h"
#include "quantize/int8_model.h"

namespace tinynas {
namespace {

nlohmann::json run_quantize(Workbench& bench, Run& run) {
  const FloatModel model = load_float_model(run.path("model.safetensors"));
  const int resolution = model.graph.tensor(model.graph.input).shape.h;
  const QuantizeOptions options = quantize_options(bench.config());
  const CalibrationImages calibration(bench, resolution, options.calibration_images);
  const Int8Model int8 = quantize(model, calibration.images(), {kInputScale, kInputZeroPoint}, options);
  save_int8_model(int8, run.path("model.int8.json"));

  nlohmann::json summary = judge_quantization(bench, run, model, int8, options);
  summary["calibration_images"] = calibration.images().size();
  if (options.equalisation) {
    spdlog::info("   equalised {} pairs of layers; {} with a ReLU6 between them were left alone",
                 summary.at("equalised_pairs").get<int>(), summary.at("relu6_pairs").get<int>());
  }
  const nlohmann::json& loss = summary.at("loss_points");
  spdlog::info("   int8 top-1 on the validation images: {:.2f} % ({}){}",
               100 * summary.at("val_accuracy_int8").get<double>(), describe(options),
               loss.is_null() ? "" : fmt::format("; {:+.2f} points lost against fp32", loss.get<double>()));
  return summary;
}

}  // namespace

Stage quantize_stage(Workbench& bench) {
  return {.name = "quantize",
          .doc = "int8 weights and activations",
          .config_keys = {"quantize", "data", "seed"},
          .inputs = {"model.safetensors"},
          .outputs = {"model.int8.json", "model.int8.bin"},
          .run = [&bench](Run& run) { return run_quantize(bench, run); }};
}

}  // namespace tinynas
