#include "export/package.h"

#include <catch2/catch.hpp>

#include "base/error.h"
#include "cost_models/costs.h"
#include "packages.h"

using namespace tinynas;
using namespace tinynas::testing;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

ExitCode code_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.code();
  }
  return ExitCode::kDone;
}

}  // namespace

TEST_CASE("the same model gives the same bytes, wherever it is written") {
  const TemporaryFolder folder;
  const Int8Model model = random_model(1);
  Rng rng(1);
  const auto inputs = random_inputs(model, 3, rng);
  export_package(model, inputs, folder.path() / "a", {});
  export_package(model, inputs, folder.path() / "deep" / "b c" / "", {});
  const auto content = folder_content(folder.path() / "a");
  CHECK(content == folder_content(folder.path() / "deep" / "b c"));
  for (const char* file : {"include/model.h",    "src/model.c",         "src/model_weights.c",
                           "src/model_arena.c",  "README.md",           "src/model_info.c",
                           "src/model_layers.c", "test/model_golden.c", "test/model_self_test.c",
                           "test/main.c",        "example/main.c",      "CMakeLists.txt",
                           "Makefile",           "zephyr/module.yml",   "zephyr/CMakeLists.txt",
                           "zephyr/Kconfig",     "report.json",         "model_card.md",
                           "LICENSES",           "MANIFEST.sha256"}) {
    CAPTURE(file);
    CHECK(content.count(file) == 1);
  }
  for (const auto& [path, text] : content) {
    CAPTURE(path);
    CHECK_THAT(text, !Contains(folder.path().string()));
  }
}

TEST_CASE("the report is the plan: arena, offsets, operators, Flash, and a hash of every other file") {
  const TemporaryFolder folder;
  Rng rng(2);
  for (uint64_t seed = 0; seed < 8; ++seed) {
    Int8Model model = random_model(40 + seed);
    const int64_t outputs = model.graph.tensor(model.graph.output).shape.elements();
    for (int64_t i = 0; i < outputs; ++i)
      model.class_names.push_back("class \"" + std::to_string(i) + "\"?\?/ \xc3\xa9");
    const fs::path package = folder.path() / "p";
    export_package(model, random_inputs(model, 1, rng), package, {});
    const auto report = nlohmann::json::parse(read_file(package / "report.json"));
    const MemoryPlan plan = plan_memory(model.graph, {});
    const CostReport costs = estimate(model.graph, plan);
    CHECK(report["arena"]["bytes"] == plan.arena_bytes);
    CHECK(report["arena"]["excl_input_bytes"] == plan.arena_excl_input_bytes);
    REQUIRE(report["arena"]["buffers"].size() == plan.buffers.size());
    for (size_t i = 0; i < plan.buffers.size(); ++i) {
      CHECK(report["arena"]["buffers"][i]["offset_bytes"] == plan.buffers[i].offset_bytes);
      CHECK(report["arena"]["buffers"][i]["size_bytes"] == plan.buffers[i].size_bytes);
    }
    int64_t weights = 0;
    int64_t tables = 0;
    REQUIRE(report["operators"].size() == model.graph.ops.size());
    for (const auto& op : report["operators"]) {
      weights += op["weights_bytes"].get<int64_t>();
      tables += op["tables_bytes"].get<int64_t>();
    }
    CHECK(weights == costs.flash.weights_bytes);
    CHECK(tables == costs.flash.tables_bytes);
    CHECK(report["class_names"] == model.class_names);
    auto content = folder_content(package);
    const std::string manifest = content.at("MANIFEST.sha256");
    content.erase("MANIFEST.sha256");
    CHECK(std::count(manifest.begin(), manifest.end(), '\n') == static_cast<int64_t>(content.size()));
    for (const auto& [path, text] : content)
      CHECK_THAT(manifest, Contains(sha256_hex(text) + "  " + path + "\n"));
  }
}

