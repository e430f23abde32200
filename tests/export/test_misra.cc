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

using Places = std::map<std::string, std::set<std::string>>;  // rule -> files

// The table: lines "| 12.1 | tn_add.c, tn_rows.h | why |".
Places listed_places() {
  std::istringstream lines(read_file("docs/misra.md"));
  Places places;
  for (std::string line; std::getline(lines, line);) {
    if (line.size() < 4 || !line.starts_with("| ") || line[2] < '0' || line[2] > '9') continue;
    const size_t first = line.find(" | ") + 3;
    const std::string rule = line.substr(2, first - 5);
    std::istringstream files(line.substr(first, line.find(" | ", first) - first));
    for (std::string file; std::getline(files, file, ',');)
      places[rule].insert(file.substr(file.find_first_not_of(' ')));
  }
  return places;
}

// Rules that are broken, and the files that break them.
Places broken_rules(const std::vector<std::string>& files, const std::vector<std::string>& features = {}) {
  std::vector<std::string> command = {
      "cppcheck",      "--std=c99", "--platform=unix32", "--enable=style",
      "--addon=misra", "--quiet",   "--max-configs=4",   "--template={id} {file}"};
  for (const std::string& feature : features) command.push_back("-D" + feature);
  command.insert(command.end(), files.begin(), files.end());
  const std::string output = run_compiler(command, "checking MISRA C:2012");
  const std::string mark = "misra-c2012-";
  Places places;
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(mark)) continue;
    const size_t space = line.find(' ');
    places[line.substr(mark.size(), space - mark.size())].insert(
        fs::path(line.substr(space + 1)).filename().string());
  }
  return places;
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
  const Places listed = listed_places();
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
    for (const auto& [rule, places] : broken_rules(files, features)) {
      CAPTURE(features, rule);
      REQUIRE(listed.count(rule) == 1);
      for (const std::string& file : places) {
        CAPTURE(file);
        CHECK(listed.at(rule).count(file) == 1);
      }
    }
  }
}
