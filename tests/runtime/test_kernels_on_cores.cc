// Every variant of every kernel on emulated cores against the portable kernels on this machine: random
// layers, guard bytes around every buffer, and buffers at the edge of what the machine has of memory.
#include <catch2/catch.hpp>
#include <filesystem>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "base/files.h"
#include "export/process.h"
#include "export/toolchain.h"
#include "host_sweep.h"
#include "runtime/tn_variant.h"

using namespace tinynas;
using namespace tinynas::testing;
namespace fs = std::filesystem;

namespace {

constexpr uint32_t kSeed = 31;
constexpr int32_t kLayers = 1200;

// A core, and QEMU's machine for it: where it has code, data, and the sweep's room. What lies around that is
// not mapped, which some machines answer with a fault and some with zeros: those get a fence.
struct Machine {
  const char* core;
  const char* runs_as;  // QEMU has no large enough machine with a Cortex-M0+; Armv6-M is a part of Armv7-M
  const char* name;
  uint32_t code, ram, room, room_bytes;
  bool fence;
};

constexpr uint32_t kMiB = 1024 * 1024;
constexpr Machine kM0plus = {"cortex-m0plus", "cortex-m4", "mps2-an386", 0,
                             0x20000000,      0x21000000,  16 * kMiB,    true};
constexpr Machine kM3 = {"cortex-m3", "cortex-m3", "mps2-an385", 0, 0x20000000, 0x21000000, 16 * kMiB, true};
constexpr Machine kM4 = {"cortex-m4", "cortex-m4", "mps2-an386", 0, 0x20000000, 0x21000000, 16 * kMiB, true};
constexpr Machine kM7 = {"cortex-m7", "cortex-m7", "mps2-an500", 0, 0x20000000, 0x60000000, 16 * kMiB, false};
constexpr Machine kM33 = {"cortex-m33", "cortex-m33", "mps2-an505", 0x10000000,
                          0x38000000,   0x80000000,   16 * kMiB,    false};
constexpr Machine kM55 = {"cortex-m55", "cortex-m55", "mps3-an547", 0,
                          0x21000000,   0x20000000,   kMiB / 2,     false};

struct Build {
  Machine machine;
  int planned_variant;  // a core without its instructions runs the next lower one in the scratch of this one
  const char* optimisation;
};

const std::vector<Build> kBuilds = {
    {kM0plus, TN_PORTABLE, "-Os"}, {kM0plus, TN_DSP, "-O2"}, {kM3, TN_PORTABLE, "-O2"}, {kM4, TN_DSP, "-O2"},
    {kM4, TN_DSP, "-Os"},          {kM7, TN_DSP, "-O3"},     {kM33, TN_DSP, "-O2"},     {kM55, TN_DSP, "-O2"},
    {kM55, TN_MVE, "-O2"},         {kM55, TN_MVE, "-Os"},    {kM4, TN_MVE, "-O2"},
};

bool runs(const std::string& program) {
  const auto result = run_process({program, "--version"});
  return result && result->exit_code == 0;
}

bool skipped() {
  for (const char* program : {"arm-none-eabi-gcc", "qemu-system-arm"}) {
    if (runs(program)) continue;
    std::cerr << "\n*** SKIPPED: there is no " << program << ": the kernels ran on no emulated core ***\n\n";
    return true;
  }
  return false;
}

std::string compile(const std::string& core, const fs::path& source, const fs::path& object,
                    const std::vector<std::string>& flags) {
  std::vector<std::string> command = {"arm-none-eabi-gcc"};
  const std::vector<std::string> target = core_flags(core);
  command.insert(command.end(), target.begin(), target.end());
  command.insert(command.end(), {"-std=gnu99", "-Wall", "-Wextra", "-Werror", "-ffunction-sections", "-Isrc",
                                 "-Isrc/runtime", "-c", source.string(), "-o", object.string()});
  command.insert(command.end(), flags.begin(), flags.end());
  run_compiler(command, "compiling " + source.string() + " for " + core);
  return object.string();
}

std::string define(const char* name, uint32_t value) {
  return std::string("-D") + name + "=" + std::to_string(value) + "u";
}

// Start-up and kernels of one build, and whatever main it is linked with.
class Program {
 public:
  explicit Program(const Build& build) : build_(build) {
    const Machine& machine = build.machine;
    const std::vector<std::string> flags = {
        build.optimisation, define("TN_PLANNED_VARIANT", static_cast<uint32_t>(build.planned_variant))};
    objects_.push_back(compile(machine.runs_as, "src/export/templates/emulator/startup.c",
                               folder_.path() / "startup.o", {"-O1"}));
    objects_.push_back(
        compile(machine.core, "tests/runtime/kernel_sweep.c", folder_.path() / "kernel_sweep.o", flags));
    for (const auto& entry : fs::directory_iterator("src/runtime")) {
      if (entry.path().extension() != ".c" || entry.path().filename() == "tn_oracle.c") continue;
      objects_.push_back(
          compile(machine.core, entry.path(), folder_.path() / (entry.path().stem().string() + ".o"), flags));
    }
  }

