#include "export/package.h"

#include <algorithm>
#include <set>
#include <system_error>

#include "base/error.h"
#include "base/files.h"
#include "base/interrupt.h"
#include "export/package_files.h"
#include "quantize/interpreter.h"

namespace tinynas {
namespace {

namespace fs = std::filesystem;

bool is_c_identifier(const std::string& name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return !name.empty() && letter(name[0]) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || digit(c) || c == '_'; });
}

std::vector<GoldenVector> golden_vectors(const Int8Model& model,
                                         const std::vector<std::vector<int8_t>>& inputs, int count) {
  if (inputs.empty()) throw usage_error("export: no images for golden vectors, expected at least one");
  const int64_t expected = model.graph.tensor(model.graph.input).shape.elements();
  Interpreter interpreter(model);
  std::vector<GoldenVector> vectors;
  for (size_t i = 0; i < std::min(inputs.size(), static_cast<size_t>(count)); ++i) {
    if (static_cast<int64_t>(inputs[i].size()) != expected) {
      throw usage_error("export: golden image " + std::to_string(i) + " has " +
                        std::to_string(inputs[i].size()) + " values, the network takes " +
                        std::to_string(expected));
    }
    vectors.push_back({inputs[i], interpreter.run(inputs[i].data())});
  }
  return vectors;
}

// Only a package of ours, or an empty folder, may be replaced.
void check_replaceable(const fs::path& directory) {
  if (!fs::exists(directory)) return;
  if (!fs::is_directory(directory)) throw usage_error("export: '" + directory.string() + "' is not a folder");
  if (fs::is_empty(directory)) return;
  for (const char* file : {"report.json", "manifest.json"}) {  // the second: packages of format 1
    const fs::path path = directory / file;
    if (fs::exists(path) && read_file(path).find("tinynas-package-") != std::string::npos) return;
  }
  throw usage_error("export: '" + directory.string() +
                    "' exists and is no tinynas package; it is left alone");
}

// Removes a half-written package when anything goes wrong.
class Staging {
 public:
  explicit Staging(fs::path path) : path_(std::move(path)) { fs::remove_all(path_); }
  ~Staging() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

void write_package(const std::map<std::string, std::string>& files, const fs::path& directory) {
  check_replaceable(directory);
  std::error_code not_made;
  fs::create_directories(directory.parent_path(), not_made);
  const std::string hidden = "." + directory.filename().string();
  const Staging staging(directory.parent_path() / (hidden + ".new"));
  if (!not_made) fs::create_directories(staging.path(), not_made);
  if (not_made) throw io_error(directory.string() + ": cannot be created: " + not_made.message());
  for (const auto& [path, content] : files) {
    check_interrupt();
    fs::create_directories((staging.path() / path).parent_path());
    write_file_atomic(staging.path() / path, content);
  }
  const Staging old(directory.parent_path() / (hidden + ".old"));
  const bool replaces = fs::exists(directory);
  if (replaces) fs::rename(directory, old.path());
  std::error_code error;
  fs::rename(staging.path(), directory, error);
  if (error) {
    if (replaces) fs::rename(old.path(), directory);
    throw fs::filesystem_error("rename", staging.path(), directory, error);
  }
}

}  // namespace

void ExportOptions::check() const {
  if (!is_c_identifier(name) || name.size() > 64) {
    throw usage_error(
        "export.name: expected a C identifier that starts with a letter, at most 64 characters, got '" +
        name + "'");
  }
  static const std::set<std::string> reserved = {"all",    "clean",  "help",   "install", "package", "test",
                                                 "stddef", "stdint", "string", "tn",      "arm_mve"};
  if (reserved.count(name) != 0 || name.starts_with("tn_") || (name + "_").starts_with("segment_")) {
    throw usage_error(
        "export.name: '" + name +
        "' is taken by build targets, by headers of C, by the kernels (tn_...) or by the package's own "
        "functions (segment_...)");
  }
  if (plan.alignment != 1 && plan.alignment != 2 && plan.alignment != 4 && plan.alignment != 8) {
    throw usage_error("export: alignment of the arena: expected 1, 2, 4 or 8 bytes, got " +
                      std::to_string(plan.alignment));
  }
  if (golden_vectors < 1) {
    throw usage_error("export.golden_vectors: expected at least 1, got " + std::to_string(golden_vectors));
  }
}

void export_package(const Int8Model& model, const std::vector<std::vector<int8_t>>& golden_inputs,
                    const fs::path& directory, const ExportOptions& options) {
  options.check();
  model.check();
  const auto files =
      package_files(model, golden_vectors(model, golden_inputs, options.golden_vectors), options);
  fs::path target = fs::absolute(directory).lexically_normal();
  if (!target.has_filename()) target = target.parent_path();
  try {
    write_package(files, target);
  } catch (const fs::filesystem_error& error) {
    throw io_error(std::string("export: ") + error.what());
  }
}

}  // namespace tinynas
