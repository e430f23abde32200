// Random int8 models and packages of them in a folder of the test's own.
#pragma once

#include <catch2/catch.hpp>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "../support/random_graph.h"
#include "base/files.h"
#include "base/sha256.h"
#include "export/package.h"
#include "export/toolchain.h"

namespace tinynas::testing {

inline std::vector<std::vector<int8_t>> random_inputs(const Int8Model& model, int count, Rng& rng) {
  std::vector<std::vector<int8_t>> inputs;
  for (int i = 0; i < count; ++i) inputs.push_back(random_int8_input(model.graph, rng));
  return inputs;
}

inline Int8Model random_model(uint64_t seed, bool pads_and_reshapes = false) {
  Rng rng(seed);
  RandomGraphOptions options;
  options.pads_and_reshapes = pads_and_reshapes;
  const Graph graph = random_graph(rng, options);
  return random_int8_model(graph, rng);
}

// Relative path -> content of every file.
inline std::map<std::string, std::string> folder_content(const std::filesystem::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file())
      files[std::filesystem::relative(entry.path(), folder)] = read_file(entry.path());
  }
  return files;
}

// Changes one file of a package and its hash in the manifest, as a build that went wrong before the hash was
// taken.
inline void tamper(const std::filesystem::path& package, const std::string& file,
                   const std::string& content) {
  write_file_atomic(package / file, content);
  std::string manifest = read_file(package / "MANIFEST.sha256");
  const size_t line = manifest.find("  " + file + "\n");
  REQUIRE(line != std::string::npos);
  manifest.replace(line - 64, 64, sha256_hex(content));
  write_file_atomic(package / "MANIFEST.sha256", manifest);
}

}  // namespace tinynas::testing
