// What is allowed, and what a network exceeds.
#include <spdlog/fmt/fmt.h>

#include "base/error.h"
#include "base/units.h"
#include "cost_models/costs.h"

namespace tinynas {
namespace {

template <typename T>
void require_positive(const char* name, const std::optional<T>& limit) {
  if (limit && !(*limit > 0))
    throw usage_error(fmt::format("limit {}: got {}, expected more than 0", name, *limit));
}

std::string quantity(const std::string& limit, double value) {
  if (limit == "sram" || limit == "flash") return format_bytes(static_cast<int64_t>(value));
  if (limit == "macs") return format_count(static_cast<int64_t>(value)) + " MACs";
  return fmt::format("{:.3g} {}", value, limit == "latency" ? "ms" : "mJ");
}

std::string exact_quantity(const std::string& limit, double value) {
  if (limit == "sram" || limit == "flash") return fmt::format("{} B", static_cast<int64_t>(value));
  if (limit == "macs") return fmt::format("{} MACs", static_cast<int64_t>(value));
  return fmt::format("{} {}", value, limit == "latency" ? "ms" : "mJ");
}

}  // namespace

void Limits::check(bool have_board) const {
  require_positive("sram", sram_bytes);
  require_positive("flash", flash_bytes);
  require_positive("macs", macs);
  require_positive("latency", latency_ms);
  require_positive("energy", energy_mj);
  if (!have_board && (latency_ms || energy_mj)) {
    throw usage_error(std::string("limit ") + (latency_ms ? "latency" : "energy") +
                      ": needs a board, whose clock and coefficients it is modelled from (--board)");
  }
}

std::vector<Violation> violations(const CostReport& costs, const Limits& limits) {
  std::vector<Violation> found;
  const auto compare = [&](const char* name, double got, double allowed) {
    if (got > allowed) found.push_back({name, got, allowed});
  };
  // A limit on something that was not modelled must not pass for one that is met.
  const auto modelled = [](const char* name, const std::optional<double>& value) {
    if (!value) throw usage_error(std::string("limit ") + name + ": the board has no model of it");
    return *value;
  };
  if (limits.sram_bytes) {
    compare("sram", static_cast<double>(costs.sram.total_bytes()), static_cast<double>(*limits.sram_bytes));
  }
  if (limits.flash_bytes) {
    compare("flash", static_cast<double>(costs.flash.total_bytes()),
            static_cast<double>(*limits.flash_bytes));
  }
  if (limits.macs) compare("macs", static_cast<double>(costs.macs), static_cast<double>(*limits.macs));
  if (limits.latency_ms) compare("latency", modelled("latency", costs.latency_ms), *limits.latency_ms);
  if (limits.energy_mj) compare("energy", modelled("energy", costs.energy_mj), *limits.energy_mj);
  return found;
}

std::string describe(const Violation& violation) {
  std::string got = quantity(violation.limit, violation.got);
  std::string allowed = quantity(violation.limit, violation.allowed);
  if (got == allowed) {  // rounding hides what is too much
    got = exact_quantity(violation.limit, violation.got);
    allowed = exact_quantity(violation.limit, violation.allowed);
  }
  return fmt::format("{}: needs {}, limit {}, {} too much", violation.limit, got, allowed,
                     quantity(violation.limit, violation.got - violation.allowed));
}

}  // namespace tinynas
