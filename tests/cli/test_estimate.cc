// `tinynas estimate`: what users see of the cost models.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "binary.h"

using namespace tinynas::testing;
using Catch::Matchers::Contains;
using nlohmann::json;

namespace {

json estimate(const std::string& arguments) {
  const Outcome outcome = run_tinynas("estimate " + arguments + " --json", "2>/dev/null");
  CAPTURE(arguments, outcome.out);
  REQUIRE(outcome.code == 0);
  return json::parse(outcome.out);
}

}  // namespace

TEST_CASE("estimate's JSON has the contract's keys, and its items add up") {
  const json net = estimate("tests/networks/mcunet-320k.json");
  CHECK(net["macs"] == 81785520);
  CHECK(net["params"] == 737408);
  CHECK(net["params_on_device"] == 729720);
  CHECK(net["extra_macs"] == 0.0);
  CHECK(net["arena_bytes"] == net["sram"]["arena_bytes"]);
  CHECK(net["arena_bytes"].get<int64_t>() == net["arena_excl_input_bytes"].get<int64_t>() + 176 * 176 * 3);
  int64_t macs = 0;
  int64_t weights = 0;
  int64_t live = 0;
  std::string at;
  for (const json& op : net["operators"]) {
    macs += op["macs"].get<int64_t>();
    weights += op["weights_bytes"].get<int64_t>();
    if (op["live_bytes"] > live) live = op["live_bytes"], at = op["name"];
  }
  CHECK(macs == net["macs"]);
  CHECK(weights == net["flash"]["weights_bytes"]);
  CHECK(at == net["bottleneck"]);
  CHECK(live <= net["arena_bytes"]);
  CHECK(net["peak_activation_bytes"] <= net["lower_bound_bytes"]);
  const json& sram = net["sram"];
  int64_t total = 0;
  for (const char* item :
       {"arena_bytes", "persistent_bytes", "data_bss_bytes", "stack_bytes", "reserve_bytes"})
    total += sram[item].get<int64_t>();
  CHECK(total == sram["total_bytes"]);
  CHECK(net["boards"].size() >= 15);
  for (const json& board : net["boards"]) {
    CHECK(board["sram"]["reserve_bytes"].get<int64_t>() > 0);
    CHECK(board["sram_left_bytes"].get<int64_t>() ==
          board["sram_bytes"].get<int64_t>() - board["sram"]["total_bytes"].get<int64_t>());
    CHECK(board["fits"] == (board["sram_left_bytes"] >= 0 && board["flash_left_bytes"] >= 0));
  }
}

TEST_CASE("papers' figure, another resolution, another runtime") {
  // MCUNet's own figure for this network is 332.8 KiB.
  CHECK(estimate("tests/networks/mcunet-320k.json --accounting mcunet")["peak_activation_bytes"] == 340736);
  const json small = estimate("tests/networks/mobilenetv2-w1.0.json --resolution 96");
  CHECK(small["input_shape"] == json({96, 96, 3}));
  const json tflm = estimate("tests/networks/mcunet-320k.json --runtime tflm");
  CHECK(tflm["runtime"] == "tflm");
  CHECK(tflm["overheads_fitted"] == true);
  CHECK_THAT(run_tinynas("estimate tests/networks/mcunet-320k.json --runtime tflm").out,
             Contains("approximate"));
  CHECK(tflm["sram"]["persistent_bytes"] > 0);
  CHECK(tflm["arena_bytes"] > 300 * 1024);
}

TEST_CASE("every latency says what it rests on, how far it is off, and where nothing is known of that") {
  const auto board_of = [](const std::string& arguments) { return estimate(arguments)["boards"][0]; };
  // Two published networks of this backbone make a line with no error band.
  const json f446 = board_of("tests/networks/mcunet-320k.json --runtime tflm --board stm32f446");
  CHECK(f446["latency_basis"] == "published");
  CHECK(f446["latency_error_band"].is_null());
  CHECK(f446["latency_r2"].is_null());
  CHECK_THAT(f446["latency_source"].get<std::string>(), Contains("MicroNets"));
  CHECK_THAT(run_tinynas("estimate tests/networks/mcunet-320k.json --runtime tflm --board stm32f446").out,
             Contains("ms, band not known") && Contains("r2 not known") && Contains("MicroNets"));
  const json f746 = board_of("tests/networks/mcunet-320k.json --runtime tflm --board stm32f746");
  CHECK(f746["latency_error_band"].get<double>() > 0);
  CHECK(f746["latency_r2"].get<double>() > 0.95);
  CHECK(f746["latency_extrapolated"] == false);
  // More than twice what was measured, and its band is not of there.
  const std::string large =
      "tests/networks/mobilenetv2-w1.0.json --resolution 224 --runtime tflm --board stm32f746";
  CHECK(board_of(large)["latency_extrapolated"] == true);
  CHECK_THAT(run_tinynas("estimate " + large).out, Contains("published, extrapolated"));
  // Counts of another core stand in, and so do the bounds of its code.
  CHECK_THAT(run_tinynas("estimate tests/networks/mcunet-320k.json --board esp32s3").out,
             Contains("standing in for") && Contains("the largest of all cores stand in"));
}

