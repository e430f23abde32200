#include "export/verify_targets.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "export/c_text.h"
#include "export/manifest.h"

namespace tinynas {
namespace {

namespace fs = std::filesystem;

Error verification_error(const std::string& message) {
  return {ExitCode::kVerification, "verify: " + message};
}

// The compiler's version; empty when it is not installed.
std::string version_of(const std::string& program, const char* argument) {
  const auto result = run_process({program, argument});
  if (!result || result->exit_code != 0) return "";
  return result->output.substr(0, result->output.find('\n'));
}

// What `work` finds, with what it throws as a failure; skipped when `version` says that there is no such
// program.
TargetResult attempt(const std::string& target, const std::string& program, const std::string& version,
                     const std::function<void(TargetResult&)>& work) {
  TargetResult result;
  result.target = target;
  if (version.empty()) {
    result.outcome = Outcome::kSkipped;
    result.note = "'" + program + "' is not installed";
    return result;
  }
  result.note = program + " " + version;
  try {
    work(result);
  } catch (const Error& error) {
    if (error.code() != ExitCode::kVerification) throw;
    result.outcome = Outcome::kFailed;
    result.note = error.what();
  }
  return result;
}

void check_arena(const LinkedSize& linked, const PackageManifest& manifest) {
  if (linked.arena_bytes != manifest.arena_bytes) {
    throw verification_error(fmt::format("the linked arena takes {} bytes, the plan says {}",
                                         linked.arena_bytes, manifest.arena_bytes));
  }
  if (linked.data_bss_bytes != 0) {
    throw verification_error(
        fmt::format("the package has {} bytes of variables beside its arena", linked.data_bss_bytes));
  }
}

// The package's own self-test, as a program of this machine.
void self_test(const std::string& compiler, const fs::path& package, const PackageManifest& manifest,
               TargetResult& result) {
  const TemporaryFolder folder;
  const fs::path program = folder.path() / "self_test";
  std::vector<std::string> command = {compiler};
  command.insert(command.end(), strict_c99_flags().begin(), strict_c99_flags().end());
  command.push_back("-I" + (package / "include").string());
  for (const fs::path& source : package_sources(package)) command.push_back(source.string());
  for (const std::string& file :
       {std::string("main.c"), manifest.name + "_self_test.c", manifest.name + "_golden.c"}) {
    command.push_back((package / "test" / file).string());
  }
  command.insert(command.end(), {"-o", program.string()});
  run_compiler(command, "compiling the self-test");
  const auto run = run_process({program.string()});
  if (!run || run->exit_code != 0) {
    throw verification_error("the package's own self-test fails" +
                             (run ? fmt::format(": {} checks", run->exit_code) : std::string(" to start")));
  }
  result.runs = manifest.golden_count;
}

TargetResult compile_for(const std::string& target, const std::string& compiler,
                         const std::vector<std::string>& flags, const fs::path& package,
                         const PackageManifest& manifest) {
  return attempt(target, compiler, version_of(compiler, "-dumpfullversion"), [&](TargetResult& result) {
    const TemporaryFolder work;
    result.linked = measure_linked(compiler, flags, package, manifest.name, work.path());
    result.note += ", " + join(flags, " ");
    check_arena(result.linked, manifest);
  });
}

std::string budget_text(const EmulatorOptions& options) {
  return fmt::format("SRAM of {} and Flash of {} bytes", options.sram_bytes, options.flash_bytes);
}

void emulate(const EmulatorOptions& options, const fs::path& package, const PackageManifest& manifest,
             const ReferenceRuns& reference, TargetResult& result) {
  const EmulatorRun run = run_in_emulator(options, package, reference.inputs);
  if (!run.fits()) {
    throw verification_error(fmt::format(
        "it does not link into {}: {} bytes of SRAM and {} of Flash too much, "
        "with a stack of {}",
        budget_text(options), run.sram_overflow_bytes, run.flash_overflow_bytes, options.stack_bytes));
  }
  result.linked = run.linked;
  result.runs = static_cast<int64_t>(run.outputs.size());
  result.painted_stack_bytes = run.stack_bytes;
  result.note = run.note + "; " + budget_text(options);
  check_arena(run.linked, manifest);
  int64_t mismatches = 0;
  for (size_t i = 0; i < reference.outputs.size(); ++i) mismatches += run.outputs[i] != reference.outputs[i];
  if (mismatches > 0) {
    throw verification_error(
        fmt::format("{} of {} outputs differ from the interpreter's", mismatches, reference.outputs.size()));
  }
  if (run.stack_bytes > run.linked.stack_bytes) {
    throw verification_error(fmt::format("the stack went {} bytes deep, its bound is {}", run.stack_bytes,
                                         run.linked.stack_bytes));
  }
}

TargetResult emulate_on(const std::string& core, const TargetOptions& targets, const fs::path& package,
                        const PackageManifest& manifest, const ReferenceRuns& reference) {
  EmulatorOptions options = EmulatorOptions::largest(core);
  options.arm_compiler = targets.arm_compiler;
  options.emulator = targets.emulator;
  options.stack_bytes = manifest.stack_bytes_at_most;
  if (targets.sram_bytes > 0) options.sram_bytes = std::min(options.sram_bytes, targets.sram_bytes);
  if (targets.flash_bytes > 0) options.flash_bytes = std::min(options.flash_bytes, targets.flash_bytes);
  const bool has_compiler = !version_of(targets.arm_compiler, "-dumpfullversion").empty();
  const std::string& program = has_compiler ? targets.emulator : targets.arm_compiler;
  const std::string version = has_compiler ? version_of(targets.emulator, "--version") : "";
  return attempt("emulate " + core, program, version,
                 [&](TargetResult& result) { emulate(options, package, manifest, reference, result); });
}

// Values of a raw file, `bytes` in each.
std::vector<std::vector<int8_t>> tensors_of(const fs::path& file, int64_t bytes) {
  const std::string content = read_file(file);
  const auto size = static_cast<size_t>(bytes);
  if (content.empty() || content.size() % size != 0) {
    throw verification_error(
        fmt::format("'{}' has {} bytes, expected a multiple of {}", file.string(), content.size(), bytes));
  }
  std::vector<std::vector<int8_t>> tensors;
  for (size_t at = 0; at < content.size(); at += size) {
    const auto* values = reinterpret_cast<const int8_t*>(content.data() + at);
    tensors.emplace_back(values, values + size);
  }
  return tensors;
}

std::string figure(int64_t value) { return value > 0 ? std::to_string(value) : "-"; }

}  // namespace

std::string name_of(Outcome outcome) {
  return outcome == Outcome::kPassed ? "passed" : outcome == Outcome::kFailed ? "FAILED" : "SKIPPED";
}

std::vector<TargetResult> verify_targets(const fs::path& directory, const ReferenceRuns& reference,
                                         const TargetOptions& options) {
  if (reference.inputs.empty() || reference.inputs.size() != reference.outputs.size()) {
    throw usage_error(
        fmt::format("verify: {} inputs and {} outputs, expected as many of both and at least one",
                    reference.inputs.size(), reference.outputs.size()));
  }
  const fs::path package = fs::absolute(directory);
  const PackageManifest manifest = read_manifest(package);
  std::vector<TargetResult> results;
  for (const std::string& compiler : options.host_compilers) {
    results.push_back(attempt("host " + compiler, compiler, version_of(compiler, "--version"),
                              [&](TargetResult& result) { self_test(compiler, package, manifest, result); }));
  }
  for (const std::string& core : options.arm_cores) {
    results.push_back(
        compile_for("compile " + core, options.arm_compiler, core_flags(core), package, manifest));
  }
  results.push_back(compile_for(
      "compile riscv32", options.riscv_compiler,
      {"-march=rv32imac", "-mabi=ilp32", "-mcmodel=medany", "--specs=picolibc.specs"}, package, manifest));
  for (const std::string& core : options.emulated_cores) {
    results.push_back(emulate_on(core, options, package, manifest, reference));
  }
  return results;
}

ReferenceRuns golden_runs(const fs::path& package) {
  const PackageManifest manifest = read_manifest(package);
  const std::string prefix = (package / "test" / manifest.name).string() + "_golden_";
  return {tensors_of(prefix + "inputs.bin", manifest.input_bytes),
          tensors_of(prefix + "outputs.bin", manifest.output_bytes)};
}

bool all_passed_or_skipped(const std::vector<TargetResult>& results) {
  return std::none_of(results.begin(), results.end(),
                      [](const TargetResult& result) { return result.outcome == Outcome::kFailed; });
}

std::string table_of(const std::vector<TargetResult>& results) {
  constexpr auto kRow = "{:<22} {:<8} {:>5} {:>9} {:>9} {:>12} {:>11} {:>14}\n";
  std::string table =
      fmt::format(kRow, "target", "", "runs", "arena", "code", "weights", "stack", "stack painted");
  std::string reasons;
  for (const TargetResult& result : results) {
    const LinkedSize& linked = result.linked;
    table += fmt::format(kRow, result.target, name_of(result.outcome), figure(result.runs),
                         figure(linked.arena_bytes), figure(linked.code_bytes),
                         figure(linked.weights_tables_bytes),
                         linked.stack_bytes > 0 ? "<= " + figure(linked.stack_bytes) : "-",
                         figure(result.painted_stack_bytes));
    if (result.outcome != Outcome::kPassed)
      reasons += fmt::format("{} {}: {}\n", name_of(result.outcome), result.target, result.note);
  }
  return table + reasons;
}

nlohmann::json to_json(const std::vector<TargetResult>& results) {
  nlohmann::json list = nlohmann::json::array();
  for (const TargetResult& result : results) {
    nlohmann::json json = {
        {"target", result.target}, {"outcome", name_of(result.outcome)}, {"note", result.note}};
    if (result.runs > 0) json["runs"] = result.runs;
    if (result.linked.arena_bytes > 0) {
      json["arena_bytes"] = result.linked.arena_bytes;
      json["code_bytes"] = result.linked.code_bytes;
      json["weights_tables_bytes"] = result.linked.weights_tables_bytes;
      json["data_bss_bytes"] = result.linked.data_bss_bytes;
      json["stack_bytes_at_most"] = result.linked.stack_bytes;
    }
    if (result.painted_stack_bytes > 0) json["painted_stack_bytes"] = result.painted_stack_bytes;
    list.push_back(std::move(json));
  }
  return list;
}

}  // namespace tinynas
