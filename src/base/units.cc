#include "base/units.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "base/error.h"

namespace tinynas {
namespace {

struct Quantity {
  double value;
  std::string unit;
};

Quantity split_quantity(const std::string& text, const std::string& what, const std::string& expected) {
  size_t i = 0;
  while (i < text.size() && (std::isdigit(static_cast<unsigned char>(text[i])) || text[i] == '.')) ++i;
  char* end = nullptr;
  const std::string digits = text.substr(0, i);
  const double value = std::strtod(digits.c_str(), &end);
  if (digits.empty() || *end != '\0' || !std::isfinite(value) || value > 9e15) {
    throw usage_error(what + ": got '" + text + "', expected " + expected);
  }
  return {value, text.substr(i)};
}

double parse_scaled(const std::string& text, const std::string& what, const std::string& expected,
                    const std::map<std::string, double>& scales) {
  const Quantity quantity = split_quantity(text, what, expected);
  const auto scale = scales.find(quantity.unit);
  if (scale == scales.end() || quantity.value * scale->second > 9e15) {
    throw usage_error(what + ": got '" + text + "', expected " + expected);
  }
  return quantity.value * scale->second;
}

}  // namespace

int64_t parse_bytes(const std::string& text, const std::string& what) {
  static const std::map<std::string, double> scales = {
      {"", 1},           {"B", 1},           {"k", 1024},        {"K", 1024},     {"kB", 1024},
      {"KB", 1024},      {"KiB", 1024},      {"M", 1048576},     {"MB", 1048576}, {"MiB", 1048576},
      {"G", 1073741824}, {"GB", 1073741824}, {"GiB", 1073741824}};
  return std::llround(parse_scaled(text, what, "bytes such as 320k, 1M or 65536 (k = 1024 bytes)", scales));
}

int64_t parse_count(const std::string& text, const std::string& what) {
  static const std::map<std::string, double> scales = {
      {"", 1}, {"k", 1e3}, {"K", 1e3}, {"M", 1e6}, {"G", 1e9}};
  return std::llround(parse_scaled(text, what, "a count such as 60M, 750k or 1000 (k = 1000)", scales));
}

double parse_duration_ms(const std::string& text, const std::string& what) {
  static const std::map<std::string, double> scales = {{"us", 1e-3}, {"ms", 1}, {"s", 1e3}};
  return parse_scaled(text, what, "a duration with its unit, such as 200ms, 1.5s or 800us", scales);
}

double parse_energy_mj(const std::string& text, const std::string& what) {
  static const std::map<std::string, double> scales = {{"uJ", 1e-3}, {"mJ", 1}, {"J", 1e3}};
  return parse_scaled(text, what, "an energy with its unit, such as 30mJ, 1J or 500uJ", scales);
}

std::string format_bytes(int64_t bytes) {
  char buffer[64];
  const double value = static_cast<double>(bytes);
  if (std::abs(value) < 1024) {
    std::snprintf(buffer, sizeof buffer, "%lld B", static_cast<long long>(bytes));
  } else if (std::abs(value) < 1048576) {
    std::snprintf(buffer, sizeof buffer, "%.1f KiB", value / 1024);
  } else {
    std::snprintf(buffer, sizeof buffer, "%.2f MiB", value / 1048576);
  }
  return buffer;
}

std::pair<std::string, std::string> format_bytes_apart(int64_t a, int64_t b) {
  std::pair<std::string, std::string> rounded = {format_bytes(a), format_bytes(b)};
  if (a == b || rounded.first != rounded.second) return rounded;
  return {std::to_string(a) + " B", std::to_string(b) + " B"};
}

std::string format_count(int64_t count) {
  char buffer[64];
  const double value = static_cast<double>(count);
  if (std::abs(value) < 1e4) {
    std::snprintf(buffer, sizeof buffer, "%lld", static_cast<long long>(count));
  } else if (std::abs(value) < 1e6) {
    std::snprintf(buffer, sizeof buffer, "%.1f k", value / 1e3);
  } else if (std::abs(value) < 1e9) {
    std::snprintf(buffer, sizeof buffer, "%.2f M", value / 1e6);
  } else {
    std::snprintf(buffer, sizeof buffer, "%.2f G", value / 1e9);
  }
  return buffer;
}

std::string format_seconds(double seconds) {
  const long long total = std::llround(seconds);
  char buffer[64];
  if (total >= 3600) {
    std::snprintf(buffer, sizeof buffer, "%lld:%02lld:%02lld", total / 3600, total / 60 % 60, total % 60);
  } else {
    std::snprintf(buffer, sizeof buffer, "%lld:%02lld", total / 60, total % 60);
  }
  return buffer;
}

}  // namespace tinynas
