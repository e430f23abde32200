#include <chrono>

#include "cli/int8_accuracy.h"
#include "cli/options.h"
#include "cli/result.h"
#include "cli/stages.h"
#include "quantize/float_model.h"
#include "supernet/supernet.h"

namespace tinynas {
namespace {

nlohmann::json run_report(Workbench& bench, Run& run) {
  const auto start = std::chrono::steady_clock::now();
  const Config& config = bench.config();
  const FloatModel float_model = load_float_model(run.path("model.safetensors"));
  const Int8Model int8_model = load_int8_model(run.path("model.int8.json"));
  const ImageSet& test = bench.test(float_model.graph.tensor(float_model.graph.input).shape.h);
  TestAccuracy accuracy;
  accuracy.images = test.size();
  accuracy.int8 = int8_accuracy(int8_model, test, worker_count(config), "int8 test");
  accuracy.fp32 = float_accuracy(float_model, test, compute_options(config));
  const double wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  write_json_file(run.path("result.json"), make_result(bench, run, accuracy, wall_s));
  return {{"accuracy_fp32", accuracy.fp32}, {"accuracy_int8", accuracy.int8}};
}

}  // namespace

Stage report_stage(Workbench& bench) {
  return {.name = "report",
          .doc = "accuracy on the test images, and everything the run came to",
          .config_keys = {"data", "name"},
          .inputs = {"space.json", "search.json", "arch.json", "model.safetensors", "model.int8.json",
                     "model.int8.bin", "firmware", "verify.json"},
          .outputs = {"result.json"},
          .run = [&bench](Run& run) { return run_report(bench, run); }};
}

}  // namespace tinynas