  ProcessResult run(const std::vector<std::string>& main_flags) const {
    const Machine& machine = build_.machine;
    std::vector<std::string> flags = {"-O1", define("ROOM", machine.room),
                                      define("ROOM_BYTES", machine.room_bytes)};
    if (machine.fence) flags.emplace_back("-DFENCE");
    flags.insert(flags.end(), main_flags.begin(), main_flags.end());
    const std::string main =
        compile(machine.core, "tests/runtime/sweep_main.c", folder_.path() / "sweep_main.o", flags);
    const std::string elf = (folder_.path() / "sweep.elf").string();
    std::vector<std::string> link = {"arm-none-eabi-gcc"};
    const std::vector<std::string> target = core_flags(machine.core);
    link.insert(link.end(), target.begin(), target.end());
    link.insert(
        link.end(),
        {"-nostartfiles", "-Wl,--gc-sections", "-T", "tools/emulator/board.ld",
         "-Wl,--defsym=CODE_ORIGIN=" + std::to_string(machine.code), "-Wl,--defsym=CODE_BYTES=0x80000",
         "-Wl,--defsym=RAM_ORIGIN=" + std::to_string(machine.ram), "-Wl,--defsym=RAM_BYTES=0x200000", main});
    link.insert(link.end(), objects_.begin(), objects_.end());
    link.insert(link.end(), {"-o", elf});
    run_compiler(link, std::string("linking the sweep for ") + machine.core);
    const auto result = run_process({"timeout", "--foreground", "120", "qemu-system-arm", "-M", machine.name,
                                     "-nographic", "-monitor", "none", "-serial", "none",
                                     "-semihosting-config", "enable=on,target=native", "-kernel", elf});
    REQUIRE(result);
    return *result;
  }

 private:
  Build build_;
  TemporaryFolder folder_;
  std::vector<std::string> objects_;
};

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

void check_lines(const ProcessResult& run, const std::vector<std::string>& expected) {
  const std::vector<std::string> got = lines_of(run.output);
  int different = 0;
  std::string first;
  for (size_t i = 0; i < expected.size(); ++i) {
    if (i < got.size() && got[i] == expected[i]) continue;
    if (different++ == 0)
      first = "expected " + expected[i] + "\n     got " + (i < got.size() ? got[i] : "nothing");
  }
  INFO(first);
  CHECK(different == 0);
  CHECK(got.size() == expected.size());
  CHECK(run.exit_code == 0);
}

}  // namespace

TEST_CASE("every variant computes the portable kernels' bits, and touches its own buffers alone") {
  if (skipped()) return;
  const std::vector<std::string> expected = lines_of(sweep_on_host(kSeed, kLayers));
  REQUIRE(expected.size() == static_cast<size_t>(kLayers));
  for (const Build& build : kBuilds) {
    const Machine& machine = build.machine;
    CAPTURE(machine.core, build.planned_variant, build.optimisation);
    const Program program(build);
    // What the sweep proves by not faulting is worth something only where a byte outside the room does fault.
    for (const uint32_t outside : {machine.room - 1, machine.room + machine.room_bytes}) {
      CHECK(program.run({define("PROBE", outside)}).exit_code == 99);
    }
    CHECK(program.run({define("PROBE", machine.room)}).exit_code == 0);
    for (const uint32_t row_by_row : {0u, 1u}) {
      CAPTURE(row_by_row);
      check_lines(program.run({define("SEED", kSeed), define("LAYERS", static_cast<uint32_t>(kLayers)),
                               define("ROW_BY_ROW", row_by_row)}),
                  expected);
    }
  }
}
