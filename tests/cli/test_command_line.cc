// The executable itself: exit codes and messages of what goes wrong before any work.
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "binary.h"

using namespace tinynas::testing;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

TEST_CASE("bad usage ends with 2 and says what was expected") {
  struct Case {
    const char* arguments;
    const char* says;
  };
  const Case cases[] = {
      {"", "subcommand"},
      {"serach", "did you mean 'search'?"},
      {"search", "--sram 320k --flash 1M"},
      {"search --sram 320q --flash 1M", "'320q'"},
      {"search --sram 320k --flash 1M --efort quick", "--efort"},
      {"search --sram 320k --flash 1M --effort hasty", "smoke, quick, standard, full"},
      {"search --sram 320k --flash 1M --set train.stpes=5", "did you mean 'train.steps'?"},
      {"search --sram 320k --flash 1M --set train.steps", "KEY=VALUE"},
      {"search --sram 320k --flash 1M --config no/such.yaml", "no/such.yaml"},
      {"search --sram 320k --flash 1M --dry-run --method dnas", "not in this build"},
      {"search --sram 320k --flash 1M --dry-run --runtime tflm", "not in this build"},
      {"search --sram 320k --flash 1M --dry-run --max-latency 200ms", "board"},
      {"search --board no-such-board --dry-run", "no-such-board"},
      {"search --board stm32f746 --dry-run --max-latency 200ms", "--accept-uncalibrated"},
      {"search --board stm32f746 --dry-run --max-energy 20mJ", "uncalibrated"},
      {"calibrate --board stm32f746", "--measurements"},
      {"calibrate --board stm32f746 --measurements no/such.csv", "no/such.csv"},
      {"calibrate --board stm32f746 --measurements /dev/null --runtime other", "tinynas or tflm"},
      {"calibrate --board stm32f746 --measurements tests", "tests: is a folder"},
      {"search --board esp32s3 --dry-run --max-energy 20mJ --accept-uncalibrated", "active_power_mw"},
      {"search --board '' --dry-run", "board"},
      {"search --sram 320k --flash 1M --dry-run --seed -1", "seed"},
      {"estimate ''", "estimate: got ''"},
      {"estimate tests/networks/mcunet-320k.json --board ''", "--board: got ''"},
      {"boards no-such-board", "no-such-board"},
      {"spaces mbconv-32 --board ''", "--board: got ''"},
      {"spaces mbconv-32 --sram ''", "--sram: got ''"},
      {"spaces mbconv-32 --sram 320k --workers -2", "--workers: got -2"},
      {"spaces mbconv-32 --sram 320k --seed -1", "--seed"},
      {"search --resume --out /", "not a run directory"},
      {"quantize no/such/run", "not a run directory"},
      {"spaces mbconv-32", "--sram 320k --flash 1M"},
      {"spaces no-such-space --sram 320k", "no-such-space"},
      {"spaces mbconv-32 --sram 320q", "'320q'"},
      {"spaces mbconv-32 --sram 320k --samples 0", "samples: got 0"},
      {"spaces mbconv-32 --sram 320k --classes 0", "--classes: got 0"},
      {"spaces mbconv-32 --sram 320k --top 0", "--top: got 0"},
      {"spaces mbconv-32 --sram 320k --min-fit-fraction nan", "min_fit_fraction: got"},
      {"spaces mbconv-32 --sram 0", "limit sram: got 0"},
      {"spaces mbconv-32 --boards some", "--boards: got 'some'"},
      {"spaces mbconv-32 --boards all --sram 320k", "--boards all"},
      {"spaces --sram 320k", "no space is named"},
      {"compile m.tflite --out x", "--sram and --flash"},
      {"compile m.tflite --sram 320k --flash 1M", "--out"},
      {"compile m.tflite --sram 320k --flash 1q --out x", "'1q'"},
      {"compile m.tflite --sram 320k --flash 1M --out x --name 9", "C identifier"},
      {"compile no/such.tflite --sram 320k --flash 1M --out x", "no/such.tflite: does not exist"},
      {"compile m.tflite --sram 320k --flash 1M --out ''", "--out: got ''"},
      {"compile m.tflite --sram 320k --flash 1M --out x --seed -1", "'-1'"},
      {"estimate /dev/zero", "a device or a pipe"},
      {"search --sram 320k --flash 1M --config /dev/zero", "a device or a pipe"},
      {"calibrate --board stm32f746 --measurements /dev/zero", "a device or a pipe"},
      {"infer no/such/run --input a --output b", "no/such/run"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.arguments);
    const Outcome outcome = run_tinynas(c.arguments);
    CHECK(outcome.code == 2);
    CHECK_THAT(outcome.out, Contains(c.says));
  }
}

TEST_CASE("an uncalibrated latency binds when that was accepted, a calibrated one at once") {
  for (const char* arguments :
       {"search --board stm32f746 --dry-run --max-latency 200ms --accept-uncalibrated",
        "search --board stm32f746 --dry-run --max-latency 200ms --set limits.accept_uncalibrated=true",
        "search --board nrf52840 --dry-run --max-latency 200ms --max-energy 30mJ"}) {
    CAPTURE(arguments);
    CHECK(run_tinynas(arguments).code == 0);
  }
}

