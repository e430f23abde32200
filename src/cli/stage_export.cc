#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "base/units.h"
#include "cli/options.h"
#include "cli/stage_summary.h"
#include "cli/stages.h"
#include "cost_models/best_schedule.h"
#include "export/package.h"
#include "quantize/interpreter.h"
#include "tflite/tflite.h"

namespace tinynas {
namespace {

// What earlier stages of the run know of the model. Stages that were not run, as for a run of another build,
// are left out.
ModelFacts facts_of(const Workbench& bench, const Run& run) {
  ModelFacts facts;
  facts.trained_here = true;
  if (run.record("space") != nullptr) {
    const StageSummary space(run, "space");
    const auto name = space.at("data.name").get<std::string>();
    facts.rows.push_back(
        {"Data set",
         fmt::format("{}: {} training, {} validation and {} test images, checksum {}", name,
                     space.at("data.train_images").get<int64_t>(), space.at("data.val_images").get<int64_t>(),
                     space.at("data.test_images").get<int64_t>(),
                     space.at("data.checksum").get<std::string>())});
    facts.data_licence = fmt::format(
        "the data set '{0}'; datasets/{0}.md of tinynas says where it comes from and on "
        "what terms.",
        name);
  }
  const auto add_accuracy = [&](const char* stage, const char* key, const char* what) {
    const StageRecord* record = run.record(stage);
    if (record == nullptr || !record->summary.contains(key)) return;
    facts.rows.push_back({what, fmt::format("{:.2f} %", 100 * record->summary.at(key).get<double>())});
  };
  add_accuracy("finetune", "val_accuracy_fp32", "Top-1, fp32, validation images");
  add_accuracy("quantize", "val_accuracy_int8", "Top-1, int8, validation images");
  facts.rows.push_back({"Seed", std::to_string(bench.config().integer("seed"))});
  return facts;
}

nlohmann::json run_export(Workbench& bench, Run& run) {
  const Int8Model model = load_int8_model(run.path("model.int8.json"));
  const ScheduledCosts scheduled = under_best_schedule(model.graph, bench.cost_options());
  const CostReport& costs = scheduled.costs;
  ExportOptions options = export_options(bench.config(), scheduled.options);
  options.facts = facts_of(bench, run);
  options.extra_files["model.tflite"] = tflite_bytes(model);
  // Golden vectors come from the validation images: the test part is for verify and report.
  const ImageSet& val = bench.val(model.graph.tensor(model.graph.input).shape.h);
  std::vector<std::vector<int8_t>> inputs;
  for (int64_t i = 0; i < std::min<int64_t>(options.golden_vectors, val.size()); ++i) {
    inputs.push_back(quantize_pixels(val.image(i), val.image_bytes()));
  }
  save_tflite(model, run.path("model.tflite"));
  export_package(model, inputs, run.path("firmware"), options);
  spdlog::info("   {}: {} schedule, arena {}, weights and tables {}", run.path("firmware").string(),
               costs.streams ? "stream" : "layer", format_bytes(costs.sram.arena_bytes),
               format_bytes(costs.flash.weights_bytes + costs.flash.tables_bytes));
  for (const std::string& reason : general_layers(model, options.plan).reasons)
    spdlog::info("   slower requantisation for {}", reason);
  spdlog::info("   planned for the kernels {} ({}){}", name_of(options.plan.variant),
               cores_of(options.plan.variant),
               bench.board() == nullptr ? "; --board NAME of `tinynas search` plans for another core" : "");
  return {{"arena_bytes", costs.sram.arena_bytes},
          {"kernels", name_of(options.plan.variant)},
          {"golden_vectors", inputs.size()}};
}

}  // namespace

Stage export_stage(Workbench& bench) {
  return {.name = "export",
          .doc = "the C99 package for the firmware, and the network as model.tflite",
          .config_keys = with_chip_keys({"export", "data"}),
          .inputs = {"model.int8.json", "model.int8.bin"},
          .outputs = {"firmware", "model.tflite"},
          .run = [&bench](Run& run) { return run_export(bench, run); }};
}

}  // namespace tinynas
