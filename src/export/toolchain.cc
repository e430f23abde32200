#include "export/toolchain.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>
#include <sstream>
#include <system_error>

#include "base/error.h"
#include "base/files.h"
#include "base/interrupt.h"
#include "export/assets.h"
#include "export/c_text.h"

namespace tinynas {
namespace {

namespace fs = std::filesystem;

Error verification_error(const std::string& message) {
  return {ExitCode::kVerification, "verify: " + message};
}

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// nm or readelf of the compiler's own binutils.
std::string tool_of(const std::string& compiler, const std::string& tool) {
  const std::string found = run_compiler({compiler, "-print-prog-name=" + tool}, "asked for its " + tool);
  return found.substr(0, found.find_last_not_of("\r\n") + 1);
}

// Defined symbols and their sizes in bytes.
std::map<std::string, int64_t> symbol_sizes(const std::string& nm, const fs::path& file) {
  std::map<std::string, int64_t> sizes;
  for (const std::string& line :
       lines_of(run_compiler({nm, "-S", "-t", "d", "--defined-only", file.string()}, "listing symbols"))) {
    const std::vector<std::string> words = words_of(line);  // address size type name
    if (words.size() == 4) sizes[words[3]] = std::stoll(words[1]);
  }
  return sizes;
}

struct SectionTotals {
  int64_t flash_bytes = 0;  // allocated and not written at run time
  int64_t data_bytes = 0;   // initialised RAM; its initial values take the same again in Flash
  int64_t bss_bytes = 0;
};

// `readelf -SW`: "  [ 1] .text  PROGBITS  00008000 008000 00022c 00  AX  0   0  4".
SectionTotals section_totals(const std::string& readelf, const fs::path& file) {
  SectionTotals totals;
  for (const std::string& line :
       lines_of(run_compiler({readelf, "-SW", file.string()}, "listing sections"))) {
    const size_t close = line.find(']');
    if (line.find('[') == std::string::npos || close == std::string::npos) continue;
    const std::vector<std::string> words = words_of(line.substr(close + 1));
    if (words.size() < 9 || words[6].find('A') == std::string::npos) continue;  // no flags, or not loaded
    const std::string& type = words[1];
    const int64_t size = std::stoll(words[4], nullptr, 16);
    if (words[0].starts_with(".tn_") || type == "NOTE") continue;
    if (type == "NOBITS") {
      totals.bss_bytes += size;
    } else if (words[6].find('W') != std::string::npos) {
      totals.data_bytes += size;
    } else {
      totals.flash_bytes += size;
    }
  }
  return totals;
}

// A .su file of -fstack-usage has lines "file.c:12:6:function<TAB>48<TAB>static". By function.
std::map<std::string, int64_t> stack_by_function(const fs::path& usage_file) {
  std::map<std::string, int64_t> functions;
  for (const std::string& line : lines_of(read_file(usage_file))) {
    std::istringstream fields(line);
    std::string where;
    std::string bytes;
    std::string kind;
    std::getline(fields, where, '\t');
    std::getline(fields, bytes, '\t');
    std::getline(fields, kind);
    // "dynamic,bounded": pushed arguments, say; the figure bounds it all the same (gcc's manual).
    if (kind == "dynamic")
      throw verification_error("stack of " + where + " is " + kind + ", not known when compiled");
    functions[where.substr(where.rfind(':') + 1)] += std::stoll(bytes);
  }
  return functions;
}

// Which functions whose names begin with `entry` call another of them: gcc makes one of two equal functions a
// call of the other. By caller, of a disassembled program.
std::map<std::string, std::string> calls_of_entries(const std::string& disassembly,
                                                    const std::string& entry) {
  std::map<std::string, std::string> calls;
  std::string caller;
  for (const std::string& line : lines_of(disassembly)) {
    const size_t open = line.find('<');
    const size_t close = line.find('>', open == std::string::npos ? 0 : open);
    if (open == std::string::npos || close == std::string::npos) continue;
    const std::string name = line.substr(open + 1, close - open - 1);
    if (line.ends_with(">:")) {  // "00008254 <model_run>:"
      caller = name;
    } else if (caller.starts_with(entry) && name.starts_with(entry) && name != caller &&
               name.find('+') == std::string::npos) {
      calls[caller] = name;
    }
  }
  return calls;
}

// Functions of one file may call each other and do not recurse: their sum bounds every chain through it.
// Those whose names begin with `entry` do not call each other but where `calls` says so, and only the deepest
// of them counts: the instances of templates, which stand in one file, and the functions of the package's
// interface.
int64_t stack_of_file(const fs::path& usage_file, const std::string& entry,
                      const std::map<std::string, std::string>& calls) {
  int64_t helpers = 0;
  int64_t deepest_entry = 0;
  const std::map<std::string, int64_t> functions = stack_by_function(usage_file);
  for (const auto& [function, bytes] : functions) {
    if (function.starts_with(entry)) {
      const auto call = calls.find(function);
      const auto called = call == calls.end() ? functions.end() : functions.find(call->second);
      deepest_entry = std::max(deepest_entry, bytes + (called == functions.end() ? 0 : called->second));
    } else {
      helpers += bytes;
    }
  }
  return helpers + deepest_entry;
}

// Bytes of the registers "{r4, r5, r6, lr}" or "{d8-d15}".
int64_t register_bytes(const std::string& list) {
  int64_t bytes = 0;
  std::string text = list.substr(list.find('{') + 1);
  std::replace(text.begin(), text.end(), ',', ' ');
  for (const std::string& name : words_of(text.substr(0, text.find('}')))) {
    const size_t dash = name.find('-');
    const int64_t count =
        dash == std::string::npos ? 1 : std::stoll(name.substr(dash + 2)) - std::stoll(name.substr(1)) + 1;
    bytes += count * (name[0] == 'd' ? 8 : 4);
  }
  return bytes;
}

// How far an instruction of a Thumb disassembly moves the stack pointer down; 0 for most.
int64_t pushed_bytes(const std::string& instruction) {
  const std::vector<std::string> words = words_of(instruction);
  if (words.empty()) return 0;
  const std::string& name = words[0];
  const size_t immediate = instruction.find('#');
  if (name.starts_with("push") || name.starts_with("vpush") ||
      ((name.starts_with("stmdb") || name.starts_with("vstmdb")) &&
       instruction.find("sp!") != std::string::npos))
    return register_bytes(instruction);
  if (name.starts_with("str") && instruction.find("[sp, #-") != std::string::npos &&
      instruction.ends_with("]!"))
    return std::stoll(instruction.substr(immediate + 2));
  if (name.starts_with("sub") && words.size() > 2 && words[1] == "sp,") {
    if (immediate == std::string::npos)
      throw verification_error("the compiler's library moves the stack by what is not known: " + instruction);
    return std::stoll(instruction.substr(immediate + 1));
  }
  return 0;
}

// Functions of the compiler's and the C library have no .su file. All that any of those in the program
// pushes, added, bounds every chain of calls through them: none calls itself. Arm only: elsewhere 0.
int64_t library_stack_bytes(const std::string& compiler, const Objects& objects, const std::string& text) {
  if (text.find("littlearm") == std::string::npos) return 0;
  std::set<std::string> own;
  for (const auto& [stem, object] : objects) {
    for (const auto& [symbol, bytes] : symbol_sizes(tool_of(compiler, "nm"), object)) own.insert(symbol);
  }
  int64_t total = 0;
  bool counts = false;
  for (const std::string& line : lines_of(text)) {
    const size_t tab = line.find('\t');
    if (line.ends_with(">:")) {  // "00008254 <__aeabi_lmul>:"
      const size_t open = line.find('<');
      counts = own.count(line.substr(open + 1, line.size() - open - 3)) == 0;
    } else if (counts && tab != std::string::npos) {
      total += pushed_bytes(line.substr(tab + 1));
    }
  }
  return total;
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (fs::temp_directory_path() / "tinynas-verify-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    throw io_error("cannot create a temporary folder '" + pattern + "': " + std::strerror(errno));
  }
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::vector<fs::path> package_sources(const fs::path& package) {
  std::vector<fs::path> sources;
  for (const char* folder : {"src", "src/kernels"}) {
    if (!fs::is_directory(package / folder))
      throw verification_error("'" + package.string() + "' has no folder " + folder);
    for (const auto& entry : fs::directory_iterator(package / folder)) {
      if (entry.path().extension() == ".c") sources.push_back(entry.path());
    }
  }
  std::sort(sources.begin(), sources.end());
  return sources;
}

const std::vector<std::string>& strict_c99_flags() {
  static const std::vector<std::string> flags = {"-std=c99",     "-pedantic", "-Wall", "-Wextra",
                                                 "-Wconversion", "-Werror",   "-O2"};
  return flags;
}

std::string run_compiler(const std::vector<std::string>& arguments, const std::string& purpose) {
  check_interrupt();
  const auto result = run_process(arguments);
  if (!result) throw verification_error("'" + arguments[0] + "' is not installed (" + purpose + ")");
  check_interrupt();
  if (result->exit_code != 0) {
    throw verification_error("'" + arguments[0] + "' failed with exit code " +
                             std::to_string(result->exit_code) + " (" + purpose + "):\n" +
                             result->output.substr(0, 4000));
  }
  return result->output;
}

std::vector<std::string> core_flags(const std::string& core) {
  return {"-mcpu=" + core, "-mthumb", core == "cortex-m55" ? "-mfloat-abi=hard" : "-mfloat-abi=soft"};
}

Objects compile_package(const std::string& compiler, const std::vector<std::string>& target_flags,
                        const fs::path& package, const fs::path& work) {
  std::vector<std::string> compile = {compiler};
  compile.insert(compile.end(), target_flags.begin(), target_flags.end());
  compile.insert(compile.end(), strict_c99_flags().begin(), strict_c99_flags().end());
  // Static code at fixed addresses, as firmware is; unwind tables are for hosted programs.
  for (const char* flag : {"-ffunction-sections", "-fdata-sections", "-fstack-usage", "-fno-common",
                           "-fno-pie", "-fno-asynchronous-unwind-tables", "-fno-stack-protector"}) {
    compile.push_back(flag);
  }
  compile.push_back("-I" + (package / "include").string());
  Objects objects;
  for (const fs::path& source : package_sources(package)) {
    const fs::path object = work / (source.stem().string() + ".o");
    std::vector<std::string> command = compile;
    command.insert(command.end(), {"-c", source.string(), "-o", object.string()});
    run_compiler(command, "compiling " + source.filename().string());
    objects[source.stem().string()] = object;
  }
  return objects;
}

LinkedSize linked_size(const std::string& compiler, const Objects& objects, const fs::path& program,
                       const std::string& name) {
  const std::string nm = tool_of(compiler, "nm");
  const auto linked = symbol_sizes(nm, program);
  LinkedSize size;
  for (const auto& [symbol, bytes] : symbol_sizes(nm, objects.at(name + "_weights"))) {
    if (linked.count(symbol) != 0) size.weights_tables_bytes += linked.at(symbol);
  }
  const auto arena = linked.find(name + "_arena");
  if (arena == linked.end()) throw verification_error("the linked package has no symbol " + name + "_arena");
  size.arena_bytes = arena->second;
  const SectionTotals totals = section_totals(tool_of(compiler, "readelf"), program);
  size.code_bytes = totals.flash_bytes + totals.data_bytes - size.weights_tables_bytes;
  size.data_bss_bytes = totals.data_bytes + totals.bss_bytes - size.arena_bytes;

  const std::string text = run_compiler(
      {tool_of(compiler, "objdump"), "-d", "-j", ".text", "--no-show-raw-insn", program.string()},
      "disassembling");
  const std::string entry = name + "_";
  const auto calls = calls_of_entries(text, entry);
  for (const auto& [stem, object] : objects) {
    if (stem.starts_with("tn_") || stem == name + "_kernels") {
      size.stack_bytes =
          std::max(size.stack_bytes, stack_of_file(fs::path(object).replace_extension(".su"), entry, calls));
    }
  }
  size.stack_bytes += stack_of_file(fs::path(objects.at(name)).replace_extension(".su"), entry, calls);
  size.stack_bytes += library_stack_bytes(compiler, objects, text);
  return size;
}

LinkedSize measure_linked(const std::string& compiler, const std::vector<std::string>& target_flags,
                          const fs::path& package, const std::string& name, const fs::path& work) {
  const Objects objects = compile_package(compiler, target_flags, package, work);
  // A hyphen: no file of a package has this name.
  const fs::path main = work / "tn-link-main.c";
  const fs::path program = work / "linked.elf";
  write_file_atomic(main, fill_template(asset("export/templates/link_main.c"),
                                        {{"NAME", name}, {"UPPER", upper_case(name)}}));
  write_file_atomic(work / "link.ld", asset("export/templates/link.ld"));
  std::vector<std::string> link = {compiler};
  link.insert(link.end(), target_flags.begin(), target_flags.end());
  link.insert(link.end(), {"-O2", "-fno-pie", "-fno-stack-protector", "-fno-asynchronous-unwind-tables",
                           "-I" + (package / "include").string(), main.string()});
  for (const auto& [stem, object] : objects) link.push_back(object.string());
  link.insert(link.end(),
              {"-o", program.string(), "-static", "-no-pie", "-nostartfiles", "-Wl,--gc-sections",
               "-Wl,--entry=tn_link_main", "-Wl,--build-id=none", "-T", (work / "link.ld").string()});
  run_compiler(link, "linking the package");
  return linked_size(compiler, objects, program, name);
}

}  // namespace tinynas
