// Boards: configs/boards/*.yaml. What a chip has, and the coefficients of its latency and energy models.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace tinynas {

struct Board {
  std::string name;          // "stm32f746"
  std::string core;          // "cortex-m4", "cortex-m7", ...
  int64_t sram_bytes = 0;
  int64_t flash_bytes = 0;
  int64_t sram_reserve_bytes = 0;   // what the rest of the firmware needs
  int64_t flash_reserve_bytes = 0;
  double clock_hz = 0;
  double active_power_mw = 0;       // energy = power * latency
  // Instructions or cycles per MAC by operator ("conv2d", "conv2d_1x1", "depthwise_conv2d", "fully_connected") and per
  // output element for "add" and "global_avg_pool".
  std::map<std::string, double> cycles_per_unit;
  std::string latency_source;       // how the coefficients were got; printed with every latency
};

}  // namespace tinynas
