#include "export/emulator.h"

#include <algorithm>
#include <array>
#include <sstream>

#include "base/error.h"
#include "base/files.h"
#include "base/interrupt.h"
#include "export/assets.h"
#include "export/c_text.h"
#include "export/manifest.h"

namespace tinynas {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMiB = 1024 * 1024;

// Where QEMU's machine has memory: 16 KiB of code and 64 KiB of RAM for the harness, the rest for the
// package.
struct Machine {
  const char* core;
  const char* runs_as;  // the core that QEMU emulates, and that the harness is compiled for
  const char* name;     // qemu-system-arm -M
  int64_t harness_code, harness_ram, flash, sram;
  int64_t flash_limit, sram_limit;
};

constexpr std::array<Machine, 5> kMachines = {{
    {"cortex-m0plus", "cortex-m4", "mps2-an386", 0, 0x203F0000, 0x4000, 0x20000000, 3 * kMiB, 3 * kMiB},
    {"cortex-m4", "cortex-m4", "mps2-an386", 0, 0x203F0000, 0x4000, 0x20000000, 3 * kMiB, 3 * kMiB},
    {"cortex-m7", "cortex-m7", "mps2-an500", 0, 0x203F0000, 0x4000, 0x20000000, 3 * kMiB, 3 * kMiB},
    {"cortex-m33", "cortex-m33", "mps2-an505", 0x10000000, 0x383F0000, 0x10004000, 0x38000000, 3 * kMiB,
     3 * kMiB},
    {"cortex-m55", "cortex-m55", "mps3-an547", 0, 0x20000000, 0x01000000, 0x21000000, 2 * kMiB, 3 * kMiB},
}};

Error verification_error(const std::string& message) {
  return {ExitCode::kVerification, "emulator: " + message};
}

const Machine& machine_of(const std::string& core) {
  const auto found =
      std::find_if(kMachines.begin(), kMachines.end(), [&](const Machine& m) { return core == m.core; });
  if (found != kMachines.end()) return *found;
  std::vector<std::string> names;
  for (const Machine& machine : kMachines) names.emplace_back(machine.core);
  throw usage_error("emulator: no machine with the core '" + core + "', expected " + join(names, ", "));
}

void check_memory(const Machine& machine, const char* what, int64_t bytes, int64_t limit) {
  if (bytes < 1 || bytes > limit) {
    throw usage_error("emulator: " + std::to_string(bytes) + " bytes of " + what + " on " + machine.core +
                      ", expected 1 to " + std::to_string(limit));
  }
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

bool runs(const std::string& program, const char* argument) {
  const auto result = run_process({program, argument});
  return result && result->exit_code == 0;
}

std::string defsym(const char* symbol, int64_t value) {
  return std::string("-Wl,--defsym=") + symbol + "=" + std::to_string(value);
}

// "region `SRAM' overflowed by 1234 bytes"; 0 when the linker says nothing of this region.
int64_t overflow_of(const std::string& region, const std::string& messages) {
  const std::string start = "region `" + region + "' overflowed by ";
  const size_t found = messages.find(start);
  return found == std::string::npos ? 0 : std::stoll(messages.substr(found + start.size()));
}

fs::path compile_harness(const EmulatorOptions& options, const Machine& machine, const fs::path& package,
                         const PackageManifest& manifest, const fs::path& work) {
  for (const char* file : {"startup.c", "semihosting.h"}) {
    write_file_atomic(work / (std::string("tn-") + file),
                      asset(std::string("export/templates/emulator/") + file));
  }
  fs::rename(work / "tn-semihosting.h", work / "semihosting.h");
  write_file_atomic(work / "tn-harness.c",
                    fill_template(asset("export/templates/emulator/harness.c"),
                                  {{"NAME", manifest.name},
                                   {"UPPER", upper_case(manifest.name)},
                                   {"INPUTS", c_string((work / "inputs.bin").string())},
                                   {"OUTPUTS", c_string((work / "outputs.bin").string())}}));
  for (const char* stem : {"tn-startup", "tn-harness"}) {
    std::vector<std::string> command = {options.arm_compiler};
    const std::vector<std::string> flags = core_flags(machine.runs_as);
    command.insert(command.end(), flags.begin(), flags.end());
    // Without built-ins and loops made into calls: nothing of the compiler's library comes in by the harness.
    command.insert(command.end(), {"-std=gnu99", "-O1", "-Wall", "-Wextra", "-Werror", "-ffunction-sections",
                                   "-fdata-sections", "-fno-builtin", "-fno-tree-loop-distribute-patterns",
                                   "-I" + work.string(), "-I" + (package / "include").string(), "-c",
                                   (work / (std::string(stem) + ".c")).string(), "-o",
                                   (work / (std::string(stem) + ".o")).string()});
    run_compiler(command, std::string("compiling the emulator's ") + stem);
  }
  return work / "tn-harness.o";
}

// Links everything into the budget; false, with the overflows in `run`, when it does not fit.
bool link(const EmulatorOptions& options, const Machine& machine, const Objects& objects,
          const fs::path& work, const fs::path& program, EmulatorRun& run) {
  write_file_atomic(work / "package.ld", asset("export/templates/emulator/package.ld"));
  std::vector<std::string> command = {options.arm_compiler};
  // For the core itself, so that what the package calls of the compiler's library is that core's.
  const std::vector<std::string> flags = core_flags(machine.core);
  command.insert(command.end(), flags.begin(), flags.end());
  command.insert(command.end(),
                 {"-nostartfiles", "-Wl,--gc-sections", "-Wl,--build-id=none", "-T",
                  (work / "package.ld").string(), defsym("HARNESS_CODE_ORIGIN", machine.harness_code),
                  defsym("HARNESS_RAM_ORIGIN", machine.harness_ram), defsym("FLASH_ORIGIN", machine.flash),
                  defsym("FLASH_BYTES", options.flash_bytes), defsym("SRAM_ORIGIN", machine.sram),
                  defsym("SRAM_BYTES", options.sram_bytes), defsym("STACK_BYTES", options.stack_bytes),
                  (work / "tn-startup.o").string(), (work / "tn-harness.o").string()});
  for (const auto& [stem, object] : objects) command.push_back(object.string());
  command.insert(command.end(), {"-o", program.string()});
  const auto linked = run_process(command);
  check_interrupt();
  if (linked && linked->exit_code != 0) {
    run.sram_overflow_bytes = overflow_of("SRAM", linked->output);
    run.flash_overflow_bytes = overflow_of("FLASH", linked->output);
    if (run.fits()) throw verification_error("the package does not link:\n" + linked->output.substr(0, 4000));
  }
  return run.fits();
}

std::string build_plugin(const EmulatorOptions& options, const fs::path& work) {
  write_file_atomic(work / "count_instructions.c", asset("export/templates/emulator/count_instructions.c"));
  const std::string plugin = (work / "libcount.so").string();
  run_compiler({options.host_compiler, "-shared", "-fPIC", "-O2", (work / "count_instructions.c").string(),
                "-o", plugin},
               "compiling the plugin that counts instructions");
  return plugin;
}

void run_qemu(const EmulatorOptions& options, const Machine& machine, const fs::path& program,
              const fs::path& work) {
  std::vector<std::string> command = {"timeout",
                                      "--foreground",
                                      std::to_string(options.timeout_s),
                                      options.emulator,
                                      "-M",
                                      machine.name,
                                      "-nographic",
                                      "-monitor",
                                      "none",
                                      "-serial",
                                      "none",
                                      "-semihosting-config",
                                      "enable=on,target=native"};
  if (options.count_instructions) {
    command.insert(command.end(),
                   {"-plugin", build_plugin(options, work) + ",out=" + (work / "regions.txt").string()});
  }
  command.insert(command.end(), {"-kernel", program.string()});
  check_interrupt();
  const auto result = run_process(command);
  check_interrupt();
  if (!result) throw verification_error("there is no program 'timeout' (coreutils)");
  if (result->exit_code == 0) return;
  const std::string where =
      std::string(" on ") + machine.core + " (" + options.emulator + " -M " + machine.name + ")";
  if (result->exit_code == 124) {
    throw verification_error("the runs" + where + " took more than " + std::to_string(options.timeout_s) +
                             " s");
  }
  if (result->exit_code == 3) throw verification_error("the package wrote behind its variables" + where);
  if (result->output.find("FAULT") != std::string::npos ||
      result->output.find("Lockup") != std::string::npos) {
    throw verification_error(
        "the core faulted" + where + ": a stack deeper than the " + std::to_string(options.stack_bytes) +
        " bytes it was given, an access outside the memories, or an instruction that the "
        "core does not have");
  }
  throw verification_error("the program ended with exit code " + std::to_string(result->exit_code) + where +
                           ":\n" + result->output.substr(0, 2000));
}

// The plugin's lines: counts by class, of which "multiple_registers" are registers and not instructions.
std::vector<int64_t> read_instructions(const fs::path& file) {
  constexpr int kMultipleRegisters = 7;
  std::istringstream lines(read_file(file));
  std::vector<int64_t> instructions;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream counts(line);
    int64_t total = 0;
    int64_t count = 0;
    for (int column = 0; counts >> count; ++column) {
      if (column != kMultipleRegisters) total += count;
    }
    instructions.push_back(total);
  }
  return instructions;
}

// For every run an output, then 4 bytes with the stack that it used.
void read_outputs(const fs::path& file, size_t expected_runs, int64_t output_bytes, EmulatorRun& run) {
  const std::string bytes = read_file(file);
  const auto record = static_cast<size_t>(output_bytes) + 4;
  if (bytes.size() != expected_runs * record) {
    throw verification_error("the program wrote " + std::to_string(bytes.size()) + " bytes, expected " +
                             std::to_string(expected_runs * record));
  }
  for (size_t at = 0; at < bytes.size(); at += record) {
    const auto* output = reinterpret_cast<const int8_t*>(bytes.data() + at);
    run.outputs.emplace_back(output, output + output_bytes);
    const auto* stack = reinterpret_cast<const uint8_t*>(output + output_bytes);
    const int64_t stack_bytes = stack[0] | stack[1] << 8 | stack[2] << 16 | int64_t{stack[3]} << 24;
    run.stack_bytes = std::max(run.stack_bytes, stack_bytes);
  }
}

void write_inputs(const std::vector<std::vector<int8_t>>& inputs, const PackageManifest& manifest,
                  const fs::path& file) {
  std::string bytes;
  for (const std::vector<int8_t>& input : inputs) {
    if (static_cast<int64_t>(input.size()) != manifest.input_bytes) {
      throw usage_error("emulator: an input has " + std::to_string(input.size()) + " values, '" +
                        manifest.name + "' takes " + std::to_string(manifest.input_bytes));
    }
    bytes.append(reinterpret_cast<const char*>(input.data()), input.size());
  }
  write_file_atomic(file, bytes);
}

std::string note_of(const EmulatorOptions& options, const Machine& machine) {
  const std::string compiler =
      first_line(run_compiler({options.arm_compiler, "-dumpfullversion"}, "its version"));
  const std::string emulator = first_line(run_compiler({options.emulator, "--version"}, "its version"));
  return options.arm_compiler + " " + compiler + ", " + join(core_flags(machine.core), " ") +
         " -O2 --gc-sections; " + emulator + ", " + machine.name;
}

}  // namespace

