// `tinynas compile` and `tinynas infer` on somebody else's network: a random one, written as a .tflite file.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/sha256.h"
#include "binary.h"
#include "quantize/interpreter.h"
#include "support/random_graph.h"
#include "tflite/tflite.h"

using namespace tinynas;
using namespace tinynas::testing;
using Catch::Matchers::Contains;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

class Folder {
 public:
  Folder() { fs::create_directories(path_); }
  ~Folder() { fs::remove_all(path_); }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  fs::path path_ = fs::temp_directory_path() / ("tinynas_compile_" + std::to_string(::getpid()));
};

std::string bytes_of(const std::vector<int8_t>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size()};
}

Int8Model a_model() {
  Rng rng(4);
  RandomGraphOptions options;
  options.pool_padding = false;
  return random_int8_model(random_graph(rng, options), rng);
}

}  // namespace

TEST_CASE("compile makes a package, and infer computes the same from the file, the package and both inputs") {
  const Folder folder;
  const Int8Model model = a_model();
  const std::string file = folder / "net.tflite";
  save_tflite(model, file);
  Rng rng(1);
  const std::vector<int8_t> a = random_int8_input(model.graph, rng);
  const std::vector<int8_t> b = random_int8_input(model.graph, rng);
  Interpreter interpreter(model);
  const std::string expected = bytes_of(interpreter.run(a.data())) + bytes_of(interpreter.run(b.data()));
  write_file_atomic(folder / "in.bin", bytes_of(a) + bytes_of(b));

  const Outcome compiled =
      run_tinynas("compile " + file + " --sram 320k --flash 1M --out " + (folder / "fw"));
  INFO(compiled.out);
  REQUIRE(compiled.code == 0);
  CHECK_THAT(compiled.out, Contains("SRAM") && Contains("left") && Contains("self-test"));
  CHECK_THAT(read_file(folder / "fw/MANIFEST.sha256"), Contains("  model.tflite\n"));

  for (const std::string& from : {file, folder / "fw", folder / "fw/model.tflite"}) {
    CAPTURE(from);
    const Outcome inferred = run_tinynas("infer " + from + " --input " + (folder / "in.bin") + " --output " +
                                         (folder / "out.bin"));
    INFO(inferred.out);
    REQUIRE(inferred.code == 0);
    CHECK(read_file(folder / "out.bin") == expected);
  }
  const Outcome layers = run_tinynas("infer " + file + " --input " + (folder / "in.bin") + " --output " +
                                     (folder / "out.bin") + " --layers " + (folder / "layers"));
  REQUIRE(layers.code == 0);
  for (const char* image : {"00000", "00001"}) {
    const auto entries = fs::directory_iterator(folder / ("layers/" + std::string(image)));
    CHECK(static_cast<size_t>(std::distance(begin(entries), end(entries))) == model.graph.ops.size() + 1);
  }

  write_file_atomic(folder / "in.bin", "12345");
  const Outcome wrong =
      run_tinynas("infer " + file + " --input " + (folder / "in.bin") + " --output " + (folder / "out.bin"));
  CHECK(wrong.code == 4);
  CHECK_THAT(wrong.out, Contains("got 5 bytes") && Contains(std::to_string(a.size())));
}

TEST_CASE("verify takes a package alone, and ends with 5 when it is not what was exported") {
  const Folder folder;
  const std::string file = folder / "net.tflite";
  save_tflite(a_model(), file);
  REQUIRE(run_tinynas("compile " + file + " --sram 320k --flash 1M --out " + (folder / "fw")).code == 0);
  const Outcome verified = run_tinynas("verify " + (folder / "fw") + " --json", "2>/dev/null");
  INFO(verified.out);
  REQUIRE(verified.code == 0);
  const json result = json::parse(verified.out);
  CHECK(result.at("passed") == true);
  CHECK(result.at("targets").at(0).at("outcome") == "passed");

  const std::string weights = read_file(folder / "fw/src/model_weights.c");
  write_file_atomic(folder / "fw/src/model_weights.c", weights + " ");
  const Outcome changed = run_tinynas("verify " + (folder / "fw"));
  CHECK(changed.code == 5);
  CHECK_THAT(changed.out, Contains("model_weights.c") && Contains("changed after the export"));
}