TEST_CASE("calibrate writes a board that search takes, and says how far it is off") {
  const fs::path folder = fs::temp_directory_path() / ("tinynas_calibrate_" + std::to_string(::getpid()));
  fs::create_directories(folder);
  std::ofstream(folder / "m.csv") << "macs,latency_ms\n1e6,12\n2e6,21\n5e6,52\n9e6,90\n";
  const std::string out = (folder / "mine.yaml").string();
  const std::string measured = (folder / "m.csv").string();
  const Outcome onto_itself =
      run_tinynas("calibrate --board stm32f746 --measurements " + measured + " --out " + measured);
  CHECK(onto_itself.code == 2);
  CHECK_THAT(onto_itself.out, Contains("holds the measurements"));
  const std::string command =
      "calibrate --board stm32f746 --measurements " + (folder / "m.csv").string() + " --out " + out;
  const Outcome text = run_tinynas(command);
  CHECK(text.code == 0);
  CHECK_THAT(text.out, Contains("4 measurements") && Contains("measured, error band"));
  const nlohmann::json json = nlohmann::json::parse(run_tinynas(command + " --json", "2>/dev/null").out);
  CHECK(json.at("basis") == "measured");
  CHECK(json.at("groups").at(0).at("r2").get<double>() > 0.99);
  CHECK(run_tinynas("search --board " + out + " --dry-run --max-latency 200ms").code == 0);
  fs::remove_all(folder);
}

TEST_CASE("calibrate shows every row beside its fit, and writes nowhere but here") {
  const fs::path folder = fs::temp_directory_path() / ("tinynas_calibrated_" + std::to_string(::getpid()));
  fs::create_directories(folder / "inner" / "boards");
  std::ifstream good("configs/boards/stm32f746.yaml");
  std::string board((std::istreambuf_iterator<char>(good)), {});
  board.replace(board.find("name: stm32f746"), 15, "name: ../../escaped");
  std::ofstream(folder / "inner" / "boards" / "mine.yaml") << board;
  std::ofstream(folder / "m.csv") << "macs,latency_ms\n1e6,12\n2e6,20\n5e6,52\n9e6,90\n";
  const Outcome outcome = run_tinynas("calibrate --board boards/mine.yaml --measurements ../m.csv", "2>&1",
                                      (folder / "inner").string());
  CAPTURE(outcome.out);
  CHECK(outcome.code == 0);
  CHECK(fs::exists(folder / "inner" / "mine-calibrated.yaml"));
  CHECK_FALSE(fs::exists(folder.parent_path() / "escaped-calibrated.yaml"));
  CHECK_THAT(outcome.out, Contains("residual") && Contains("52.000 ms") && Contains("+1.629 ms"));
  // Two amounts of work are a line through anything: no fit, no file.
  std::ofstream(folder / "m.csv") << "macs,latency_ms\n10e6,100\n10e6,100\n50e6,400\n";
  const Outcome refused =
      run_tinynas("calibrate --board boards/mine.yaml --measurements ../m.csv --out no.yaml", "2>&1",
                  (folder / "inner").string());
  CHECK(refused.code == 2);
  CHECK_FALSE(fs::exists(folder / "inner" / "no.yaml"));
  fs::remove_all(folder);
}

TEST_CASE("help and version end with 0") {
  for (const char* arguments : {"--help", "search --help", "infer --help", "compile --help", "boards --help",
                                "spaces --help", "calibrate --help", "--version"}) {
    CAPTURE(arguments);
    CHECK(run_tinynas(arguments).code == 0);
  }
  CHECK_THAT(run_tinynas("--help").out, Contains("Exit codes") && Contains("search --sram 320k --flash 1M"));
}

TEST_CASE("a dry run prints the resolved configuration as JSON on standard output alone") {
  const Outcome outcome = run_tinynas(
      "search --sram 320k --flash 1M --effort smoke --data mnist --dry-run --json", "2>/dev/null");
  CHECK(outcome.code == 0);
  const nlohmann::json config = nlohmann::json::parse(outcome.out);
  CHECK(config.at("data").at("name") == "mnist");
  CHECK(config.at("limits").at("sram") == 327680);
  CHECK(config.at("limits").at("macs") == 2000000);
}

TEST_CASE("a dry run's YAML is a configuration that resolves to itself") {
  const fs::path file =
      fs::temp_directory_path() / ("tinynas_dry_run_" + std::to_string(::getpid()) + ".yaml");
  const std::string experiment =
      "search --board stm32f746 --effort standard --seed 9 --set train.steps=77 --dry-run";
  REQUIRE(run_tinynas(experiment, "> " + file.string()).code == 0);
  const Outcome first = run_tinynas(experiment + " --json", "2>/dev/null");
  const Outcome again = run_tinynas("search --config " + file.string() + " --dry-run --json", "2>/dev/null");
  CHECK(again.code == 0);
  CHECK(again.out == first.out);
  fs::remove(file);
}

