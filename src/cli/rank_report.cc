#include "cli/rank_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/units.h"
#include "cli/svg_plane.h"

namespace tinynas {
namespace {

constexpr double kPanelWidth = 380;
constexpr double kPanelHeight = 290;
constexpr double kLeft = 62;
constexpr double kRight = 28;
constexpr double kTop = 44;
constexpr double kBottom = 46;
constexpr double kHeader = 52;
constexpr int kColumns = 2;
constexpr int kTicks = 4;
constexpr const char* kColours[] = {"#6b7785", "#d9730d"};  // random, equal MACs

std::string title_of(const std::string& judge) {
  if (judge == "supernet") return "supernet accuracy";
  if (judge == "predictor") return "predicted accuracy";
  return judge == "params" ? "#params" : "#MACs";
}

bool is_accuracy(const std::string& judge) { return judge == "supernet" || judge == "predictor"; }

std::string tick_text(const std::string& judge, double value) {
  if (is_accuracy(judge)) return fmt::format("{:.1f} %", 100 * value);
  return format_count(static_cast<int64_t>(value));
}

// Of `values`, with a margin around.
AxisRange range_of(const Series& values) {
  if (values.empty()) return {};
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  const double margin = std::max(0.06 * (*most - *least), 1e-6 * std::max(1.0, std::abs(*most)));
  return {*least - margin, *most + margin};
}

// One judge's figure across, accuracy after training alone up; (left, top) is the panel's corner.
std::string panel(const std::vector<RankedNetwork>& run, const JudgeRanks& ranks, double left, double top) {
  const std::string& judge = ranks.judge;
  Series figures, accuracies;
  for (const RankedNetwork& network : run) {
    figures.push_back(figure_of(network, judge));
    accuracies.push_back(*network.alone);
  }
  const SvgPlane plane({left + kLeft, top + kTop, left + kPanelWidth - kRight, top + kPanelHeight - kBottom},
                       range_of(figures), range_of(accuracies));
  std::string text = fmt::format(
      "<text x=\"{0:.1f}\" y=\"{1:.1f}\" font-weight=\"bold\">{2}</text>\n<g font-size=\"11\">"
      "<text x=\"{0:.1f}\" y=\"{3:.1f}\">tau {4}; equal MACs {5}</text>\n",
      left + kLeft, top + 16, title_of(judge), top + 33, with_interval(ranks.all.tau, ranks.all.tau_interval),
      with_interval(ranks.equal_macs.tau, ranks.equal_macs.tau_interval));
  text += plane.grid(
      kTicks, [&](double figure) { return tick_text(judge, figure); },
      [](double accuracy) { return fmt::format("{:.1f} %", 100 * accuracy); });
  for (size_t i = 0; i < run.size(); ++i) {
    text += fmt::format(
        "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\" fill=\"{}\" fill-opacity=\"0.8\">"
        "<title>{}</title></circle>\n",
        plane.x(figures[i]), plane.y(accuracies[i]), kColours[run[i].equal_macs],
        encode(run[i].architecture));
  }
  return text + "</g>\n";
}

}  // namespace

std::string rank_csv(const std::vector<RankedNetwork>& networks) {
  std::string text = "network,half,architecture,macs,params,supernet,predictor,alone\n";
  int number = 0;
  for (const RankedNetwork& network : networks) {
    text += fmt::format("{},{},\"{}\",{},{},{:.6f},{:.6f},{}\n", ++number,
                        network.equal_macs ? "equal-macs" : "random", encode(network.architecture),
                        network.macs, network.params, network.supernet, network.predicted,
                        network.alone ? fmt::format("{:.6f}", *network.alone) : std::string("not run"));
  }
  return text;
}

std::string rank_table(const RankTrust& trust) {
  std::string text = fmt::format("  {:<20} {:<22} {:<22}   {:<22} {}\n", "", "all: Kendall's tau",
                                 "Spearman's rho", "equal MACs: tau", "rho");
  for (const JudgeRanks& ranks : trust.judges) {
    text += fmt::format("  {:<20} {:<22} {:<22}   {:<22} {}\n", title_of(ranks.judge),
                        with_interval(ranks.all.tau, ranks.all.tau_interval),
                        with_interval(ranks.all.rho, ranks.all.rho_interval),
                        with_interval(ranks.equal_macs.tau, ranks.equal_macs.tau_interval),
                        with_interval(ranks.equal_macs.rho, ranks.equal_macs.rho_interval));
  }
  if (trust.gain_over_params) {
    text += fmt::format("  within equal MACs the supernet's tau is {:+.2f}{} against that of #params\n",
                        *trust.gain_over_params,
                        trust.gain_interval ? fmt::format(" [{:+.2f}, {:+.2f}]", trust.gain_interval->low,
                                                          trust.gain_interval->high)
                                            : std::string());
  }
  return text + fmt::format("  {} of {} networks were trained alone{}; intervals: 95 %, bootstrap\n",
                            trust.run, trust.networks,
                            trust.run < trust.networks
                                ? fmt::format(", {} not run", trust.networks - trust.run)
                                : std::string());
}

std::string rank_svg(const std::vector<RankedNetwork>& networks, const RankTrust& trust) {
  std::vector<RankedNetwork> run;
  for (const RankedNetwork& network : networks) {
    if (network.alone) run.push_back(network);
  }
  const int rows = (static_cast<int>(trust.judges.size()) + kColumns - 1) / kColumns;
  std::string text = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
      "font-family=\"sans-serif\" font-size=\"13\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
      "<text x=\"20\" y=\"24\" font-weight=\"bold\" font-size=\"15\">Accuracy after training alone, over "
      "what "
      "ranks it ({2} of {3} networks run)</text>\n"
      "<circle cx=\"26\" cy=\"42\" r=\"4\" fill=\"{4}\"/><text x=\"36\" y=\"46\">random</text>"
      "<circle cx=\"106\" cy=\"42\" r=\"4\" fill=\"{5}\"/><text x=\"116\" y=\"46\">within 15 % MACs of each "
      "other</text>\n",
      kColumns * kPanelWidth, kHeader + rows * kPanelHeight, trust.run, trust.networks, kColours[0],
      kColours[1]);
  for (size_t i = 0; i < trust.judges.size(); ++i) {
    const double left = kPanelWidth * static_cast<double>(i % kColumns);
    const double top = kHeader + kPanelHeight * static_cast<double>(i / kColumns);
    text += panel(run, trust.judges[i], left, top);
  }
  return text + "</svg>\n";
}

}  // namespace tinynas
