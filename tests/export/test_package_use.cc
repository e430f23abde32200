// What the firmware team does with a package: every way to run it, their own sections, the profile, Zephyr,
// hashes.
#include <catch2/catch.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "packages.h"

using namespace tinynas;
using namespace tinynas::testing;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

std::vector<std::string> compile_command(const fs::path& package, const std::vector<std::string>& flags) {
  std::vector<std::string> command = {"cc"};
  command.insert(command.end(), strict_c99_flags().begin(), strict_c99_flags().end());
  command.push_back("-I" + (package / "include").string());
  command.insert(command.end(), flags.begin(), flags.end());
  for (const fs::path& source : package_sources(package)) command.push_back(source.string());
  return command;
}

int run_command(std::vector<std::string> command, const std::vector<std::string>& more) {
  command.insert(command.end(), more.begin(), more.end());
  run_compiler(command, "compiling");
  const auto run = run_process({more.back()});
  REQUIRE(run);
  INFO(run->output);
  return run->exit_code;
}

}  // namespace

TEST_CASE("input and output inside and outside the arena give the same, whether they are copied or not") {
  const TemporaryFolder folder;
  const fs::path package = folder.path() / "p";
  Rng rng(21);
  std::map<std::string, int> seen;  // input read in place, output written in place
  for (uint64_t seed = 0; seed < 200 && seen.size() < 4; ++seed) {
    const Int8Model model = random_model(500 + seed);
    export_package(model, random_inputs(model, 2, rng), package, {});
    const std::string header = read_file(package / "include" / "model.h");
    const auto value_of = [&](const std::string& macro) {
      return header.substr(header.find("#define " + macro) + 9 + macro.size(), 1);
    };
    const std::string kind =
        value_of("MODEL_INPUT_IS_READ_IN_PLACE") + value_of("MODEL_OUTPUT_IS_WRITTEN_IN_PLACE");
    if (++seen[kind] > 1) continue;
    CAPTURE(seed, kind);
    for (const char* profile : {"-UMODEL_PROFILE", "-DMODEL_PROFILE"}) {
      CHECK(run_command(
                compile_command(
                    package, {profile, "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"}),
                {(package / "test" / "main.c").string(), (package / "test" / "model_self_test.c").string(),
                 (package / "test" / "model_golden.c").string(), "-o", (folder.path() / "test").string()}) ==
            0);
    }
  }
  CHECK(seen.size() == 4);
}

TEST_CASE("the hook sees every layer in order, and only when it was compiled in") {
  const TemporaryFolder folder;
  const fs::path package = folder.path() / "p";
  const Int8Model model = random_model(22);
  Rng rng(22);
  export_package(model, random_inputs(model, 1, rng), package, {});
  write_file_atomic(folder.path() / "main.c", R"(
#include <stdio.h>
#include "model.h"
static void hook(void *context, int32_t layer) {
  int *next = context;
  if (layer != *next) *next = -1000;
  ++*next;
}
int main(void) {
  int next = 0;
  if (model_run_profiled(&model_arena, NULL, NULL, hook, &next) != MODEL_OK) return 1;
  if (model_layer_names[0][0] == 0 || model_info()->layer_count != MODEL_LAYER_COUNT) return 2;
  return next == MODEL_LAYER_COUNT + 1 ? 0 : 3;
})");
  const std::vector<std::string> rest = {(folder.path() / "main.c").string(), "-o",
                                         (folder.path() / "main").string()};
  CHECK(run_command(compile_command(package, {"-DMODEL_PROFILE"}), rest) == 0);
  std::vector<std::string> without = compile_command(package, {});
  without.insert(without.end(), rest.begin(), rest.end());
  CHECK(run_process(without)->exit_code != 0);
}

