#include "cli/paths.h"

#include <algorithm>
#include <cstdlib>

#include "base/error.h"

namespace tinynas {

namespace fs = std::filesystem;

fs::path home_directory() {
  std::vector<fs::path> places;
  if (const char* home = std::getenv("TINYNAS_HOME"); home != nullptr && *home != '\0') {
    places = {home};  // an explicit wish is not silently replaced by another place
  } else {
    std::error_code no_proc;
    const fs::path executable = fs::read_symlink("/proc/self/exe", no_proc);
    if (!no_proc) places.push_back(executable.parent_path().parent_path() / "share" / "tinynas");
    places.push_back(TINYNAS_SOURCE_DIR);
  }
  std::string tried;
  for (const fs::path& place : places) {
    if (fs::is_directory(place / "configs")) return place;
    tried += (tried.empty() ? "" : ", ") + (place / "configs").string();
  }
  throw io_error("tinynas does not find its configs/: tried " + tried +
                 "; set TINYNAS_HOME to the folder that holds it");
}

fs::path measurements_directory() { return home_directory() / "configs" / "measurements"; }

std::vector<fs::path> list_configs(const std::string& kind) {
  std::vector<fs::path> files;
  const fs::path directory = home_directory() / "configs" / kind;
  if (!fs::is_directory(directory)) return files;
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

fs::path find_config(const std::string& kind, const std::string& name, const std::string& what) {
  std::string known;
  for (const fs::path& file : list_configs(kind)) {
    if (file.stem() == name) return file;
    known += (known.empty() ? "" : ", ") + file.stem().string();
  }
  if (fs::is_regular_file(name)) return name;
  throw usage_error(what + ": got '" + name + "', expected one of " + known + ", or the path of a YAML file");
}

}  // namespace tinynas