TEST_CASE("verify runs model.tflite in TensorFlow Lite, and says so where it cannot") {
  const Folder folder;
  const std::string file = folder / "net.tflite";
  save_tflite(a_model(), file);
  REQUIRE(run_tinynas("compile " + file + " --sram 320k --flash 1M --out " + (folder / "fw")).code == 0);
  const auto verified = [&] {
    const Outcome outcome = run_tinynas("verify " + (folder / "fw") + " --json", "2>/dev/null");
    INFO(outcome.out);
    CHECK(outcome.code == 0);
    return json::parse(outcome.out).at("targets").back();
  };
#ifndef __SANITIZE_ADDRESS__  // other people's libraries are not instrumented
  const json there = verified();
  CHECK(there.at("target") == "TensorFlow Lite");
  if (there.at("outcome") == "SKIPPED") {
    std::cerr << "\n*** SKIPPED: no TensorFlow Lite: " << there.at("note") << " ***\n\n";
  } else {
    CHECK(there.at("outcome") == "passed");
    CHECK(there.at("runs") == 8);
    CHECK_THAT(there.at("note").get<std::string>(), Contains("values equal"));
  }
#endif
  ::setenv("TINYNAS_TFLITE_LIBRARY", "/no/such/library.so", 1);
  const json missing = verified();
  CHECK(missing.at("outcome") == "SKIPPED");
  CHECK_THAT(missing.at("note").get<std::string>(), Contains("tools/fetch_tflite"));

  // Another network under the same name, in a manifest that agrees.
  Rng rng(5);
  const Int8Model other = random_int8_model(a_model().graph, rng);
  std::string manifest = read_file(folder / "fw/MANIFEST.sha256");
  const std::string was = sha256_file_hex(folder / "fw/model.tflite");
  save_tflite(other, folder / "fw/model.tflite");
  manifest.replace(manifest.find(was), 64, sha256_file_hex(folder / "fw/model.tflite"));
  write_file_atomic(folder / "fw/MANIFEST.sha256", manifest);
  const Outcome changed = run_tinynas("verify " + (folder / "fw"));
  CHECK(changed.code == 5);
  CHECK_THAT(changed.out, Contains("it is another network"));
  ::unsetenv("TINYNAS_TFLITE_LIBRARY");
}

TEST_CASE("compile says which kernels it plans for, and plans for others when asked") {
  const Folder folder;
  const std::string file = folder / "net.tflite";
  save_tflite(a_model(), file);
  const auto planned = [&](const std::string& flags) {
    const Outcome outcome = run_tinynas("compile " + file + " " + flags + " --out " + (folder / "fw"));
    INFO(outcome.out);
    REQUIRE(outcome.code == 0);
    const json report = json::parse(read_file(folder / "fw/report.json"));
    return outcome.out + report.at("plan").at("variant").get<std::string>();
  };
  CHECK_THAT(planned("--sram 320k --flash 1M"),
             Contains("the kernels dsp (Cortex-M4") && Contains("--kernels portable|dsp|mve") &&
                 Contains("gcc -O2 or -Os") && Catch::Matchers::EndsWith("dsp"));
  CHECK_THAT(planned("--sram 320k --flash 1M --kernels mve"), Contains("the kernels mve (Cortex-M55") &&
                                                                  Contains("by --kernels") &&
                                                                  Catch::Matchers::EndsWith("mve"));
  CHECK_THAT(planned("--board corstone300"),
             Contains("of board corstone300") && Catch::Matchers::EndsWith("mve"));
  CHECK(run_tinynas("compile " + file + " --sram 320k --flash 1M --kernels fast --out x").code == 2);
}