TEST_CASE("row by row the hook sees every layer work, and a stream is as large as the costs say") {
  const TemporaryFolder folder;
  const fs::path package = folder.path() / "p";
  Rng rng(27);
  for (const InputKind input : {InputKind::kResident, InputKind::kRows, InputKind::kReread}) {
    CAPTURE(name_of(input));
    const Int8Model model = random_model(21);  // runs of operators by rows for each kind of input
    ExportOptions options;
    options.plan.schedule = Schedule::kStream;
    options.plan.input = input;
    export_package(model, random_inputs(model, 2, rng), package, options);
    const auto report = nlohmann::json::parse(read_file(package / "report.json"));
    CHECK(report["plan"]["input"] == name_of(input));
    CHECK(report["input"]["delivery"] == name_of(input));
    write_file_atomic(folder.path() / "main.c", R"(
#include <string.h>
#include "model.h"
#include "p/test/model_golden.h"
static int32_t calls[MODEL_LAYER_COUNT + 1];
static void hook(void *context, int32_t layer) {
  (void)context;
  ++calls[layer];
}
#ifdef MODEL_INPUT_ROW_BYTES
static model_status read_row(void *source, int32_t row, int32_t first, int32_t columns, int8_t *to) {
  (void)source;
  memcpy(to, model_golden_inputs[0] + row * MODEL_INPUT_ROW_BYTES + first * MODEL_INPUT_CHANNELS,
         (size_t)columns * MODEL_INPUT_CHANNELS);
  return MODEL_OK;
}
#endif
int main(void) {
  int i;
  int most = 0;
#ifdef MODEL_INPUT_ROW_BYTES
  if (model_run_profiled(&model_arena, read_row, NULL, NULL, hook, NULL) != MODEL_OK) return 1;
#else
  if (model_run_profiled(&model_arena, model_golden_inputs[0], NULL, hook, NULL) != MODEL_OK) return 1;
#endif
  if (memcmp(model_output(&model_arena), model_golden_outputs[0], MODEL_OUTPUT_BYTES) != 0) return 2;
  for (i = 0; i < MODEL_LAYER_COUNT; ++i) {
    if (calls[i] == 0) return 3;
    if (calls[i] > most) most = calls[i];
  }
  if (calls[MODEL_LAYER_COUNT] != 1) return 4;
  return most > 1 ? 0 : 5;
})");
    CHECK(run_command(compile_command(package, {"-DMODEL_PROFILE"}),
                      {(package / "test" / "model_golden.c").string(), (folder.path() / "main.c").string(),
                       "-o", (folder.path() / "main").string()}) == 0);
    for (const char* profile : {"-UMODEL_PROFILE", "-DMODEL_PROFILE"}) {
      CHECK(run_command(
                compile_command(
                    package, {profile, "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"}),
                {(package / "test" / "main.c").string(), (package / "test" / "model_self_test.c").string(),
                 (package / "test" / "model_golden.c").string(), "-o", (folder.path() / "test").string()}) ==
            0);
    }
    CHECK(run_command(compile_command(package, {}), {(package / "example" / "main.c").string(),
                                                     (package / "test" / "model_golden.c").string(), "-o",
                                                     (folder.path() / "example").string()}) < 128);
    if (input != InputKind::kRows) continue;
    const int64_t stream_bytes =
        estimate(model.graph, CostOptions{options.plan, nullptr, true}).sram.persistent_bytes;
    CHECK(report["input"]["stream_bytes"] == stream_bytes);
    CHECK(stream_bytes > 0);
    if (!run_process({"arm-none-eabi-gcc", "--version"})) {
      std::cerr
          << "\n*** SKIPPED: arm-none-eabi-gcc is not installed, a stream's size was NOT compared ***\n\n";
      continue;
    }
    write_file_atomic(folder.path() / "size.c",
                      "#include \"model.h\"\ntypedef char as_planned[sizeof(model_stream) == " +
                          std::to_string(stream_bytes) + " ? 1 : -1];\n");
    for (const char* profile : {"-UMODEL_PROFILE", "-DMODEL_PROFILE"}) {
      run_compiler(
          {"arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", profile, "-I" + (package / "include").string(),
           "-c", (folder.path() / "size.c").string(), "-o", (folder.path() / "size.o").string()},
          "comparing the size of a stream");
    }
  }
}

TEST_CASE("the arena and the weights go to the sections that the firmware names") {
  const TemporaryFolder folder;
  const fs::path package = folder.path() / "p";
  const Int8Model model = random_model(23);
  Rng rng(23);
  export_package(model, random_inputs(model, 1, rng), package, {});
  const auto sections_of = [&](const std::string& file, const std::string& definition) {
    const std::string object = (folder.path() / "o").string();
    run_compiler({"cc", "-std=c99", "-c", "-D" + definition, (package / "src" / file).string(), "-o", object},
                 "compiling");
    return run_compiler({"readelf", "-SW", object}, "reading");
  };
  CHECK_THAT(sections_of("model_arena.c", R"(MODEL_ARENA_SECTION=__attribute__((section(".dtcm"))))"),
             Contains(".dtcm"));
  CHECK_THAT(sections_of("model_weights.c", R"(MODEL_WEIGHTS_SECTION=__attribute__((section(".qspi"))))"),
             Contains(".qspi"));
}

TEST_CASE("sha256sum agrees with the manifest") {
  const TemporaryFolder folder;
  const Int8Model model = random_model(24);
  Rng rng(24);
  export_package(model, random_inputs(model, 1, rng), folder.path() / "p", {});
  const std::vector<std::string> check = {"env",
                                          "-C",
                                          (folder.path() / "p").string(),
                                          "sha256sum",
                                          "-c",
                                          "--quiet",
                                          "--strict",
                                          "MANIFEST.sha256"};
  CHECK(run_process(check)->exit_code == 0);
  write_file_atomic(folder.path() / "p" / "LICENSES", "none");
  const auto failed = run_process(check);
  CHECK(failed->exit_code != 0);
  CHECK_THAT(failed->output, Contains("LICENSES: FAILED"));
}

