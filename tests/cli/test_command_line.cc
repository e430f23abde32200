// The executable itself: exit codes and messages of what goes wrong before any work.
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

struct Outcome {
  int code = -1;
  std::string out;  // standard output, and standard error too unless it was sent elsewhere
};

Outcome tinynas(const std::string& arguments, const std::string& redirect = "2>&1") {
  const std::string command = std::string(TINYNAS_BINARY) + " " + arguments + " " + redirect;
  FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  Outcome outcome;
  std::array<char, 4096> chunk;
  for (size_t got = 0; (got = std::fread(chunk.data(), 1, chunk.size(), pipe)) > 0;)
    outcome.out.append(chunk.data(), got);
  const int status = ::pclose(pipe);
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

}  // namespace

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
      {"search --resume --out /", "not a run directory"},
      {"quantize no/such/run", "not a run directory"},
      {"infer no/such/run --input a --output b", "no/such/run"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.arguments);
    const Outcome outcome = tinynas(c.arguments);
    CHECK(outcome.code == 2);
    CHECK_THAT(outcome.out, Contains(c.says));
  }
}

TEST_CASE("help and version end with 0") {
  for (const char* arguments : {"--help", "search --help", "infer --help", "boards --help", "--version"}) {
    CAPTURE(arguments);
    CHECK(tinynas(arguments).code == 0);
  }
  CHECK_THAT(tinynas("--help").out, Contains("Exit codes") && Contains("search --sram 320k --flash 1M"));
}

TEST_CASE("a dry run prints the resolved configuration as JSON on standard output alone") {
  const Outcome outcome =
      tinynas("search --sram 320k --flash 1M --effort smoke --data mnist --dry-run --json", "2>/dev/null");
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
  REQUIRE(tinynas(experiment, "> " + file.string()).code == 0);
  const Outcome first = tinynas(experiment + " --json", "2>/dev/null");
  const Outcome again = tinynas("search --config " + file.string() + " --dry-run --json", "2>/dev/null");
  CHECK(again.code == 0);
  CHECK(again.out == first.out);
  fs::remove(file);
}

TEST_CASE("boards and spaces are listed") {
  const nlohmann::json boards = nlohmann::json::parse(tinynas("boards --json", "2>/dev/null").out);
  REQUIRE(!boards.empty());
  for (const nlohmann::json& board : boards) {
    CHECK(board.at("sram_bytes").get<int64_t>() > 0);
    CHECK_THAT(tinynas("boards").out, Contains(board.at("name").get<std::string>()));
  }
  const nlohmann::json spaces = nlohmann::json::parse(tinynas("spaces --json", "2>/dev/null").out);
  CHECK(!spaces.empty());
  CHECK_THAT(tinynas("spaces").out, Contains("mbconv-32"));
}