TEST_CASE(
    "where the bounds alone exceed, what links is compiled, and without a compiler the bound is named") {
  const Folder folder;
  const std::string file = folder / "net.tflite";
  save_tflite(a_model(), file);
  const auto compile_with = [&](int64_t flash, const std::string& more = "") {
    return run_tinynas("compile " + file + " --sram 320k --out " + (folder / "fw") + " --flash " +
                           std::to_string(flash) + more,
                       more.empty() ? "2>&1" : "2>/dev/null");
  };
  const json flash = json::parse(compile_with(1 << 20, " --json").out).at("flash");
  fs::remove_all(folder / "fw");
  const int64_t bound = flash.at("total_bytes");
  const int64_t code = flash.at("code_bytes");

  const std::string path = std::getenv("PATH");
  ::setenv("PATH", "/no/such/folder", 1);
  const Outcome no_compiler = compile_with(bound - 1);
  const Outcome far_without = compile_with(bound - code - 1);
  ::setenv("PATH", path.c_str(), 1);
  CHECK(no_compiler.code == 3);
  CHECK_THAT(no_compiler.out, Contains("1 B too much") &&
                                  Contains("upper bounds of code (" + std::to_string(code)) &&
                                  Contains("install arm-none-eabi-gcc"));
  CHECK_FALSE(fs::exists(folder / "fw"));
  // Weights and tables alone are too much: no compiler could help.
  CHECK(far_without.code == 3);
  CHECK_THAT(far_without.out, !Contains("upper bounds"));

  if (std::system("arm-none-eabi-gcc --version > /dev/null 2>&1") != 0) {
    std::cerr << "\n*** SKIPPED: no arm-none-eabi-gcc: nothing was linked by compile ***\n\n";
    return;
  }
  const Outcome linked = compile_with(bound - 1, " --json");
  REQUIRE(linked.code == 0);
  const json result = json::parse(linked.out);
  CHECK(result.at("flash").at("code_is_linked") == true);
  CHECK(result.at("flash").at("code_bytes").get<int64_t>() < code);
  CHECK_THAT(result.at("stack_and_code").get<std::string>(), Contains("-O2 for a cortex-m4"));
  fs::remove_all(folder / "fw");
  const int64_t needed = result.at("flash").at("total_bytes");
  CHECK(compile_with(needed).code == 0);
  const Outcome too_small = compile_with(needed - 1);
  CHECK(too_small.code == 3);
  CHECK_THAT(too_small.out, Contains("1 B too much") && Contains("arm-none-eabi-gcc"));
}

TEST_CASE("compile's and estimate's JSON agree, and a board adds its reserve") {
  const Folder folder;
  const std::string file = folder / "net.tflite";
  const Int8Model model = a_model();
  save_tflite(model, file);
  const auto run_json = [](const std::string& arguments) {
    const Outcome outcome = run_tinynas(arguments + " --json", "2>/dev/null");
    REQUIRE(outcome.code == 0);
    return json::parse(outcome.out);
  };
  const json costs = run_json("estimate " + file);
  CHECK(costs.at("macs") == macs(model.graph));
  CHECK(costs.at("format") == "TensorFlow Lite, int8");
  const json compiled = run_json("compile " + file + " --sram 320k --flash 1M --out " + (folder / "fw"));
  CHECK(compiled.at("arena_bytes") == costs.at("arena_bytes"));
  CHECK(compiled.at("sram") == costs.at("sram"));
  CHECK(compiled.at("limits").at("sram_bytes") == 327680);
  const json boarded = run_json("compile " + file + " --board stm32f746 --out " + (folder / "fw"));
  CHECK(boarded.at("sram").at("reserve_bytes").get<int64_t>() > 0);
}

TEST_CASE("a network that does not fit ends with 3, names the limit and by how much, and writes nothing") {
  const Folder folder;
  const std::string file = folder / "net.tflite";
  save_tflite(a_model(), file);
  const Outcome outcome = run_tinynas("compile " + file + " --sram 100 --flash 200 --out " + (folder / "fw"));
  CHECK(outcome.code == 3);
  CHECK_THAT(outcome.out, Contains("sram: needs") && Contains("flash: needs") && Contains("too much"));
  CHECK_FALSE(fs::exists(folder / "fw"));
}

TEST_CASE("a limit that is missed by a byte is said in bytes") {
  const Folder folder;
  const std::string file = folder / "net.tflite";
  save_tflite(a_model(), file);
  const Outcome costs = run_tinynas("estimate " + file + " --json", "2>/dev/null");
  const int64_t needed = json::parse(costs.out).at("sram").at("total_bytes");
  REQUIRE(needed > 2048);  // rounded to KiB
  const auto compile_with = [&](int64_t sram) {
    return run_tinynas("compile " + file + " --schedule layer --flash 1M --out " + (folder / "fw") +
                       " --sram " + std::to_string(sram));
  };
  const std::string path = std::getenv("PATH");
  ::setenv("PATH", "/no/such/folder", 1);  // without a compiler the bound of the stack decides
  const Outcome outcome = compile_with(needed - 1);
  ::setenv("PATH", path.c_str(), 1);
  CHECK(outcome.code == 3);
  CHECK_THAT(outcome.out,
             Contains(std::to_string(needed) + " B, limit " + std::to_string(needed - 1) + " B, 1 B"));
  const Outcome fits = compile_with(needed + 1);
  CHECK(fits.code == 0);
  CHECK_THAT(fits.out,
             Contains(std::to_string(needed) + " B of " + std::to_string(needed + 1) + " B: 1 B left"));
}