TEST_CASE("a person is told what fits, what does not, and what would help") {
  const Outcome fits = run_tinynas("estimate tests/networks/mcunet-320k.json --board stm32f746");
  CHECK(fits.code == 0);
  CHECK_THAT(fits.out,
             Contains("mcunet-320k.json fits stm32f746") && Contains("here: the bounds for cortex-m7") &&
                 Contains("reserve 4.0 KiB in DTCM") && Contains("The SRAM bottleneck is block1.expand") &&
                 Contains("resolution 176 -> 152"));
  const Outcome too_large = run_tinynas(
      "estimate tests/networks/mobilenetv2-w1.0.json --resolution 224 --board stm32f412 --schedule layer");
  CHECK(too_large.code == 0);
  CHECK_THAT(too_large.out,
             Contains("does not fit stm32f412") && Contains("too much") && Contains("its SRAM would fit"));
  const Outcome streams = run_tinynas("estimate tests/networks/mobilenetv2-w1.0.json --resolution 176");
  CHECK_THAT(streams.out, Contains("esp32s3        streams") && Contains("corstone300    fits"));
  CHECK_THAT(run_tinynas("estimate --help").out, Contains("Examples:") && Contains("--accounting"));
}

TEST_CASE("bad network files end with 2 and name the file and the path inside it") {
  const auto file = std::filesystem::temp_directory_path() / "tinynas_test_estimate.json";
  const auto complaint = [&](const std::string& content, const std::string& arguments = "") {
    std::ofstream(file) << content;
    const Outcome outcome = run_tinynas("estimate " + file.string() + " " + arguments);
    CAPTURE(outcome.out);
    CHECK(outcome.code == 2);
    CHECK_THAT(outcome.out, Contains(file.filename().string()));
    return outcome.out;
  };
  std::ifstream in("tests/networks/mcunet-320k.json");
  json net = json::parse(in);
  CHECK_THAT(complaint("{"), Contains("not valid JSON"));
  CHECK_THAT(complaint("{}"), Contains("is no network"));
  CHECK_THAT(complaint(R"({"first_conv": 1, "blocks": [], "classifier": 2, "blocks": []})"),
             Contains("key \"blocks\" stands twice"));
  net["blocks"][3]["mobile_inverted_conv"]["out_channels"] = 0;
  CHECK_THAT(complaint(net.dump()), Contains("blocks[3].mobile_inverted_conv.out_channels: got 0"));
  net["blocks"][3]["mobile_inverted_conv"]["out_channels"] = 16;
  CHECK_THAT(complaint(net.dump(), "--resolution 60000"), Contains("out of range"));
  std::filesystem::remove(file);
  CHECK(run_tinynas("estimate no/such/file").code == 2);
  CHECK(run_tinynas("estimate tests/networks/mcunet-320k.json --board nowhere").code == 2);
  CHECK(run_tinynas("estimate tests/networks/mcunet-320k.json --runtime other").code == 2);
  CHECK(run_tinynas("estimate tests/networks/mcunet-320k.json --resolution 0").code == 2);
}

TEST_CASE("estimate plans streaming schedules and shows their segments") {
  const std::string file = "tests/networks/mcunet-320k.json";
  const json layer = estimate(file);
  CHECK(layer["schedule"] == "layer");
  CHECK(layer["segments"].size() == 1);
  const json rows = estimate(file + " --schedule stream --input rows");
  CHECK(rows["schedule"] == "stream");
  CHECK(rows["input"] == "rows");
  CHECK(rows["extra_macs"] == 0.0);
  CHECK(rows["arena_bytes"] <= 88 * 1024);
  CHECK(rows["sram"]["input_bytes"].get<int64_t>() ==
        rows["arena_bytes"].get<int64_t>() - rows["arena_excl_input_bytes"].get<int64_t>());
  int operators = 0;
  for (const json& segment : rows["segments"]) {
    operators += segment["operators"].get<int>();
    CHECK(segment["peak_bytes"] <= rows["arena_bytes"]);
    CHECK(segment["strips"] >= 1);
  }
  CHECK(operators == static_cast<int>(rows["operators"].size()));
  const json reread = estimate(file + " --schedule stream --input reread --max-extra-macs 0.2");
  CHECK(reread["extra_macs"] > 0.0);
  CHECK(reread["extra_macs"] <= 0.2);
  CHECK(reread["arena_bytes"] < rows["arena_bytes"]);
  double extra = 0;
  for (const json& segment : reread["segments"]) extra += segment["extra_macs"].get<double>();
  CHECK(extra == Approx(reread["extra_macs"].get<double>()));
  const json within = estimate(file + " --input reread --objective macs --arena 56k");
  CHECK(within["extra_macs"] <= reread["extra_macs"]);
  // Auto streams only where the layer schedule is too large.
  CHECK(estimate(file + " --arena 320k")["schedule"] == "layer");
  CHECK(estimate(file + " --arena 128k")["schedule"] == "stream");
  CHECK_THAT(run_tinynas("estimate " + file + " --schedule stream --input rows").out,
             Contains("Streaming, input rows"));
  CHECK(run_tinynas("estimate " + file + " --schedule layer --input rows").code == 2);
  CHECK(run_tinynas("estimate " + file + " --objective macs").code == 2);
  // A limit that nothing keeps to is said to be missed.
  const std::string missed = file + " --objective macs --schedule stream --arena 1k";
  CHECK(within["arena_limit_met"] == true);
  CHECK(estimate(missed)["arena_limit_met"] == false);
  CHECK_THAT(run_tinynas("estimate " + missed).out, Contains("above --arena 1.0 KiB"));
  for (const char* share : {"inf", "nan", "-0.1", "20%"})
    CHECK(run_tinynas("estimate " + file + " --max-extra-macs " + share).code == 2);
  CHECK(run_tinynas("estimate " + file + " --runtime tflm --schedule stream").code == 2);
}
