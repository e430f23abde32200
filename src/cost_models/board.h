// Boards: configs/boards/*.yaml or a user's own file. What a chip has, where each fact comes from, and its
// latency models.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "cost_models/latency_model.h"
#include "cost_models/measurements.h"

namespace tinynas {

struct MemoryRegion {
  std::string name;  // "SRAM1"
  std::string kind;  // "sram", "dtcm", "ccm" may hold an arena; "itcm", "backup", "external" are only listed
  int64_t base = 0;  // address
  int64_t size_bytes = 0;
  int64_t reserve_bytes = 0;  // what the rest of the firmware needs of it
  std::string speed;          // "0 wait states"

  bool holds_arena() const { return kind == "sram" || kind == "dtcm" || kind == "ccm"; }
};

// Regions that follow one another by address: an arena is one array, so it may lie across them and no
// further.
struct MemorySpan {
  std::string name;  // "DTCM + SRAM1"
  int64_t base = 0;
  int64_t size_bytes = 0;
  int64_t reserve_bytes = 0;
};

struct Board {
  std::string name;  // "stm32f746"
  std::string part;  // "STM32F746ZG (NUCLEO-F746ZG)"
  std::string core;  // "cortex-m4", "cortex-m7", ...: what gcc's -mcpu calls it, where it is an Arm core
  std::vector<std::string> isa;  // "armv7e-m", "dsp", ...
  std::vector<MemoryRegion> memory;
  int64_t sram_bytes = 0;          // of the largest span,
  int64_t sram_reserve_bytes = 0;  // and its reserve
  int64_t flash_bytes = 0;
  int64_t flash_reserve_bytes = 0;
  double clock_hz = 0;
  double active_power_mw = 0;  // energy = power * latency; 0 = not known, then there is no energy model
  std::string price_class;     // "about 5 USD"
  std::map<std::string, std::string> sources;  // where each of these facts comes from, by key of the file
  std::vector<LatencyModel> latency_models;    // one for each runtime

  // nullptr where there is none: a board that no file was loaded into.
  const LatencyModel* latency_model(Runtime runtime) const;
};

// Spans of the regions that may hold an arena, the largest (less its reserve) first; equal ones by address.
std::vector<MemorySpan> arena_spans(const std::vector<MemoryRegion>& memory);

// One board file. Keys: name, part, core, isa (list), clock ("216M", Hz), memory (list of name, kind, base,
// size, speed, reserve), flash, flash_reserve (optional, 0), active_power_mw (optional), price_class, sources
// (one text for every other key there is), measured (written by tinynas calibrate). The latency models are
// fitted here: to the user's measurements
// (`measured`), else to published ones of a board of this name, else to the counted instructions of its core.
// Throws Error(kUsage) naming the file and the key.
Board load_board(const std::filesystem::path& yaml, const Measurements& measurements);
// With the measurements beside it: <folder of yaml>/../measurements.
Board load_board(const std::filesystem::path& yaml);

// Every *.yaml of a folder, by file name, with the measurements in <directory>/../measurements.
std::vector<Board> load_boards(const std::filesystem::path& directory);

}  // namespace tinynas
