#include <spdlog/spdlog.h>

#include "cli/options.h"
#include "cli/stages.h"
#include "quantize/float_model.h"
#include "supernet/supernet.h"

namespace tinynas {
namespace {

nlohmann::json run_finetune(Workbench& bench, Run& run) {
  const Config& config = bench.config();
  const ArchitectureFile winner = load_architecture(run);
  const int resolution = winner.architecture.sub_space.resolution;
  const Supernet supernet = Supernet::load(run.path("supernet.safetensors"));
  const TrainOptions options = train_options(config, "finetune");
  FinetuneResult result = finetune(supernet, winner.architecture, bench.train(resolution),
                                   bench.val(resolution), options, recalibration_options(config),
                                   compute_options(config), run.path("finetune.state"), run.metrics());
  result.model.class_names = bench.dataset().class_names;
  save_float_model(result.model, run.path("model.safetensors"));
  std::filesystem::remove(run.path("finetune.state"));
  spdlog::info("   fp32 top-1 on the validation images: {:.2f} %", 100 * result.val_accuracy);
  return {{"steps", options.steps}, {"val_accuracy_fp32", result.val_accuracy}};
}

}  // namespace

Stage finetune_stage(Workbench& bench) {
  return {.name = "finetune",
          .doc = "the winner alone, from its supernet weights",
          .config_keys = {"finetune", "augment", "recalibration", "data", "seed"},
          .inputs = {"arch.json", "supernet.safetensors"},
          .outputs = {"model.safetensors"},
          .run = [&bench](Run& run) { return run_finetune(bench, run); }};
}

}  // namespace tinynas
