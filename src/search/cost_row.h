// The totals of a network's costs: what is stored in tables and compared with limits.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "cost_models/costs.h"

namespace tinynas {

// The totals of a CostReport.
struct CostRow {
  int64_t macs = 0;
  int64_t params = 0;
  int64_t sram_bytes = 0;
  int64_t flash_bytes = 0;
  std::optional<double> latency_ms;
  std::optional<double> energy_mj;
  bool operator==(const CostRow&) const = default;
};
CostRow cost_row(const CostReport& costs);

// The limits in the order of Limits, by the names that Violation uses.
inline constexpr std::array<const char*, 5> kLimitNames{"sram", "flash", "macs", "latency", "energy"};

// Which limits `costs` exceeds: bit i for kLimitNames[i]; 0 = it fits. The same judgement as violations(),
// without its texts: tables of a hundred thousand networks are judged many times. Throws as violations()
// does.
unsigned exceeded(const CostRow& costs, const Limits& limits);

// violations() (cost_models/costs.h) of the totals.
std::vector<Violation> violations(const CostRow& costs, const Limits& limits);

}  // namespace tinynas