TEST_CASE("Zephyr gets every source once, kernels of two packages too, and nothing unless it is configured") {
  const TemporaryFolder folder;
  Rng rng(25);
  for (const char* name : {"one", "two", "three"}) {
    const Int8Model model = random_model(26);
    ExportOptions options;
    options.name = name;
    export_package(model, random_inputs(model, 1, rng), folder.path() / name, options);
  }
  // What Zephyr's build calls, reduced to lists.
  write_file_atomic(folder.path() / "zephyr.cmake", R"(
cmake_policy(VERSION 3.20)
function(zephyr_library_named name)
endfunction()
function(zephyr_include_directories)
  message(STATUS "include ${ARGN}")
endfunction()
function(zephyr_library_sources)
  foreach(file ${ARGN})
    if(NOT EXISTS ${file})
      message(FATAL_ERROR "no ${file}")
    endif()
    message(STATUS "source ${file}")
  endforeach()
endfunction()
set(CONFIG_TINYNAS_ONE y)
set(CONFIG_TINYNAS_TWO y)
foreach(package one two three)
  include(${CMAKE_CURRENT_LIST_DIR}/${package}/zephyr/CMakeLists.txt)
endforeach()
)");
  const auto run = run_process({"cmake", "-P", (folder.path() / "zephyr.cmake").string()});
  REQUIRE(run);
  INFO(run->output);
  CHECK(run->exit_code == 0);
  CHECK_THAT(run->output, Contains("one.c") && Contains("two_weights.c") && !Contains("three"));
  size_t sources = 0;
  for (const char* name : {"one", "two"}) sources += package_sources(folder.path() / name).size();
  size_t kernels = 0;
  for (const fs::path& source : package_sources(folder.path() / "one"))
    kernels += source.filename().string().starts_with("tn_");
  size_t listed = 0;
  for (size_t at = run->output.find("source "); at != std::string::npos;
       at = run->output.find("source ", at + 1))
    ++listed;
  CHECK(listed == sources - kernels);
}

TEST_CASE("make leaves nothing in src/, and builds again for another compiler or other flags") {
  const TemporaryFolder folder;
  const fs::path package = folder.path() / "p";
  const Int8Model model = random_model(28);
  Rng rng(28);
  export_package(model, random_inputs(model, 1, rng), package, {});
  const auto make = [&](const std::vector<std::string>& arguments) {
    std::vector<std::string> command = {"make", "-C", package.string()};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return run_compiler(command, "making");
  };
  const auto symbols = [&] { return run_compiler({"nm", (package / "libmodel.a").string()}, "listing"); };
  const auto sources = folder_content(package / "src");
  make({});
  CHECK(folder_content(package / "src") == sources);
  CHECK_THAT(symbols(), !Contains("model_run_profiled"));
  CHECK_THAT(make({}), !Contains(" -c "));
  // The compiler alone is another, its flags alone are; quotes in them are kept.
  make({"CC=cc -DMODEL_PROFILE"});
  CHECK_THAT(symbols(), Contains("model_run_profiled"));
  make({"CFLAGS=-O1 -D'MODEL_ARENA_SECTION=__attribute__((section(\".dtcm\")))'"});
  CHECK_THAT(symbols(), !Contains("model_run_profiled"));
  CHECK_THAT(run_compiler({"readelf", "-SW", (package / "libmodel.a").string()}, "listing"),
             Contains(".dtcm"));
  make({"test", "example"});
  make({"clean"});
  CHECK_FALSE(fs::exists(package / "libmodel.a"));
  CHECK_FALSE(fs::exists(package / "build" / "make"));
}

