// Costs and limits as JSON: keys are field names, with their units.
#include "cost_models/costs.h"

namespace tinynas {
namespace {

template <typename T>
nlohmann::json optional_json(const std::optional<T>& value) {
  return value ? nlohmann::json(*value) : nlohmann::json(nullptr);
}

}  // namespace

nlohmann::json to_json(const CostReport& costs) {
  const SramCost& sram = costs.sram;
  const FlashCost& flash = costs.flash;
  nlohmann::json json;
  json["macs"] = costs.macs;
  json["params"] = costs.params;
  json["schedule"] = costs.streams ? "stream" : "layer";
  json["extra_macs"] = costs.extra_macs;
  json["sram"] = {{"arena_bytes", sram.arena_bytes},       {"input_bytes", sram.input_bytes},
                  {"scratch_bytes", sram.scratch_bytes},   {"persistent_bytes", sram.persistent_bytes},
                  {"data_bss_bytes", sram.data_bss_bytes}, {"stack_bytes", sram.stack_bytes},
                  {"reserve_bytes", sram.reserve_bytes},   {"total_bytes", sram.total_bytes()}};
  json["flash"] = {{"weights_bytes", flash.weights_bytes}, {"tables_bytes", flash.tables_bytes},
                   {"code_bytes", flash.code_bytes},       {"code_is_linked", flash.code_is_linked},
                   {"reserve_bytes", flash.reserve_bytes}, {"total_bytes", flash.total_bytes()}};
  json["latency_ms"] = optional_json(costs.latency_ms);
  json["energy_mj"] = optional_json(costs.energy_mj);
  json["latency_basis"] =
      costs.latency_basis ? nlohmann::json(name_of(*costs.latency_basis)) : nlohmann::json();
  json["latency_error_band"] = optional_json(costs.latency_error_band);
  json["latency_r2"] = optional_json(costs.latency_r2);
  json["latency_extrapolated"] =
      costs.latency_ms ? nlohmann::json(costs.latency_extrapolated) : nlohmann::json();
  json["bottleneck"] = costs.bottleneck;
  json["operators"] = nlohmann::json::array();
  for (const OperatorCost& op : costs.operators) {
    json["operators"].push_back({{"name", op.name},
                                 {"kind", op.kind},
                                 {"output_shape", {op.output.h, op.output.w, op.output.c}},
                                 {"macs", op.macs},
                                 {"live_bytes", op.live_bytes},
                                 {"weights_bytes", op.weights_bytes},
                                 {"latency_ms", op.latency_ms}});
  }
  return json;
}

nlohmann::json to_json(const Limits& limits) {
  return {{"sram_bytes", optional_json(limits.sram_bytes)},
          {"flash_bytes", optional_json(limits.flash_bytes)},
          {"macs", optional_json(limits.macs)},
          {"latency_ms", optional_json(limits.latency_ms)},
          {"energy_mj", optional_json(limits.energy_mj)}};
}

}  // namespace tinynas