EmulatorOptions EmulatorOptions::largest(const std::string& core) {
  const Machine& machine = machine_of(core);
  EmulatorOptions options;
  options.core = core;
  options.sram_bytes = machine.sram_limit;
  options.flash_bytes = machine.flash_limit;
  return options;
}

void EmulatorOptions::check() const {
  const Machine& machine = machine_of(core);
  check_memory(machine, "SRAM", sram_bytes, machine.sram_limit);
  check_memory(machine, "Flash", flash_bytes, machine.flash_limit);
  check_memory(machine, "stack", stack_bytes, machine.sram_limit);
  if (timeout_s < 1) {
    throw usage_error("emulator: expected a time limit of at least 1 s, got " + std::to_string(timeout_s));
  }
}

std::string emulator_missing(const EmulatorOptions& options) {
  options.check();
  std::vector<std::string> missing;
  if (!runs(options.arm_compiler, "-dumpfullversion")) missing.push_back(options.arm_compiler);
  if (!runs(options.emulator, "--version")) missing.push_back(options.emulator);
  if (options.count_instructions && !runs(options.host_compiler, "--version"))
    missing.push_back(options.host_compiler);
  return missing.empty() ? "" : "not installed: " + join(missing, ", ");
}

bool emulator_available(const std::string& core) {
  EmulatorOptions options;
  options.core = core;
  return emulator_missing(options).empty();
}

