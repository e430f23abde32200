// Quantities as people write them ("320k", "60M", "200ms") to numbers and back.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace tinynas {

// All parsers throw Error(kUsage) that names `what` (for example "--sram"), what was got and what is
// expected.

// Bytes: digits (a decimal fraction is allowed) and an optional k/K, M or G, powers of 1024 ("320k" =
// 327680). An optional trailing "B" or "iB" is accepted ("320KiB"). Result in bytes, >= 0.
int64_t parse_bytes(const std::string& text, const std::string& what);

// Counts such as MACs or parameters: optional k, M, G are powers of 1000 ("60M" = 60'000'000).
int64_t parse_count(const std::string& text, const std::string& what);

// Durations: "200ms", "1.5s", "800us"; the unit is required. Result in milliseconds.
double parse_duration_ms(const std::string& text, const std::string& what);

// Energies: "30mJ", "1J", "500uJ"; the unit is required. Result in millijoules.
double parse_energy_mj(const std::string& text, const std::string& what);

// "318.2 KiB", "1.00 MiB", "512 B".
std::string format_bytes(int64_t bytes);

// Both as format_bytes() has them; in bytes, "16897 B", where rounding would make two different figures look
// the same.
std::pair<std::string, std::string> format_bytes_apart(int64_t a, int64_t b);

// "38.30 M", "737 k".
std::string format_count(int64_t count);

// "2:05" (minutes:seconds) or "1:02:05".
std::string format_seconds(double seconds);

}  // namespace tinynas
