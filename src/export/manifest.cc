#include "export/manifest.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/error.h"
#include "base/files.h"
#include "base/sha256.h"
#include "export/package.h"

namespace tinynas {
namespace {

namespace fs = std::filesystem;

Error verification_error(const std::string& message) {
  return {ExitCode::kVerification, "verify: " + message};
}

// int8: a byte a value.
int64_t tensor_bytes(const nlohmann::json& tensor) {
  const auto sides = tensor.at("shape").get<std::array<int32_t, 3>>();
  if (std::any_of(sides.begin(), sides.end(), [](int32_t side) { return side < 1; })) {
    throw verification_error("report.json: a tensor's shape is " + tensor.at("shape").dump());
  }
  return Shape{sides[0], sides[1], sides[2]}.elements();
}

PlanOptions plan_options(const nlohmann::json& json, const std::string& where) {
  PlanOptions plan;
  plan.in_place = json.at("in_place").get<bool>();
  plan.alignment = json.at("alignment").get<int>();
  plan.variant = variant_of_name(json.at("variant").get<std::string>(), where + "variant");
  plan.schedule = schedule_from_name(json.at("schedule").get<std::string>(), where + "schedule");
  plan.input = input_kind_from_name(json.at("input").get<std::string>(), where + "input");
  plan.objective = plan_objective_from_name(json.at("objective").get<std::string>(), where + "objective");
  plan.max_extra_macs = json.at("max_extra_macs").get<double>();
  if (!json.at("sram_limit_bytes").is_null())
    plan.sram_limit_bytes = json.at("sram_limit_bytes").get<int64_t>();
  plan.check();
  return plan;
}

// "<64 digits>  <path>", as sha256sum writes and reads it.
void check_files(const fs::path& package) {
  const fs::path path = package / "MANIFEST.sha256";
  if (!fs::exists(path)) throw verification_error("'" + path.string() + "' is missing");
  std::istringstream lines(read_file(path));
  bool lists_report = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.size() < 67 || line.compare(64, 2, "  ") != 0) {
      throw verification_error("'" + path.string() + "': expected a SHA-256, two spaces and a file, got '" +
                               line + "'");
    }
    const std::string file = line.substr(66);
    lists_report |= file == "report.json";
    if (!fs::is_regular_file(package / file))
      throw verification_error("'" + (package / file).string() + "' is missing");
    const std::string got = sha256_file_hex(package / file);
    if (got != line.substr(0, 64)) {
      throw verification_error("'" + (package / file).string() + "' was changed after the export: SHA-256 " +
                               got + ", the manifest says " + line.substr(0, 64));
    }
  }
  if (!lists_report) throw verification_error("'" + path.string() + "' does not list report.json");
}

}  // namespace

bool is_package(const fs::path& folder) {
  return fs::exists(folder / "report.json") || fs::exists(folder / "MANIFEST.sha256");
}

PackageManifest read_manifest(const fs::path& package) {
  const fs::path path = package / "report.json";
  if (!fs::exists(path)) {
    const std::string missing = "'" + package.string() + "' is no package: it has no report.json";
    if (!fs::exists(package / "manifest.json")) throw verification_error(missing);
    throw data_error(missing +
                     ", but a manifest.json as earlier versions of tinynas wrote it: export it again");
  }
  check_files(package);
  try {
    const nlohmann::json json = nlohmann::json::parse(read_file(path));
    if (json.at("format") != "tinynas-package-2") {
      throw data_error(
          "'" + path.string() + "': format is " + json.at("format").dump() +
          ", expected tinynas-package-2: another version of tinynas wrote the package; export it again");
    }
    ExportOptions options;
    options.name = json.at("name").get<std::string>();
    options.plan = plan_options(json.at("plan"), path.string() + ": plan.");
    options.check();
    return {options.name,
            options.plan,
            tensor_bytes(json.at("input")),
            tensor_bytes(json.at("output")),
            json.at("arena").at("bytes").get<int64_t>(),
            json.at("stack_bytes_at_most").get<int64_t>(),
            json.at("golden_vectors").get<int64_t>()};
  } catch (const nlohmann::json::exception& error) {
    throw verification_error("'" + path.string() + "': " + error.what() +
                             "; another version of tinynas wrote the package: export it again");
  }
}

}  // namespace tinynas