TEST_CASE("boards and spaces are listed") {
  const nlohmann::json boards = nlohmann::json::parse(run_tinynas("boards --json", "2>/dev/null").out);
  REQUIRE(!boards.empty());
  for (const nlohmann::json& board : boards) {
    CHECK(board.at("sram_bytes").get<int64_t>() > 0);
    CHECK(board.at("memory").at("spans").at(0).at("size_bytes") == board.at("sram_bytes"));
    CHECK(board.at("latency").size() == 2);
    for (const nlohmann::json& model : board.at("latency"))
      CHECK(!model.at("source").get<std::string>().empty());
    CHECK(!board.at("price_class").get<std::string>().empty());
    CHECK_THAT(run_tinynas("boards").out, Contains(board.at("name").get<std::string>()));
  }
  const Outcome one = run_tinynas("boards stm32f446");
  CHECK(one.code == 0);
  CHECK_THAT(one.out, Contains("source:") && Contains("mbconv  band not known, r2 not known, 2 rows") &&
                          Contains("MicroNets") && Contains("networks of "));
  CHECK(nlohmann::json::parse(run_tinynas("boards stm32f446 --json", "2>/dev/null").out).at("core") ==
        "cortex-m4");
  CHECK_THAT(run_tinynas("boards").out, Contains("mbconv band not known"));
  const nlohmann::json spaces = nlohmann::json::parse(run_tinynas("spaces --json", "2>/dev/null").out);
  CHECK(!spaces.empty());
  CHECK_THAT(run_tinynas("spaces").out, Contains("mbconv-32") && Contains("dscnn-kws"));
}

TEST_CASE("a space is optimised without data or run directory, the same with any number of workers") {
  const std::string asked = "spaces mbconv-32 --sram 64k --flash 256k --classes 10 --samples 50 --json";
  const Outcome outcome = run_tinynas(asked, "2>/dev/null");
  REQUIRE(outcome.code == 0);
  nlohmann::json one = nlohmann::json::parse(outcome.out);
  CHECK(one.at("seconds").get<double>() > 0);
  CHECK(one.at("sub_spaces").size() == 30);
  CHECK(one.at("sub_spaces").at(0).at("macs_cdf").size() == 21);
  CHECK(one.at("chosen").at("width") == one.at("sub_spaces").at(0).at("width"));
  CHECK(one.at("runner_up").at("behind").get<double>() >= 0);
  nlohmann::json two = nlohmann::json::parse(run_tinynas(asked + " --workers 2", "2>/dev/null").out);
  one.erase("seconds");
  two.erase("seconds");
  CHECK(one == two);
}

TEST_CASE("a space's table, plot and CSV are printed; nothing fits ends with 3") {
  const fs::path csv = fs::temp_directory_path() / ("tinynas_spaces_" + std::to_string(::getpid()) + ".csv");
  const Outcome outcome = run_tinynas(
      "spaces dscnn-kws --board stm32f412 --classes 12 --samples 30 --top 3 --csv " + csv.string(),
      "2>/dev/null");
  CHECK(outcome.code == 0);
  CHECK_THAT(outcome.out, Contains("27 sub-spaces x 30 samples") && Contains("chosen") &&
                              Contains("runner-up") && Contains("MFLOPs") && Contains("100 % |") &&
                              Contains("and 24 more"));
  std::ifstream file(csv);
  int lines = 0;
  for (std::string line; std::getline(file, line); ++lines) {
    CHECK(std::count(line.begin(), line.end(), ',') == 28);
  }
  CHECK(lines == 28);
  fs::remove(csv);
  const Outcome nothing = run_tinynas("spaces mbconv-32 --sram 2k --flash 1M --samples 5");
  CHECK(nothing.code == 3);
  CHECK_THAT(nothing.out, Contains("nothing fits") && Contains("SRAM"));
}

TEST_CASE("--boards all gives the choice for every board from one table of samples") {
  const nlohmann::json matrix = nlohmann::json::parse(
      run_tinynas("spaces mbconv-32 --boards all --samples 20 --json", "2>/dev/null").out);
  const nlohmann::json boards = nlohmann::json::parse(run_tinynas("boards --json", "2>/dev/null").out);
  REQUIRE(matrix.at("boards").size() == boards.size());
  CHECK(matrix.at("cells").size() == matrix.at("sram_bytes").size());
  for (const nlohmann::json& row : matrix.at("cells")) CHECK(row.size() == matrix.at("flash_bytes").size());
  for (size_t i = 0; i < boards.size(); ++i) {
    // A board alone, its reserve counted by the cost model, chooses the same.
    const std::string name = boards[i].at("name");
    const nlohmann::json alone = nlohmann::json::parse(
        run_tinynas("spaces mbconv-32 --board " + name + " --samples 20 --json", "2>/dev/null").out);
    CHECK(matrix.at("boards").at(i).at("board") == name);
    CHECK(matrix.at("boards").at(i).at("chosen") == alone.at("chosen"));
  }
  CHECK_THAT(run_tinynas("spaces mbconv-32 --boards all --samples 20").out,
             Contains("rows SRAM, columns Flash"));
}
