#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "export/assets.h"
#include "export/c_text.h"
#include "export/manifest.h"
#include "export/package.h"
#include "export/toolchain.h"
#include "quantize/interpreter.h"

namespace tinynas {
namespace {

namespace fs = std::filesystem;

Error verification_error(const std::string& message) {
  return {ExitCode::kVerification, "verify: " + message};
}

std::string joined(const std::vector<std::vector<int8_t>>& inputs, int64_t expected_bytes) {
  std::string bytes;
  for (const std::vector<int8_t>& input : inputs) {
    if (static_cast<int64_t>(input.size()) != expected_bytes) {
      throw usage_error("verify: an image has " + std::to_string(input.size()) +
                        " values, the network takes " + std::to_string(expected_bytes));
    }
    bytes.append(reinterpret_cast<const char*>(input.data()), input.size());
  }
  return bytes;
}

std::vector<std::string> host_compile(const VerifyOptions& options, const fs::path& package) {
  std::vector<std::string> command = {options.host_compiler};
  command.insert(command.end(), strict_c99_flags().begin(), strict_c99_flags().end());
  command.push_back("-I" + (package / "include").string());
  for (const fs::path& source : package_sources(package)) command.push_back(source.string());
  return command;
}

// Builds and runs the harness; returns all outputs, one after another, and sets the arena's size as compiled.
std::string run_on_host(const VerifyOptions& options, const fs::path& package, const std::string& name,
                        const std::string& inputs, const fs::path& work, int64_t& compiled_arena_bytes) {
  const std::string main =
      fill_template(asset("export/templates/verify_main.c"), {{"NAME", name}, {"UPPER", upper_case(name)}});
  write_file_atomic(work / "verify_main.c", main);
  write_file_atomic(work / "inputs.bin", inputs);
  const fs::path program = work / "verify_main";
  std::vector<std::string> command = host_compile(options, package);
  command.insert(command.end(), {(work / "verify_main.c").string(), "-o", program.string()});
  run_compiler(command, "compiling the package for this machine");

  const auto run =
      run_process({program.string(), (work / "inputs.bin").string(), (work / "outputs.bin").string()});
  if (!run)
    throw verification_error("cannot run '" + program.string() +
                             "' (is the temporary folder mounted noexec?)");
  if (run->exit_code == 3) throw verification_error("the package wrote outside its arena");
  if (run->exit_code != 0) {
    throw verification_error("the compiled package ended with exit code " + std::to_string(run->exit_code) +
                             ": " + run->output);
  }
  compiled_arena_bytes = std::stoll(run->output);
  return read_file(work / "outputs.bin");
}

void run_self_test(const VerifyOptions& options, const fs::path& package, const std::string& name,
                   const fs::path& work) {
  const fs::path program = work / "self_test";
  std::vector<std::string> command = host_compile(options, package);
  for (const std::string& file : {std::string("main.c"), name + "_self_test.c", name + "_golden.c"}) {
    command.push_back((package / "test" / file).string());
  }
  command.insert(command.end(), {"-o", program.string()});
  run_compiler(command, "compiling the self-test");
  const auto run = run_process({program.string()});
  if (!run || run->exit_code != 0) {
    throw verification_error(
        "the package's own self-test fails" +
        (run ? ": " + std::to_string(run->exit_code) + " checks" : std::string(" to start")));
  }
}

int64_t count_mismatches(const Int8Model& model, const std::vector<std::vector<int8_t>>& inputs,
                         const std::string& outputs) {
  const auto output_bytes = static_cast<size_t>(model.graph.tensor(model.graph.output).shape.elements());
  if (outputs.size() != output_bytes * inputs.size()) {
    throw verification_error("the compiled package wrote " + std::to_string(outputs.size()) +
                             " bytes, expected " + std::to_string(output_bytes * inputs.size()));
  }
  Interpreter interpreter(model);
  int64_t mismatches = 0;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const std::vector<int8_t>& expected = interpreter.run(inputs[i].data());
    const char* got = outputs.data() + i * output_bytes;
    mismatches += !std::equal(expected.begin(), expected.end(), reinterpret_cast<const int8_t*>(got));
  }
  return mismatches;
}

void measure(const VerifyOptions& options, const fs::path& package, const std::string& name,
             const fs::path& work, VerifyReport& report) {
  const auto version = run_process({options.arm_compiler, "-dumpfullversion"});
  report.arm_compiled = version.has_value() && version->exit_code == 0;
  LinkedSize size;
  if (report.arm_compiled) {
    const std::vector<std::string> flags = core_flags(options.arm_cpu);
    size = measure_linked(options.arm_compiler, flags, package, name, work);
    report.arm_note = options.arm_compiler + " " + version->output.substr(0, version->output.find('\n')) +
                      ", " + join(flags, " ") + " -O2 -ffunction-sections -fdata-sections --gc-sections";
  } else {
    size = measure_linked(options.host_compiler, {}, package, name, work);
    report.arm_note = "'" + options.arm_compiler + "' is not installed: code, data and stack are those of '" +
                      options.host_compiler + "' on this machine";
  }
  if (size.arena_bytes != report.compiled_arena_bytes) {
    throw verification_error("the arena takes " + std::to_string(report.compiled_arena_bytes) +
                             " bytes on this machine and " + std::to_string(size.arena_bytes) +
                             " when linked (" + report.arm_note + ")");
  }
  report.linked_code_bytes = size.code_bytes;
  report.linked_rodata_bytes = size.weights_tables_bytes;
  report.linked_data_bss_bytes = size.data_bss_bytes;
  report.stack_bytes = size.stack_bytes;
}

}  // namespace

VerifyReport verify_package(const fs::path& directory, const Int8Model& model,
                            const std::vector<std::vector<int8_t>>& inputs, const VerifyOptions& options) {
  const fs::path package = fs::absolute(directory);
  const PackageManifest manifest = read_manifest(package);
  const std::string bytes = joined(inputs, model.graph.tensor(model.graph.input).shape.elements());
  const TemporaryFolder work;
  VerifyReport report;
  report.planned_arena_bytes = plan_memory(model.graph, manifest.plan).arena_bytes;
  const std::string outputs =
      run_on_host(options, package, manifest.name, bytes, work.path(), report.compiled_arena_bytes);
  report.images = static_cast<int64_t>(inputs.size());
  report.mismatches = count_mismatches(model, inputs, outputs);
  if (report.mismatches == 0) run_self_test(options, package, manifest.name, work.path());
  measure(options, package, manifest.name, work.path(), report);
  return report;
}

nlohmann::json to_json(const VerifyReport& report) {
  return {{"passed", report.passed()},
          {"images", report.images},
          {"mismatches", report.mismatches},
          {"planned_arena_bytes", report.planned_arena_bytes},
          {"compiled_arena_bytes", report.compiled_arena_bytes},
          {"arm_compiled", report.arm_compiled},
          {"arm_note", report.arm_note},
          {"linked_code_bytes", report.linked_code_bytes},
          {"linked_rodata_bytes", report.linked_rodata_bytes},
          {"linked_data_bss_bytes", report.linked_data_bss_bytes},
          {"stack_bytes", report.stack_bytes}};
}

}  // namespace tinynas
