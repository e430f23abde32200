#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "base/error.h"
#include "base/files.h"
#include "cli/quantization_methods.h"
#include "cli/result.h"

using namespace tinynas;
using Catch::Matchers::Contains;

namespace {

nlohmann::json example() {
  return nlohmann::json::parse(R"({
    "name": "cifar10", "effort": "quick", "seed": 3, "directory": "runs/x", "firmware": "runs/x/firmware",
    "arch": {"space": {"name": "mbconv-32"}, "width": 0.5, "resolution": 32,
             "stages": [{"blocks": [{"kernel": 3, "expansion": 1}]}, {"blocks": [{"kernel": 5, "expansion": 4}, {"kernel": 7, "expansion": 6}]}]},
    "accuracy": {"supernet": 0.5, "finetuned_fp32": 0.8123, "int8": 0.8101, "test_images": 10000, "val_finetuned_fp32": 0.82, "val_int8": 0.81, "val_images": 5000, "supernet_val_images": 2000},
    "quantization": {"method": "mse + bias correction"},
    "macs": 5900000, "params": 120000,
    "sram": {"total": 60000, "arena": 50000, "input": 3072, "scratch": 100, "persistent": 0, "data_bss": 16, "stack": 400, "reserve": 0},
    "flash": {"total": 150000, "weights": 130000, "tables": 5000, "code": 15000, "code_is_linked": true, "reserve": 0},
    "latency_ms": {"stm32f746": 51.5}, "energy_mj": {"stm32f746": 9.25},
    "latency_basis": {"stm32f746": "measured"}, "latency_error_band": {"stm32f746": 0.124}, "board": "stm32f746",
    "limits": {"sram_bytes": 65536, "flash_bytes": null, "macs": 6000000, "latency_ms": 200, "energy_mj": null},
    "schedule": {"asked": "auto", "chosen": "stream",
      "layer": {"sram_bytes": 90000, "arena_bytes": 80000, "extra_macs": 0, "fits": false},
      "stream": {"sram_bytes": 60000, "arena_bytes": 50000, "extra_macs": 1200000, "fits": true},
      "patches": {"bytes": 30000, "extra_macs": 500000, "patches": 3, "operators": 9},
      "blocks": [{"name": "stem", "operators": 1, "macs": 1, "kernel": 3, "receptive_field": 3, "extra_macs": 1200000, "layer_bytes": 80000, "stream_bytes": 40000}]},
    "caps": [{"key": "limits.macs", "value": "6M", "effort": "quick", "override": "--max-macs N|none"}],
    "space": {"why": "because", "sub_spaces": 30},
    "search": {"evaluated": 100, "generations": 5, "ranking": "pareto",
      "front": [{"arch": "w1.00-r32:k3e1", "accuracy": 0.4321, "sram_bytes": 20480, "flash_bytes": 40960, "macs": 1500000, "latency_ms": 12.5, "schedule": "stream"}],
      "reference": {"largest": {"accuracy": 0.6, "macs": 9000000, "fits": false}, "smallest": {"accuracy": 0.3, "macs": 900000, "fits": true},
                    "median": {"accuracy": 0.4, "macs": 4000000, "fits": true}},
      "comparison": {"by": "supernet", "networks": [{"arch": "a", "macs": 1, "accuracy": 0.4}], "mean": 0.40, "winner": 0.5, "macs_tolerance": 0.1, "finetune_steps": null}},
    "verify": {"images": 100, "inputs": "90 test images and 10 random inputs", "arm_note": "arm-none-eabi-gcc 12"}, "approximate": ["a note"],
    "wall_s": {"space": 1, "train": 60, "evolve": 30, "finetune": 300, "quantize": 2, "export": 1, "verify": 3, "report": 9, "total": 406}})");
}

}  // namespace

TEST_CASE("the report holds every figure, in plain ASCII without colours") {
  const std::string text = render_result(example(), false);
  for (const char* part : {"81.01 %",
                           "81.23 %",
                           "+0.22 points; method: mse + bias correction",
                           "on 2000",
                           "90 test images and 10 random inputs",
                           "58.6 KiB of 64.0 KiB",
                           "not limited",
                           "5.90 M of 6.00 M",
                           "51.5 of 200.0 ms (modelled: measured, +- 12 %)",
                           "measured, +- 12 %   <- --board",
                           "+10.00 points",
                           "--max-macs N|none",
                           "exceeds the limits",
                           "5x5 e4  7x7 e6",
                           "6:46",
                           "runs/x/firmware/",
                           "a note",
                           "because",
                           "chosen: stream",
                           "43.21 %    20.0 KiB    40.0 KiB    1.50 M    12.5 ms  stream  w1.00-r32:k3e1",
                           "exceeds the limit",
                           "1.20 M MACs computed again",
                           "layer   78.1 KiB ###############",
                           "stream   39.1 KiB ========",
                           "3x3 sees   3 rows, 1.20 M MACs again",
                           "29.3 KiB alive with 3 x 3 patches, 500.0 k MACs"}) {
    CAPTURE(part);
    CHECK_THAT(text, Contains(part));
  }
  CHECK(std::all_of(text.begin(), text.end(), [](char c) { return c == '\n' || (c >= 0x20 && c < 0x7f); }));
}

namespace {

// Paths of every member of every object in `value`.
std::vector<nlohmann::json::json_pointer> members(const nlohmann::json& value,
                                                  const nlohmann::json::json_pointer& at = {}) {
  std::vector<nlohmann::json::json_pointer> paths;
  if (!value.is_object()) return paths;
  for (const auto& [key, member] : value.items()) {
    paths.push_back(at / key);
    for (const auto& path : members(member, at / key)) paths.push_back(path);
  }
  return paths;
}

}  // namespace

