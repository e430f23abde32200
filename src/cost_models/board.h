// Boards: configs/boards/*.yaml. What a chip has, and the coefficients of its latency and energy models.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace tinynas {

struct Board {
  std::string name;  // "stm32f746"
  std::string core;  // "cortex-m4", "cortex-m7", ...
  int64_t sram_bytes = 0;
  int64_t flash_bytes = 0;
  int64_t sram_reserve_bytes = 0;  // what the rest of the firmware needs
  int64_t flash_reserve_bytes = 0;
  double clock_hz = 0;
  double active_power_mw = 0;  // energy = power * latency; 0 = not known, then there is no energy model
  // Op-count model. "conv2d", "conv2d_1x1" (1x1, stride 1, no padding), "depthwise_conv2d",
  // "depthwise_conv2d_in_place" and "fully_connected": cycles per MAC, and with the suffix "_output" cycles
  // per output value beside its MACs (requantisation, loop set-up). "add": per output value.
  // "global_avg_pool": per input value.
  std::map<std::string, double> cycles_per_unit;
  std::string latency_source;  // how the coefficients were got; printed with every latency
};

// One board file. Keys: name, core, sram and flash ("320k"), sram_reserve and flash_reserve (optional, 0),
// clock ("216M", Hz), active_power_mw (optional), cycles_per_unit (all of the above), latency_source. Throws
// Error(kUsage) naming the file and the key.
Board load_board(const std::filesystem::path& yaml);

// Every *.yaml of a folder, by file name.
std::vector<Board> load_boards(const std::filesystem::path& directory);

}  // namespace tinynas