EmulatorRun run_in_emulator(const EmulatorOptions& options, const fs::path& directory,
                            const std::vector<std::vector<int8_t>>& inputs) {
  const std::string missing = emulator_missing(options);
  if (!missing.empty()) throw verification_error(missing);
  const Machine& machine = machine_of(options.core);
  const fs::path package = fs::absolute(directory);
  const PackageManifest manifest = read_manifest(package);
  const TemporaryFolder folder;
  const fs::path& work = folder.path();
  write_inputs(inputs, manifest, work / "inputs.bin");
  const Objects objects = compile_package(options.arm_compiler, core_flags(options.core), package, work);
  compile_harness(options, machine, package, manifest, work);

  EmulatorRun run;
  run.note = note_of(options, machine);
  const fs::path program = work / "firmware.elf";
  if (!link(options, machine, objects, work, program, run)) return run;
  run.linked = linked_size(options.arm_compiler, objects, program, manifest.name);
  run_qemu(options, machine, program, work);
  read_outputs(work / "outputs.bin", inputs.size(), manifest.output_bytes, run);
  if (options.count_instructions) {
    run.instructions = read_instructions(work / "regions.txt");
    if (run.instructions.size() != inputs.size()) {
      throw verification_error("the plugin counted " + std::to_string(run.instructions.size()) + " runs of " +
                               std::to_string(inputs.size()));
    }
  }
  return run;
}

}  // namespace tinynas
