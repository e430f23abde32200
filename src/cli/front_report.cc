#include "cli/front_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/units.h"

namespace tinynas {
namespace {

constexpr double kWidth = 640;
constexpr double kHeight = 400;
constexpr double kLeft = 70;
constexpr double kRight = 20;
constexpr double kTop = 40;
constexpr double kBottom = 50;
constexpr int kTicks = 5;

// Points in pixels, and the axes around them.
class Plot {
 public:
  explicit Plot(const std::vector<Candidate>& candidates) {
    for (const Candidate& candidate : candidates) {
      most_kib_ = std::max(most_kib_, kib(candidate));
      low_ = std::min(low_, candidate.accuracy);
      high_ = std::max(high_, candidate.accuracy);
    }
    if (high_ - low_ < 1e-3) high_ = low_ + 1e-3;
  }

  double x(double kib) const { return kLeft + (kWidth - kLeft - kRight) * kib / most_kib_; }
  double y(double accuracy) const {
    return kTop + (kHeight - kTop - kBottom) * (high_ - accuracy) / (high_ - low_);
  }
  static double kib(const Candidate& candidate) {
    return static_cast<double>(candidate.costs.sram.total_bytes()) / 1024;
  }

  std::string dot(const Candidate& candidate, double radius, const char* colour) const {
    return fmt::format(
        "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\" fill=\"{}\"><title>{}</title></circle>\n",
        x(kib(candidate)), y(candidate.accuracy), radius, colour, encode(candidate.architecture));
  }

  std::string axes() const {
    std::string text;
    for (int i = 0; i <= kTicks; ++i) {
      const double part = static_cast<double>(i) / kTicks;
      const double across = x(part * most_kib_);
      const double accuracy = low_ + part * (high_ - low_);
      text += fmt::format(
          "<line x1=\"{0:.1f}\" y1=\"{1}\" x2=\"{0:.1f}\" y2=\"{2}\" stroke=\"#ddd\"/>"
          "<text x=\"{0:.1f}\" y=\"{3}\" text-anchor=\"middle\">{4:.0f}</text>\n",
          across, kTop, kHeight - kBottom, kHeight - kBottom + 18, part * most_kib_);
      text += fmt::format(
          "<line x1=\"{0}\" y1=\"{1:.1f}\" x2=\"{2}\" y2=\"{1:.1f}\" stroke=\"#ddd\"/>"
          "<text x=\"{3}\" y=\"{4:.1f}\" text-anchor=\"end\">{5:.1f} %</text>\n",
          kLeft, y(accuracy), kWidth - kRight, kLeft - 8, y(accuracy) + 4, 100 * accuracy);
    }
    text += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">SRAM, KiB</text>\n",
                        (kLeft + kWidth - kRight) / 2, kHeight - 12);
    return text;
  }

 private:
  double most_kib_ = 1;
  double low_ = 1;
  double high_ = 0;
};

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
  const Plot plot(result.candidates);
  std::string text = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
      "font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
      "<text x=\"{2}\" y=\"22\" font-weight=\"bold\">Supernet accuracy over SRAM: {3} networks, {4} on the "
      "Pareto front</text>\n",
      kWidth, kHeight, kLeft, result.candidates.size(), pareto_front(result.candidates).size());
  text += plot.axes();
  for (const Candidate& candidate : result.candidates) text += plot.dot(candidate, 2.5, "#bbb");
  std::string line;
  double best = -1;
  for (const size_t i : pareto_front(result.candidates)) {
    const Candidate& candidate = result.candidates[i];
    text += plot.dot(candidate, 4, "#1b6ca8");
    if (candidate.accuracy <= best) continue;
    best = candidate.accuracy;
    line += fmt::format("{:.1f},{:.1f} ", plot.x(Plot::kib(candidate)), plot.y(candidate.accuracy));
  }
  text += fmt::format("<polyline points=\"{}\" fill=\"none\" stroke=\"#1b6ca8\"/>\n</svg>\n", line);
  return text;
}

}  // namespace tinynas