TEST_CASE("CMake without a build type optimises, and keeps what the firmware asks for") {
  const TemporaryFolder folder;
  const fs::path package = folder.path() / "p";
  const Int8Model model = random_model(29);
  Rng rng(29);
  export_package(model, random_inputs(model, 1, rng), package, {});
  const auto commands = [&](const std::vector<std::string>& arguments, const std::string& build) {
    std::vector<std::string> command = {"cmake",
                                        "-S",
                                        package.string(),
                                        "-B",
                                        (folder.path() / build).string(),
                                        "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    run_compiler(command, "configuring");
    return read_file(folder.path() / build / "compile_commands.json");
  };
  CHECK_THAT(commands({}, "unset"), Contains(" -O2 "));
  CHECK_THAT(commands({"-DCMAKE_C_FLAGS=-Os"}, "flags"), Contains(" -Os ") && !Contains(" -O2 "));
  CHECK_THAT(commands({"-DCMAKE_BUILD_TYPE=Debug"}, "debug"), !Contains(" -O2 "));
}

TEST_CASE("a package for DSP instructions compiles without optimisation, with hard floats too") {
  const std::string compiler = "arm-none-eabi-gcc";
  if (!run_process({compiler, "--version"})) {
    std::cerr << "\n*** SKIPPED: " << compiler << " is not installed, nothing was compiled at -O0 ***\n\n";
    return;
  }
  const TemporaryFolder folder;
  const fs::path package = folder.path() / "p";
  Rng rng(30);
  for (const KernelVariant variant : {KernelVariant::kDsp, KernelVariant::kMve}) {
    for (const Schedule schedule : {Schedule::kLayer, Schedule::kStream}) {
      const Int8Model model = random_model(rng.next());
      ExportOptions options;
      options.plan.variant = variant;
      options.plan.schedule = schedule;
      export_package(model, random_inputs(model, 1, rng), package, options);
      for (const char* core : {"cortex-m4", "cortex-m55"}) {
        CAPTURE(core, name_of(variant));
        for (const fs::path& source : package_sources(package)) {
          if (source.filename().string().find("_weights") != std::string::npos) continue;
          CHECK_NOTHROW(
              run_compiler({compiler, "-mcpu=" + std::string(core), "-mthumb", "-mfloat-abi=hard", "-std=c99",
                            "-Wall", "-Wextra", "-Werror", "-O0", "-I" + (package / "include").string(), "-c",
                            source.string(), "-o", (folder.path() / "o").string()},
                           "compiling"));
        }
      }
    }
  }
}

TEST_CASE("a package claims of its input and output only what is known") {
  const TemporaryFolder folder;
  const fs::path package = folder.path() / "p";
  Int8Model model = random_model(27);
  model.tensors[static_cast<size_t>(model.graph.input)] = {1.0f / 64, 0};  // as pixels are here
  derive_fixed_point(model);
  Rng rng(27);
  const auto inputs = random_inputs(model, 1, rng);
  const auto texts = [&] {
    return read_file(package / "README.md") + read_file(package / "model_card.md") +
           read_file(package / "include" / "model.h") + read_file(package / "example" / "main.c");
  };
  export_package(model, inputs, package, {});
  CHECK_THAT(texts(), !Contains("logit") && !Contains("bilinear") && !Contains("pixel") &&
                          Contains("is not known here: ask whoever trained the model"));
  ExportOptions options;
  options.facts.trained_here = true;
  export_package(model, inputs, package, options);
  CHECK_THAT(texts(), Contains("logit") && Contains("bilinear") && Contains("MODEL_INPUT_FROM_PIXEL") &&
                          !Contains("is not known here"));
}

TEST_CASE("bounds say what they hold for, and the plan says which kernels it is for") {
  const TemporaryFolder folder;
  const fs::path package = folder.path() / "p";
  const Int8Model model = random_model(31);
  Rng rng(31);
  ExportOptions options;
  options.plan.variant = KernelVariant::kMve;
  export_package(model, random_inputs(model, 1, rng), package, options);
  for (const char* file : {"model_card.md", "report.json"})
    CHECK_THAT(read_file(package / file), Contains("gcc -O2 or -Os") && Contains("not for -O0"));
  CHECK_THAT(read_file(package / "README.md"),
             Contains("at -O0, or with another compiler, it does not hold"));
  for (const char* file : {"model_card.md", "README.md"})
    CHECK_THAT(read_file(package / file), Contains("`mve` (Cortex-M55, M85"));
}

TEST_CASE("the card and the licences say what was told, and what was not") {
  const TemporaryFolder folder;
  const Int8Model model = random_model(27);
  Rng rng(27);
  const auto inputs = random_inputs(model, 1, rng);
  export_package(model, inputs, folder.path() / "p", {});
  CHECK_THAT(read_file(folder.path() / "p" / "model_card.md"), Contains("were not known at the export"));
  CHECK_THAT(read_file(folder.path() / "p" / "LICENSES"),
             Contains("was not told") && Contains("Apache License"));
  ExportOptions options;
  options.facts.rows = {{"Data set", "photographs of moss"}};
  options.facts.data_licence = "moss licence.";
  export_package(model, inputs, folder.path() / "p", options);
  CHECK_THAT(read_file(folder.path() / "p" / "model_card.md"),
             Contains("| Data set | photographs of moss |"));
  CHECK_THAT(read_file(folder.path() / "p" / "report.json"), Contains("photographs of moss"));
  CHECK_THAT(read_file(folder.path() / "p" / "LICENSES"), Contains("moss licence."));
}