TEST_CASE("a result of another version of tinynas is refused by what it lacks, and with what to do") {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("tinynas_result_test_" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  const std::filesystem::path file = folder / "result.json";
  write_file_atomic(file, example().dump());
  CHECK(result_text(file, false) == render_result(example(), false));
  int refused = 0;
  for (const auto& path : members(example())) {
    CAPTURE(path.to_string());
    nlohmann::json result = example();
    result[path.parent_pointer()].erase(path.back());
    result["version"] = "0.0.7";
    write_file_atomic(file, result.dump());
    try {
      result_text(file, false);
    } catch (const Error& error) {
      ++refused;
      CHECK(error.code() == ExitCode::kData);
      CHECK_THAT(error.what(), Contains("result.json: key '" + path.back() + "' not found; version 0.0.7") &&
                                   Contains("tinynas report " + folder.string() + " --again"));
    }
  }
  CHECK(refused > 50);
  write_file_atomic(file, "[]");
  CHECK_THROWS_AS(result_text(file, false), Error);
  std::filesystem::remove_all(folder);
}

TEST_CASE("an architecture of DS blocks is shown by its output channels, and what is skipped as such") {
  nlohmann::json result = example();
  result["arch"]["stages"] = nlohmann::json::parse(
      R"([{"blocks": [{"kernel": 3, "channels": 12}]}, {"blocks": []}, {"blocks": [{"kernel": 5, "channels": 56}, {"kernel": 3, "channels": 80}]}])");
  const std::string text = render_result(result, false);
  CHECK_THAT(text, Contains("3x3 c12") && Contains("skipped") && Contains("5x5 c56  3x3 c80") &&
                       Contains("output channels c"));
}

TEST_CASE("a latency without an error band says so") {
  nlohmann::json result = example();
  result["latency_basis"]["stm32f746"] = "uncalibrated";
  result["latency_error_band"]["stm32f746"] = nullptr;
  CHECK_THAT(render_result(result, false), Contains("(modelled: uncalibrated, error not known)"));
}

TEST_CASE("colours change nothing but colours") {
  const std::string coloured = render_result(example(), true);
  std::string stripped;
  for (size_t i = 0; i < coloured.size(); ++i) {
    if (coloured[i] == '\033')
      i = coloured.find('m', i);
    else
      stripped += coloured[i];
  }
  CHECK(stripped == render_result(example(), false));
  CHECK(stripped != coloured);
}

TEST_CASE("a search that found less than random says so") {
  nlohmann::json result = example();
  result["search"]["comparison"]["winner"] = 0.35;
  CHECK_THAT(render_result(result, false), Contains("-5.00 points"));
  result["search"]["comparison"] = nullptr;
  CHECK_THAT(render_result(result, false), Contains("none: no random fitting network"));
}

TEST_CASE("a search by predictor says how many networks were measured and predicted, and how well") {
  nlohmann::json result = example();
  CHECK_THAT(render_result(result, false), !Contains("held out"));
  result["search"]["predictor"] =
      nlohmann::json::parse(R"({"kind": "ridge", "measured": 64, "predicted": 8123,
    "quality": {"folds": 5, "networks": 64, "tau": 0.62, "tau_interval": [0.41, 0.78], "rho": null,
                "rho_interval": null, "rmse": 0.0123}, "rounds": []})");
  CHECK_THAT(render_result(result, false),
             Contains("ridge: 64 networks measured, 8123 predicted") &&
                 Contains("held out: tau 0.62 [0.41, 0.78], rho not defined, RMSE 1.23 points"));
}

TEST_CASE("a search with a proxy says how it ranked, beside #params") {
  nlohmann::json result = example();
  const nlohmann::json figures = {{"networks", 16},
                                  {"tau", 0.3},
                                  {"tau_interval", {-0.1, 0.6}},
                                  {"rho", 0.4},
                                  {"rho_interval", {-0.1, 0.7}}};
  result["search"]["proxy"] = {{"proxy", "synflow"}, {"correlation", figures}, {"params", figures}};
  CHECK_THAT(render_result(result, false),
             Contains("synflow: ranks 16 measured networks with tau 0.30 [-0.10, 0.60]; "
                      "#params with tau 0.30 [-0.10, 0.60]"));
}

TEST_CASE("the quantisation methods are a table with the loss of each; without fp32 there is no loss") {
  nlohmann::json comparison = nlohmann::json::parse(R"({
    "val_images": 5000, "calibration_images": 256, "val_accuracy_fp32": 0.82, "equalised_pairs": 2, "relu6_pairs": 17,
    "methods": [{"method": "minmax", "val_accuracy_int8": 0.8, "loss_points": 2.0, "configured": false},
                {"method": "mse", "val_accuracy_int8": 0.821, "loss_points": -0.1, "configured": true}]})");
  const std::string text = render_quantization_methods(comparison);
  CHECK_THAT(text, Contains("5000 validation images") && Contains("82.00 %") && Contains("+2.00 points\n") &&
                       Contains("-0.10 points   <- configured") && Contains("17 have a ReLU6"));
  comparison["val_accuracy_fp32"] = nullptr;
  for (auto& method : comparison["methods"]) method["loss_points"] = nullptr;
  CHECK_THAT(render_quantization_methods(comparison), Contains("not measured") && !Contains("points"));
}
