// The trade-off between SRAM and MACs computed again, as CSV and as a plain SVG.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tinynas {

struct TradeOffPoint {
  int64_t bytes = 0;
  double extra_macs = 0;  // fraction of the nominal MACs
};

struct TradeOffPanel {
  std::string title;
  int64_t layer_bytes = 0;
  std::vector<TradeOffPoint> stream;  // by falling bytes
  std::vector<TradeOffPoint> patches;
};

// "network,schedule,arena_bytes,extra_macs"
std::string trade_off_csv(const std::vector<TradeOffPanel>& panels);
// A panel a network, two in a row: extra MACs to the right (square root), KiB upwards (logarithm).
std::string trade_off_svg(const std::vector<TradeOffPanel>& panels);

}  // namespace tinynas
