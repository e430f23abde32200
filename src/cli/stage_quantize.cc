#include <spdlog/spdlog.h>

#include <numeric>

#include "cli/int8_accuracy.h"
#include "cli/options.h"
#include "cli/stages.h"
#include "data/batch.h"
#include "quantize/float_model.h"
#include "quantize/int8_model.h"

namespace tinynas {
namespace {

// `count` different images, seeded.
std::vector<int64_t> draw_images(const ImageSet& set, int64_t count, Rng rng) {
  std::vector<int64_t> indices(static_cast<size_t>(set.size()));
  std::iota(indices.begin(), indices.end(), 0);
  rng.shuffle(indices);
  indices.resize(static_cast<size_t>(std::min(count, set.size())));
  return indices;
}

nlohmann::json run_quantize(Workbench& bench, Run& run) {
  const Config& config = bench.config();
  const FloatModel model = load_float_model(run.path("model.safetensors"));
  const int resolution = model.graph.tensor(model.graph.input).shape.h;
  const QuantizeOptions options = quantize_options(config);
  const ImageSet& train = bench.train(resolution);
  const Rng rng = Rng(static_cast<uint64_t>(config.integer("seed"))).fork("calibration");
  const std::vector<int64_t> indices = draw_images(train, options.calibration_images, rng);
  std::vector<float> pixels(indices.size() * static_cast<size_t>(train.image_bytes()));
  std::vector<int64_t> labels(indices.size());
  fill_batch(train, indices, pixels.data(), labels.data());
  std::vector<const float*> images;
  for (size_t i = 0; i < indices.size(); ++i)
    images.push_back(pixels.data() + i * static_cast<size_t>(train.image_bytes()));

  const Int8Model int8 = quantize(model, images, {kInputScale, kInputZeroPoint}, options);
  save_int8_model(int8, run.path("model.int8.json"));
  const double accuracy = int8_accuracy(int8, bench.val(resolution), worker_count(config), "int8 val");
  spdlog::info("   int8 top-1 on the validation images: {:.2f} %", 100 * accuracy);
  return {{"calibration_images", images.size()}, {"val_accuracy_int8", accuracy}};
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
