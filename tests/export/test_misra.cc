// cppcheck's MISRA C:2012 addon over a package and every kernel: only deviations that docs/misra.md explains.
#include <catch2/catch.hpp>
#include <iostream>
#include <set>
#include <sstream>

#include "packages.h"

using namespace tinynas;
using namespace tinynas::testing;
namespace fs = std::filesystem;

namespace {

// Rules of the table: lines "| 12.1 | ...".
std::set<std::string> listed_rules() {
  std::istringstream lines(read_file("docs/misra.md"));
  std::set<std::string> rules;
  for (std::string line; std::getline(lines, line);) {
    if (line.size() > 3 && line.starts_with("| ") && line[2] >= '0' && line[2] <= '9')
      rules.insert(line.substr(2, line.find(' ', 2) - 2));
  }
  return rules;
}

// Rule -> the first place that breaks it.
std::map<std::string, std::string> broken_rules(const std::vector<std::string>& files,
                                                const std::vector<std::string>& features = {}) {
  std::vector<std::string> command = {
      "cppcheck",      "--std=c99", "--platform=unix32", "--enable=style",
      "--addon=misra", "--quiet",   "--max-configs=4",   "--template={id} {file}:{line}"};
  for (const std::string& feature : features) command.push_back("-D" + feature);
  command.insert(command.end(), files.begin(), files.end());
  const std::string output = run_compiler(command, "checking MISRA C:2012");
  const std::string mark = "misra-c2012-";
  std::map<std::string, std::string> rules;
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(mark)) continue;
    const size_t space = line.find(' ');
    rules.insert({line.substr(mark.size(), space - mark.size()), line.substr(space + 1)});
  }
  return rules;
}

}  // namespace

TEST_CASE("a package keeps MISRA C:2012 but for the listed deviations") {
  if (!run_process({"cppcheck", "--version"})) {
    std::cerr << "\n*** SKIPPED: cppcheck is not installed, MISRA C:2012 was NOT checked ***\n\n";
    return;
  }
  const InputKind input = GENERATE(InputKind::kResident, InputKind::kRows, InputKind::kReread);
  CAPTURE(name_of(input));
  const TemporaryFolder folder;
  const Int8Model model = random_model(41);
  Rng rng(41);
  ExportOptions options;
  options.plan.variant = KernelVariant::kMve;
  options.plan.schedule = Schedule::kStream;
  options.plan.input = input;
  export_package(model, random_inputs(model, 1, rng), folder.path() / "p", options);
  REQUIRE(read_file(folder.path() / "p" / "src" / "model.c").find("segment_0_rows_0(") != std::string::npos);
  const std::set<std::string> listed = listed_rules();
  REQUIRE(listed.size() > 5);

  // The addon must find what is there to be found.
  write_file_atomic(folder.path() / "goto.c",
                    "int f(int a);\nint f(int a) {\n  goto end;\nend:\n  return a;\n}\n");
  CHECK(broken_rules({(folder.path() / "goto.c").string()}).count("15.1") == 1);

  std::vector<std::string> files = {"-I" + (folder.path() / "p" / "include").string()};
  for (const auto& entry : fs::directory_iterator(folder.path() / "p" / "src"))
    if (entry.path().extension() == ".c") files.push_back(entry.path().string());
  // Every kernel, beside the package's own headers: seen twice, they would be two declarations of the same.
  for (const auto& entry : fs::directory_iterator("src/runtime")) {
    const fs::path file = entry.path().filename();
    if (file == "CMakeLists.txt" || file == "tn_oracle.c") continue;  // not in any package
    const fs::path copy = folder.path() / "p" / "src" / "kernels" / file;
    fs::copy_file(entry.path(), copy, fs::copy_options::overwrite_existing);
    if (copy.extension() == ".c") files.push_back(copy.string());
  }
  // Each variant's code, as the compiler's macros choose it.
  const std::vector<std::string> dsp = {"__GNUC__=12", "__thumb2__=1", "__ARM_FEATURE_DSP=1",
                                        "__OPTIMIZE__=1"};
  std::vector<std::string> mve = dsp;
  mve.push_back("__ARM_FEATURE_MVE=1");
  for (const std::vector<std::string>& features : {std::vector<std::string>{}, dsp, mve}) {
    for (const auto& [rule, place] : broken_rules(files, features)) {
      CAPTURE(features, rule, place);
      CHECK(listed.count(rule) == 1);
    }
  }
}