TEST_CASE("a package is replaced whole, and nothing else is ever replaced") {
  const TemporaryFolder folder;
  const fs::path target = folder.path() / "p";
  const Int8Model model = random_model(3);
  Rng rng(3);
  const auto inputs = random_inputs(model, 2, rng);
  ExportOptions first;
  first.name = "first";
  export_package(model, inputs, target, first);
  ExportOptions second;
  second.name = "second";
  export_package(model, inputs, target, second);
  CHECK(fs::exists(target / "src" / "second.c"));
  CHECK_FALSE(fs::exists(target / "src" / "first.c"));
  CHECK(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()) == 1);

  const auto before = folder_content(target);
  second.name = "no-identifier";
  CHECK(code_of([&] { export_package(model, inputs, target, second); }) == ExitCode::kUsage);
  CHECK(code_of([&] { export_package(model, {}, target, {}); }) == ExitCode::kUsage);
  CHECK(code_of([&] { export_package(model, {{1, 2, 3}}, target, {}); }) == ExitCode::kUsage);
  CHECK(folder_content(target) == before);

  const fs::path foreign = folder.path() / "home";
  fs::create_directories(foreign);
  write_file_atomic(foreign / "thesis.txt", "do not lose");
  CHECK(code_of([&] { export_package(model, inputs, foreign, {}); }) == ExitCode::kUsage);
  CHECK(read_file(foreign / "thesis.txt") == "do not lose");
  CHECK(code_of([&] { export_package(model, inputs, foreign / "thesis.txt" / "p", {}); }) ==
        ExitCode::kFailure);
}

TEST_CASE("names become C identifiers, file names and build targets: others are refused") {
  for (const char* name :
       {"", "1a", "_a", "a-b", "a b", "a/b", "test", "all", "tn_conv2d", "segment_0", "\xc3\xa9"}) {
    CAPTURE(name);
    ExportOptions options;
    options.name = name;
    CHECK(code_of([&] { options.check(); }) == ExitCode::kUsage);
  }
  ExportOptions options;
  options.name = std::string(65, 'a');
  CHECK(code_of([&] { options.check(); }) == ExitCode::kUsage);
  options = {};
  options.plan.alignment = 16;
  CHECK(code_of([&] { options.check(); }) == ExitCode::kUsage);
  options = {};
  options.golden_vectors = 0;
  CHECK(code_of([&] { options.check(); }) == ExitCode::kUsage);
}

TEST_CASE("operators whose names are one C symbol stay apart, and no name can break the source") {
  const TemporaryFolder folder;
  Rng rng(4);
  Int8Model model = random_model(6);
  while (model.graph.ops.size() < 3) model = random_model(rng.next());
  model.graph.ops[0].name = "a.b";
  model.graph.ops[1].name = "a_b";
  model.graph.ops[2].name = "a/*b*/\n?\?/";
  const auto inputs = random_inputs(model, 4, rng);
  ExportOptions names;
  names.name = "link_main";  // nor may a package's name meet one that verification uses
  export_package(model, inputs, folder.path() / "p", names);
  VerifyOptions options;
  options.arm_compiler = "no-such-compiler";
  CHECK(verify_package(folder.path() / "p", model, inputs, options).passed());
}

TEST_CASE("the package builds and tests itself with make and with CMake") {
  const TemporaryFolder folder;
  const Int8Model model = random_model(7);
  Rng rng(5);
  const fs::path package = folder.path() / "p";
  export_package(model, random_inputs(model, 4, rng), package, {});
  const auto make = run_process({"make", "-C", package.string(), "test"});
  REQUIRE(make);
  INFO(make->output);
  CHECK(make->exit_code == 0);
  CHECK_THAT(make->output, Contains("4 golden vectors equal"));
  const std::string build = (folder.path() / "build").string();
  run_compiler({"cmake", "-S", package.string(), "-B", build}, "configuring");
  run_compiler({"cmake", "--build", build}, "building");
  run_compiler({"cmake", "--build", build, "--target", "test"}, "testing");

  // A golden vector that is not what the kernels compute fails the package's own test.
  std::string golden = read_file(package / "test" / "model_golden.c");
  const size_t outputs = golden.find("model_golden_outputs");
  const size_t value = golden.find_first_of("-0123456789", golden.find("{\n  {", outputs));
  golden.insert(value, golden[value] == '-' ? "0 * " : "1 + ");
  write_file_atomic(package / "test" / "model_golden.c", golden);
  const auto failing = run_process({"make", "-C", package.string(), "test"});
  REQUIRE(failing);
  CHECK(failing->exit_code != 0);
}
