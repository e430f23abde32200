// The Pareto front of a search for people: a table and a picture.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "search/evolution.h"

namespace tinynas {

// [{"arch", "accuracy" (of the supernet, 0 to 1), "sram_bytes", "flash_bytes", "macs", "latency_ms" (null
// without a board), "schedule"}], by ascending SRAM.
nlohmann::json front_json(const SearchResult& result);

// One line a network, without a last newline; `indent` stands before each.
std::string front_table(const nlohmann::json& front, const std::string& indent);

// Supernet accuracy over SRAM, an SVG page of its own: every network that was evaluated, and the front's
// joined. A network of the front may lie below the line: it is there for its Flash, MACs or latency.
std::string front_svg(const SearchResult& result);

}  // namespace tinynas
