#include "cli/front_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/units.h"
#include "cli/svg_plane.h"

namespace tinynas {
namespace {

constexpr double kWidth = 640;
constexpr double kHeight = 400;
constexpr double kLeft = 70;
constexpr double kRight = 20;
constexpr double kTop = 40;
constexpr double kBottom = 50;
constexpr int kTicks = 5;

double kib(const Candidate& candidate) {
  return static_cast<double>(candidate.costs.sram.total_bytes()) / 1024;
}

SvgPlane plane_of(const std::vector<Candidate>& candidates) {
  AxisRange sram{0, 1}, accuracy{1, 0};
  for (const Candidate& candidate : candidates) {
    sram.high = std::max(sram.high, kib(candidate));
    accuracy.low = std::min(accuracy.low, candidate.accuracy);
    accuracy.high = std::max(accuracy.high, candidate.accuracy);
  }
  if (accuracy.high - accuracy.low < 1e-3) accuracy.high = accuracy.low + 1e-3;
  return {{kLeft, kTop, kWidth - kRight, kHeight - kBottom}, sram, accuracy};
}

std::string dot(const SvgPlane& plane, const Candidate& candidate, double radius, const char* colour) {
  return fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\" fill=\"{}\"><title>{}</title></circle>\n",
                     plane.x(kib(candidate)), plane.y(candidate.accuracy), radius, colour,
                     encode(candidate.architecture));
}

}  // namespace

nlohmann::json front_json(const SearchResult& result) {
  nlohmann::json front = nlohmann::json::array();
  for (const size_t i : pareto_front(result.candidates)) {
    const Candidate& candidate = result.candidates[i];
    const CostReport& costs = candidate.costs;
    front.push_back({{"arch", encode(candidate.architecture)},
                     {"accuracy", candidate.accuracy},
                     {"sram_bytes", costs.sram.total_bytes()},
                     {"flash_bytes", costs.flash.total_bytes()},
                     {"macs", costs.macs},
                     {"latency_ms", costs.latency_ms ? nlohmann::json(*costs.latency_ms) : nlohmann::json()},
                     {"schedule", costs.streams ? "stream" : "layer"}});
  }
  return front;
}

std::string front_table(const nlohmann::json& front, const std::string& indent) {
  std::string text = fmt::format("{}{:>9} {:>11} {:>11} {:>9} {:>10}  {:<7} {}", indent, "supernet", "SRAM",
                                 "Flash", "MACs", "latency", "runs", "architecture");
  for (const nlohmann::json& network : front) {
    const nlohmann::json& latency = network.at("latency_ms");
    text += fmt::format("\n{}{:>7.2f} % {:>11} {:>11} {:>9} {:>10}  {:<7} {}", indent,
                        100 * network.at("accuracy").get<double>(),
                        format_bytes(network.at("sram_bytes").get<int64_t>()),
                        format_bytes(network.at("flash_bytes").get<int64_t>()),
                        format_count(network.at("macs").get<int64_t>()),
                        latency.is_null() ? "-" : fmt::format("{:.1f} ms", latency.get<double>()),
                        network.at("schedule").get<std::string>(), network.at("arch").get<std::string>());
  }
  return text;
}

std::string front_svg(const SearchResult& result) {
  const SvgPlane plane = plane_of(result.candidates);
  std::string text = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
      "font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
      "<text x=\"{2}\" y=\"22\" font-weight=\"bold\">Supernet accuracy over SRAM: {3} networks, {4} on the "
      "Pareto front</text>\n",
      kWidth, kHeight, kLeft, result.candidates.size(), pareto_front(result.candidates).size());
  text += plane.grid(
      kTicks, [](double sram) { return fmt::format("{:.0f}", sram); },
      [](double accuracy) { return fmt::format("{:.1f} %", 100 * accuracy); });
  text += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">SRAM, KiB</text>\n",
                      (kLeft + kWidth - kRight) / 2, kHeight - 12);
  for (const Candidate& candidate : result.candidates) text += dot(plane, candidate, 2.5, "#bbb");
  std::string line;
  double best = -1;
  for (const size_t i : pareto_front(result.candidates)) {
    const Candidate& candidate = result.candidates[i];
    text += dot(plane, candidate, 4, "#1b6ca8");
    if (candidate.accuracy <= best) continue;
    best = candidate.accuracy;
    line += fmt::format("{:.1f},{:.1f} ", plane.x(kib(candidate)), plane.y(candidate.accuracy));
  }
  text += fmt::format("<polyline points=\"{}\" fill=\"none\" stroke=\"#1b6ca8\"/>\n</svg>\n", line);
  return text;
}

}  // namespace tinynas
