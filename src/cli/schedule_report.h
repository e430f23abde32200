// What the layer schedule and streaming need of one network, block by block, beside each other.
#pragma once

#include <nlohmann/json.hpp>

#include "cost_models/costs.h"

namespace tinynas {

// {"asked": "auto", "chosen": "layer" | "stream", "layer": {...}, "stream": {...}, "patches": {...} or
// null, "blocks": [{"name", "operators", "macs", "kernel", "receptive_field", "extra_macs", "layer_bytes",
// "stream_bytes"}]}.
// Of a schedule: "sram_bytes" (all of SramCost), "arena_bytes", "extra_macs", "fits" (true where `options`
// has no limit). Of a block (operators whose names have the same part before the last dot): "kernel", the
// largest, rows; "receptive_field": rows of the input that a value behind the block depends on, padding
// included; "extra_macs": what strips compute again in the streaming schedule; and the most bytes of the
// arena alive at one of its operators, in the layer schedule and in the streaming one, before alignment and
// packing. Where streaming saves nothing, both are equal.
nlohmann::json schedule_report(const Graph& graph, const CostOptions& options);

}  // namespace tinynas
