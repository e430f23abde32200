// configs/boards/*.yaml.
#include "cost_models/board.h"

#include <algorithm>

#include "base/error.h"
#include "base/files.h"
#include "base/yaml_document.h"
#include "cost_models/yaml_map.h"

namespace tinynas {
namespace {

const std::vector<std::string> kFacts = {
    "part", "core", "isa", "clock", "memory", "flash", "flash_reserve", "active_power_mw", "price_class"};
const std::vector<std::string> kRegionKeys = {"name", "kind", "base", "size", "speed", "reserve"};
const std::vector<std::string> kKinds = {"sram", "dtcm", "ccm", "itcm", "backup", "external"};
const std::vector<std::string> kMeasuredKeys = {"runtime", "source", "kernels", "rows"};
const std::vector<std::string> kRowKeys = {"from", "macs", "kernel_ms", "latency_ms"};
// More than any microcontroller addresses, and far from where sums of sizes overflow.
constexpr int64_t kMostBytes = int64_t{1} << 32;

MemoryRegion read_region(const YAML::Node& node, const std::string& where) {
  const YamlMap map(node, where, kRegionKeys);
  MemoryRegion region;
  region.name = map.text("name");
  region.kind = map.text("kind");
  if (std::find(kKinds.begin(), kKinds.end(), region.kind) == kKinds.end()) {
    throw usage_error(map.name_of("kind") + ": got '" + region.kind + "', expected one of " +
                      list_of(kKinds));
  }
  region.base = map.address("base");
  region.size_bytes = map.bytes("size");
  region.speed = map.text("speed");
  if (map.has("reserve")) region.reserve_bytes = map.bytes("reserve");
  if (region.size_bytes < 1 || region.base + region.size_bytes > kMostBytes) {
    throw usage_error(map.name_of("size") + ": expected more than 0 bytes, within 32-bit addresses");
  }
  if (region.reserve_bytes > region.size_bytes) {
    throw usage_error(map.name_of("reserve") + ": expected no more than the region's size");
  }
  return region;
}

std::vector<MemoryRegion> read_memory(const YAML::Node& list, const std::string& where) {
  if (!list.IsSequence() || list.size() == 0) throw usage_error(where + ": expected a list of regions");
  std::vector<MemoryRegion> memory;
  for (const YAML::Node& node : list) {
    memory.push_back(read_region(node, where + "[" + std::to_string(memory.size()) + "]"));
  }
  for (size_t i = 0; i < memory.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      const bool apart = memory[i].base >= memory[j].base + memory[j].size_bytes ||
                         memory[j].base >= memory[i].base + memory[i].size_bytes;
      if (!apart) throw usage_error(where + ": " + memory[j].name + " and " + memory[i].name + " overlap");
    }
  }
  return memory;
}

std::map<std::string, std::string> read_sources(const YamlMap& board) {
  const YamlMap map(board.node("sources"), board.name_of("sources"), kFacts);
  std::map<std::string, std::string> sources;
  for (const std::string& fact : kFacts) {
    if (board.has(fact)) sources[fact] = map.text(fact);
  }
  return sources;
}

LatencyModel read_measured(const YAML::Node& node, const std::string& where, const Measurements& measurements,
                           const LatencyModel& kernels) {
  const YamlMap map(node, where, kMeasuredKeys);
  const Runtime runtime = runtime_from_name(map.text("runtime"), map.name_of("runtime"));
  const YAML::Node list = map.node("rows");
  if (!list.IsSequence()) throw usage_error(map.name_of("rows") + ": expected a list");
  std::vector<MeasuredLatency> rows;
  bool by_kernels = false;
  for (const YAML::Node& entry : list) {
    const YamlMap row(entry, map.name_of("rows") + "[" + std::to_string(rows.size()) + "]", kRowKeys);
    MeasuredLatency measured{row.text("from"), row.positive("macs"), std::nullopt,
                             row.positive("latency_ms")};
    if (row.has("kernel_ms")) measured.kernel_ms = row.positive("kernel_ms");
    by_kernels = by_kernels || measured.kernel_ms;
    rows.push_back(measured);
  }
  if (by_kernels && map.text("kernels") != measurements.kernels_hash) {
    throw usage_error(
        map.name_of("kernels") +
        ": was calibrated against other kernels than this version's; run tinynas calibrate again");
  }
  return measured_model(rows, kernels, runtime, where + ": " + map.text("source"));
}

// The most trusted model there is for each runtime.
std::vector<LatencyModel> latency_models(const Board& board, const YamlMap& map,
                                         const Measurements& measurements) {
  const KernelFits fits = fit_kernels(measurements, board.core, board.isa);
  std::vector<LatencyModel> models;
  for (const Runtime runtime : {Runtime::kTinynas, Runtime::kTflm}) {
    models.push_back(kernel_model(fits, runtime, board.clock_hz));
  }
  const std::vector<LinearFit> published = fit_published(measurements.published, board.name);
  if (!published.empty())
    models[static_cast<size_t>(Runtime::kTflm)] =
        published_model(published, measurements.published, board.name);
  if (map.has("measured")) {
    const LatencyModel kernels = kernel_model(fits, Runtime::kTinynas, board.clock_hz);
    const YAML::Node list = map.node("measured");
    if (!list.IsSequence()) throw usage_error(map.name_of("measured") + ": expected a list");
    for (const YAML::Node& node : list) {
      LatencyModel model = read_measured(node, map.name_of("measured"), measurements, kernels);
      models[static_cast<size_t>(model.runtime)] = std::move(model);
    }
  }
  return models;
}

double clock_hz(const YamlMap& map) {
  const std::string written = map.text("clock");
  if (written.ends_with("Hz")) {
    throw usage_error(map.name_of("clock") + ": got '" + written +
                      "', expected the Hz without their unit, '" + written.substr(0, written.size() - 2) +
                      "'");
  }
  return static_cast<double>(map.count("clock"));
}

Board read_board(const YAML::Node& root, const std::string& where, const Measurements& measurements) {
  std::vector<std::string> keys = kFacts;
  keys.insert(keys.end(), {"name", "sources", "measured"});
  const YamlMap map(root, where, keys);
  Board board;
  board.name = map.text("name");
  board.part = map.text("part");
  board.core = map.text("core");
  board.isa = map.texts("isa");
  board.memory = read_memory(map.node("memory"), map.name_of("memory"));
  board.flash_bytes = map.bytes("flash");
  if (map.has("flash_reserve")) board.flash_reserve_bytes = map.bytes("flash_reserve");
  board.clock_hz = clock_hz(map);
  if (map.has("active_power_mw")) board.active_power_mw = map.positive("active_power_mw");
  board.price_class = map.text("price_class");
  board.sources = read_sources(map);

  const auto require = [&](bool good, const char* key, const char* expected) {
    if (!good) throw usage_error(map.name_of(key) + ": expected " + expected);
  };
  const std::vector<MemorySpan> spans = arena_spans(board.memory);
  require(!spans.empty(), "memory", "a region that may hold an arena (sram, dtcm or ccm)");
  board.sram_bytes = spans.front().size_bytes;
  board.sram_reserve_bytes = spans.front().reserve_bytes;
  require(board.sram_reserve_bytes < board.sram_bytes, "memory",
          "reserves that leave something of the largest span");
  require(board.flash_bytes > 0 && board.flash_bytes <= kMostBytes, "flash",
          "more than 0 bytes, 32-bit addresses");
  require(board.flash_reserve_bytes < board.flash_bytes, "flash_reserve", "less than flash");
  require(board.clock_hz > 0, "clock", "more than 0 Hz");
  board.latency_models = latency_models(board, map, measurements);
  return board;
}

}  // namespace

