#include "cli/verify_firmware.h"

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "cli/verify_tflite.h"
#include "export/verify_targets.h"

namespace tinynas {

void verify_firmware(const std::filesystem::path& package, bool json) {
  const ReferenceRuns reference = golden_runs(package);
  std::vector<TargetResult> results = verify_targets(package, reference, {});
  // TensorFlow Lite runs model.tflite: that says nothing of the C code.
  const bool checked = std::any_of(results.begin(), results.end(), [](const TargetResult& result) {
    return result.outcome == Outcome::kPassed;
  });
  results.push_back(verify_tflite(package, reference));
  const bool none_failed = all_passed_or_skipped(results);
  if (json) {
    std::cout << nlohmann::json{{"package", package.string()},
                                {"passed", none_failed && checked},
                                {"targets", to_json(results)}}
                     .dump(1)
              << std::endl;
  } else {
    std::cout << table_of(results);
    if (results.back().outcome == Outcome::kPassed)
      std::cout << "TensorFlow Lite " << results.back().note << "\n";
    std::cout << std::flush;
  }
  if (!none_failed)
    throw Error(ExitCode::kVerification, package.string() + ": the package fails on a target above");
  if (!checked)
    throw Error(ExitCode::kVerification,
                package.string() + ": no compiler is installed, nothing was checked");
}

}  // namespace tinynas
