#include "export/verify_targets.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "packages.h"

using namespace tinynas;
using namespace tinynas::testing;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

struct Fixture {
  TemporaryFolder folder;
  fs::path package = folder.path() / "a package";

  explicit Fixture(uint64_t seed) {
    const Int8Model model = random_model(seed);
    Rng rng(seed);
    export_package(model, random_inputs(model, 3, rng), package, {});
  }
};

const TargetResult& result_of(const std::vector<TargetResult>& results, const std::string& target) {
  const auto found = std::find_if(results.begin(), results.end(),
                                  [&](const TargetResult& result) { return result.target == target; });
  REQUIRE(found != results.end());
  return *found;
}

}  // namespace

TEST_CASE("a package passes on every compiler and emulated core that is installed") {
  const Fixture f(31);
  const std::vector<TargetResult> results = verify_targets(f.package, golden_runs(f.package), {});
  INFO(table_of(results));
  CHECK(all_passed_or_skipped(results));
  CHECK(results.size() == 2 + 5 + 1 + 3);
  for (const TargetResult& result : results) {
    if (result.outcome == Outcome::kSkipped)
      std::cerr << "\n*** SKIPPED: " << result.target << ": " << result.note << " ***\n\n";
    if (result.outcome != Outcome::kPassed) continue;
    CAPTURE(result.target);
    if (result.target.starts_with("host")) CHECK(result.runs == 3);
    if (!result.target.starts_with("host")) CHECK(result.linked.code_bytes > 0);
    if (!result.target.starts_with("emulate")) continue;
    CHECK(result.runs == 3);
    CHECK(result.painted_stack_bytes > 0);
    CHECK(result.painted_stack_bytes <= result.linked.stack_bytes);
  }
}

TEST_CASE("what is not installed is skipped by name, and does not pass for something that was checked") {
  const Fixture f(32);
  TargetOptions options;
  options.host_compilers = {"no-cc"};
  options.arm_compiler = "no-arm-gcc";
  options.riscv_compiler = "no-riscv-gcc";
  const std::vector<TargetResult> results = verify_targets(f.package, golden_runs(f.package), options);
  for (const TargetResult& result : results) CHECK(result.outcome == Outcome::kSkipped);
  const std::string table = table_of(results);
  CHECK_THAT(table, Contains("SKIPPED host no-cc: 'no-cc' is not installed"));
  CHECK_THAT(table, Contains("SKIPPED emulate cortex-m4: 'no-arm-gcc' is not installed"));
  CHECK_THAT(table, Contains("SKIPPED compile riscv32: 'no-riscv-gcc' is not installed"));
}

TEST_CASE("a wrong output, a wrong arena and a budget that is too small each fail on their core") {
  const Fixture f(33);
  TargetOptions options;
  options.host_compilers = {};
  options.arm_cores = {"cortex-m4"};
  options.riscv_compiler = "no-riscv-gcc";
  options.emulated_cores = {"cortex-m4"};
  const ReferenceRuns reference = golden_runs(f.package);
  if (!emulator_available("cortex-m4")) {
    std::cerr << "\n*** SKIPPED: no emulator, so that no failure was provoked in one ***\n\n";
    return;
  }
  ReferenceRuns other = reference;
  other.outputs[1][0] = static_cast<int8_t>(other.outputs[1][0] ^ 1);
  auto results = verify_targets(f.package, other, options);
  CHECK_FALSE(all_passed_or_skipped(results));
  CHECK(result_of(results, "compile cortex-m4").outcome == Outcome::kPassed);
  CHECK_THAT(result_of(results, "emulate cortex-m4").note, Contains("1 of 3 outputs differ"));

  options.sram_bytes = 64;
  results = verify_targets(f.package, reference, options);
  CHECK_THAT(result_of(results, "emulate cortex-m4").note, Contains("SRAM of 64") && Contains("of SRAM"));
  options.sram_bytes = 0;
  options.flash_bytes = 100;
  results = verify_targets(f.package, reference, options);
  CHECK_THAT(result_of(results, "emulate cortex-m4").note,
             Contains("does not link") && Contains("of Flash too much"));

  options.flash_bytes = 0;
  nlohmann::json report = nlohmann::json::parse(read_file(f.package / "report.json"));
  report["arena"]["bytes"] = report["arena"]["bytes"].get<int64_t>() - 4;
  tamper(f.package, "report.json", report.dump());
  results = verify_targets(f.package, reference, options);
  CHECK_THAT(result_of(results, "compile cortex-m4").note, Contains("the plan says"));
  CHECK_THAT(table_of(results), Contains("FAILED compile cortex-m4"));
  CHECK_THROWS_AS(verify_targets(f.package, {}, options), Error);
}