const LatencyModel* Board::latency_model(Runtime runtime) const {
  for (const LatencyModel& model : latency_models) {
    if (model.runtime == runtime) return &model;
  }
  return nullptr;
}

std::vector<MemorySpan> arena_spans(const std::vector<MemoryRegion>& memory) {
  std::vector<MemoryRegion> regions;
  for (const MemoryRegion& region : memory) {
    if (region.holds_arena()) regions.push_back(region);
  }
  std::sort(regions.begin(), regions.end(),
            [](const MemoryRegion& a, const MemoryRegion& b) { return a.base < b.base; });
  std::vector<MemorySpan> spans;
  for (const MemoryRegion& region : regions) {
    if (!spans.empty() && spans.back().base + spans.back().size_bytes == region.base) {
      spans.back().name += " + " + region.name;
      spans.back().size_bytes += region.size_bytes;
      spans.back().reserve_bytes += region.reserve_bytes;
    } else {
      spans.push_back({region.name, region.base, region.size_bytes, region.reserve_bytes});
    }
  }
  std::stable_sort(spans.begin(), spans.end(), [](const MemorySpan& a, const MemorySpan& b) {
    return a.size_bytes - a.reserve_bytes > b.size_bytes - b.reserve_bytes;
  });
  return spans;
}

Board load_board(const std::filesystem::path& yaml, const Measurements& measurements) {
  const std::string content = read_given_file(yaml, kMostYamlBytes, ExitCode::kUsage);
  try {
    return read_board(read_yaml_document(content, yaml.string()), yaml.string(), measurements);
  } catch (const YAML::Exception& error) {
    throw usage_error(yaml.string() + ": is not YAML: " + error.what());
  }
}

Board load_board(const std::filesystem::path& yaml) {
  if (!std::filesystem::is_regular_file(yaml)) {
    throw usage_error("board file '" + yaml.string() + "' does not exist");
  }
  const std::filesystem::path folder = std::filesystem::absolute(yaml).parent_path();
  return load_board(yaml, load_measurements(folder.parent_path() / "measurements"));
}

std::vector<Board> load_boards(const std::filesystem::path& directory) {
  if (!std::filesystem::is_directory(directory)) {
    throw usage_error("board folder '" + directory.string() + "' does not exist");
  }
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  const Measurements measurements = load_measurements(
      std::filesystem::absolute(directory / "x").parent_path().parent_path() / "measurements");
  std::vector<Board> boards;
  for (const std::filesystem::path& file : files) boards.push_back(load_board(file, measurements));
  return boards;
}

}  // namespace tinynas
