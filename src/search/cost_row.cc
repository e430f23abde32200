#include "search/cost_row.h"

namespace tinynas {

CostRow cost_row(const CostReport& costs) {
  return {costs.macs,       costs.params,   costs.sram.total_bytes(), costs.flash.total_bytes(),
          costs.latency_ms, costs.energy_mj};
}

unsigned exceeded(const CostRow& costs, const Limits& limits) {
  const bool not_modelled =
      (limits.latency_ms && !costs.latency_ms) || (limits.energy_mj && !costs.energy_mj);
  if (not_modelled) violations(costs, limits);  // throws, and says which
  unsigned bits = 0;
  if (limits.sram_bytes && costs.sram_bytes > *limits.sram_bytes) bits |= 1u << 0;
  if (limits.flash_bytes && costs.flash_bytes > *limits.flash_bytes) bits |= 1u << 1;
  if (limits.macs && costs.macs > *limits.macs) bits |= 1u << 2;
  if (limits.latency_ms && *costs.latency_ms > *limits.latency_ms) bits |= 1u << 3;
  if (limits.energy_mj && *costs.energy_mj > *limits.energy_mj) bits |= 1u << 4;
  return bits;
}

std::vector<Violation> violations(const CostRow& costs, const Limits& limits) {
  // Only totals are compared, so it does not matter which item holds them.
  CostReport report;
  report.macs = costs.macs;
  report.params = costs.params;
  report.sram.arena_bytes = costs.sram_bytes;
  report.flash.weights_bytes = costs.flash_bytes;
  report.latency_ms = costs.latency_ms;
  report.energy_mj = costs.energy_mj;
  return violations(report, limits);
}

}  // namespace tinynas
