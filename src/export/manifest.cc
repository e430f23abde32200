#include "export/manifest.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
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
    throw verification_error("manifest.json: a tensor's shape is " + tensor.at("shape").dump());
  }
  return Shape{sides[0], sides[1], sides[2]}.elements();
}

}  // namespace

PackageManifest read_manifest(const fs::path& package) {
  const fs::path path = package / "manifest.json";
  if (!fs::exists(path))
    throw verification_error("'" + package.string() + "' is no package: it has no manifest.json");
  try {
    const nlohmann::json json = nlohmann::json::parse(read_file(path));
    if (json.at("format") != "tinynas-package-1") {
      throw verification_error("'" + path.string() + "': format is " + json.at("format").dump() +
                               ", expected tinynas-package-1");
    }
    ExportOptions options;
    options.name = json.at("name").get<std::string>();
    options.plan.in_place = json.at("plan").at("in_place").get<bool>();
    options.plan.alignment = json.at("plan").at("alignment").get<int>();
    options.plan.variant =
        variant_of_name(json.at("plan").at("variant").get<std::string>(), path.string() + ": plan.variant");
    options.check();
    for (const auto& [file, hash] : json.at("files").items()) {
      if (!fs::exists(package / file))
        throw verification_error("'" + (package / file).string() + "' is missing");
      const std::string got = hash_file_hex(package / file);
      if (got != hash.get<std::string>()) {
        throw verification_error("'" + (package / file).string() + "' was changed after the export: hash " +
                                 got + ", the manifest says " + hash.get<std::string>());
      }
    }
    return {options.name, options.plan, tensor_bytes(json.at("input")), tensor_bytes(json.at("output"))};
  } catch (const nlohmann::json::exception& error) {
    throw verification_error("'" + path.string() + "': " + error.what());
  }
}

}  // namespace tinynas