TEST_CASE("a .tflite file is known by its bytes, whatever it is called") {
  const Folder folder;
  const Int8Model model = a_model();
  write_file_atomic(folder / "net.bin", tflite_bytes(model));
  write_file_atomic(folder / "in.bin",
                    std::string(static_cast<size_t>(model.graph.tensor(model.graph.input).bytes()), 'x'));
  for (const std::string& command :
       {"estimate " + (folder / "net.bin"),
        "compile " + (folder / "net.bin") + " --sram 320k --flash 1M --out " + (folder / "fw"),
        "infer " + (folder / "net.bin") + " --input " + (folder / "in.bin") + " --output " +
            (folder / "o")}) {
    const Outcome outcome = run_tinynas(command);
    INFO(outcome.out);
    CHECK(outcome.code == 0);
  }
  // A package stands for the model in it.
  const json package = json::parse(run_tinynas("estimate " + (folder / "fw") + " --json", "2>/dev/null").out);
  CHECK(package.at("macs") == macs(model.graph));
  fs::create_directories(folder / "empty");
  const Outcome empty = run_tinynas("estimate " + (folder / "empty"));
  CHECK(empty.code == 2);
  CHECK_THAT(empty.out, Contains("a package with model.tflite"));
}

TEST_CASE("what infer cannot read is bad data, what it cannot write is bad usage, and both end at once") {
  const Folder folder;
  const Int8Model model = a_model();
  const std::string file = folder / "net.tflite";
  save_tflite(model, file);
  write_file_atomic(folder / "in.bin",
                    std::string(static_cast<size_t>(model.graph.tensor(model.graph.input).bytes()), 'x'));
  write_file_atomic(folder / "huge.bin", "");
  fs::resize_file(folder / "huge.bin", 10'000'000'000);
  const std::string in = " --input " + (folder / "in.bin");
  const std::string out = " --output " + (folder / "out.bin");
  struct Case {
    std::string arguments;
    int code;
    const char* says;
  };
  const Case cases[] = {
      {file + " --input no.bin" + out, 4, "no.bin: does not exist"},
      {file + " --input /dev/zero" + out, 4, "a device or a pipe"},
      {file + " --input " + (folder / "huge.bin") + out, 4, "at most 1073741824"},
      {"/dev/zero" + in + out, 4, "a device or a pipe"},
      {(folder / "huge.bin") + in + out, 4, "has 10000000000 bytes"},
      {"no.tflite" + in + out, 2, "no.tflite: does not exist"},
      {file + in + out + " --layers " + file, 2, "--layers: '"},
      {file + in + " --output " + (folder / "in.bin"), 2, "is what is read"},
      {file + in + " --output ''", 2, "--output: got ''"},
      {file + in + " --output " + (folder / ""), 2, "is a folder"},
  };
  for (const Case& c : cases) {
    const Outcome outcome = run_tinynas("infer " + c.arguments);
    CAPTURE(c.arguments, outcome.out);
    CHECK(outcome.code == c.code);
    CHECK_THAT(outcome.out, Contains(c.says) && !Contains("internal error") && !Contains("--resume"));
  }
}

TEST_CASE("a broken .tflite file ends with 4 and is named") {
  const Folder folder;
  const std::string file = folder / "net.tflite";
  save_tflite(a_model(), file);
  write_file_atomic(file, read_file(file).substr(0, 200));
  for (const std::string& command : {"compile " + file + " --sram 320k --flash 1M --out " + (folder / "fw"),
                                     "estimate " + file, "infer " + file + " --input x --output y"}) {
    const Outcome outcome = run_tinynas(command);
    CHECK(outcome.code == 4);
    CHECK_THAT(outcome.out, Contains(file));
  }
}

TEST_CASE("compile streams where layer by layer exceeds the SRAM, and says so") {
  const Folder folder;
  Rng rng(9);
  Int8Model model;
  json layer;
  json stream;
  const std::string file = folder / "net.tflite";
  // A network that streaming helps; the plan knows which.
  for (int attempt = 0; attempt < 50; ++attempt) {
    RandomGraphOptions options;
    options.pool_padding = false;
    model = random_int8_model(random_graph(rng, options), rng);
    save_tflite(model, file);
    layer = json::parse(run_tinynas("estimate " + file + " --schedule layer --json --quiet").out);
    stream = json::parse(run_tinynas("estimate " + file + " --schedule stream --json --quiet").out);
    if (stream["sram"]["total_bytes"] < layer["sram"]["total_bytes"]) break;
  }
  const auto needed = layer["sram"]["total_bytes"].get<int64_t>();
  REQUIRE(stream["sram"]["total_bytes"].get<int64_t>() < needed);
  const auto compiled = [&](int64_t sram, const std::string& flags) {
    return run_tinynas("compile " + file + " --sram " + std::to_string(sram) + " --flash 1M --out " +
                       (folder / "fw") + " " + flags);
  };
  const auto schedule_of_package = [&] {
    return json::parse(read_file(folder / "fw/report.json"))["plan"]["schedule"];
  };
  CHECK(compiled(needed, "").code == 0);
  CHECK(schedule_of_package() == "layer");
  CHECK(compiled(needed, "--schedule stream").code == 0);
  CHECK(schedule_of_package() == "stream");
  const Outcome refused = compiled(layer["arena_bytes"].get<int64_t>() - 1, "--schedule layer 2>&1");
  CHECK(refused.code == 3);
  const bool by_rows = stream["sram"]["total_bytes"].get<int64_t>() < layer["arena_bytes"].get<int64_t>();
  CHECK((refused.out.find("it would fit with --schedule auto: SRAM") != std::string::npos) == by_rows);
  // What links into the limit runs by layers, whatever the bounds say; a byte less streams.
  int64_t least = needed;
  if (std::system("arm-none-eabi-gcc --version > /dev/null 2>&1") == 0) {
    const Outcome by_link = compiled(needed - 1, "--schedule layer --json 2>/dev/null");
    REQUIRE(by_link.code == 0);
    least = json::parse(by_link.out).at("sram").at("total_bytes");
    REQUIRE(least < needed);
    CHECK(compiled(least, "").code == 0);
    CHECK(schedule_of_package() == "layer");
  }
  const Outcome streamed = compiled(least - 1, "");
  INFO(streamed.out);
  CHECK(streamed.code == 0);
  CHECK_THAT(streamed.out, Contains("streams"));
  CHECK(schedule_of_package() == "stream");
}

TEST_CASE("compile plans for rows that arrive, and what was promised of them is verified") {
  const Folder folder;
  const std::string file = folder / "net.tflite";
  save_tflite(a_model(), file);
  for (const std::string input : {"rows", "reread"}) {
    CAPTURE(input);
    const Outcome compiled = run_tinynas(
        "compile " + file + " --sram 320k --flash 1M --json --input " + input + " --out " + (folder / "fw"),
        "2>/dev/null");
    REQUIRE(compiled.code == 0);
    const json costs = json::parse(run_tinynas("estimate " + file + " --json --quiet --input " + input).out);
    CHECK(json::parse(compiled.out).at("arena_bytes") == costs.at("arena_bytes"));
    CHECK(json::parse(read_file(folder / "fw/report.json")).at("plan").at("input") == input);
    // A package costs what it was planned for, unless something else is asked.
    const auto arena_of_package = [&](const std::string& flags) {
      return json::parse(run_tinynas("estimate " + (folder / "fw") + " --json --quiet" + flags).out)
          .at("arena_bytes");
    };
    CHECK(arena_of_package("") == costs.at("arena_bytes"));
    CHECK(arena_of_package(" --schedule layer") >= costs.at("arena_bytes"));
    const Outcome verified = run_tinynas("verify " + (folder / "fw"), "2>&1");
    INFO(verified.out);
    CHECK(verified.code == 0);
  }
  fs::remove(folder / "fw/report.json");
  const Outcome incomplete = run_tinynas("verify " + (folder / "fw"), "2>&1");
  CHECK(incomplete.code == 5);
  CHECK_THAT(incomplete.out, Contains("report.json"));
  const Outcome layer = run_tinynas(
      "compile " + file + " --sram 320k --flash 1M --input rows --schedule layer --out " + (folder / "fw2"),
      "2>&1");
  CHECK(layer.code == 2);
  CHECK_THAT(layer.out, Contains("input rows"));
}
