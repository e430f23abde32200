#include "cli/rank_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/units.h"

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

std::string text_of(const std::optional<double>& value, const std::optional<Interval>& interval) {
  if (!value) return "not defined";
  return fmt::format("{:.2f}", *value) +
         (interval ? fmt::format(" [{:.2f}, {:.2f}]", interval->low, interval->high) : std::string());
}

struct Range {
  double low = 0;
  double high = 1;
  double at(int tick) const { return low + (high - low) * tick / kTicks; }
};

// Of `values`, with a margin around.
Range range_of(const Series& values) {
  if (values.empty()) return {};
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  const double margin = std::max(0.06 * (*most - *least), 1e-6 * std::max(1.0, std::abs(*most)));
  return {*least - margin, *most + margin};
}

// One judge's figure across, accuracy after training alone up.
class Panel {
 public:
  Panel(const std::vector<RankedNetwork>& run, std::string judge, double left, double top)
      : run_(run), judge_(std::move(judge)), left_(left), top_(top) {
    Series figures, accuracies;
    for (const RankedNetwork& network : run) {
      figures.push_back(figure_of(network, judge_));
      accuracies.push_back(*network.alone);
    }
    across_ = range_of(figures);
    up_ = range_of(accuracies);
  }

  std::string draw(const JudgeRanks& ranks) const {
    std::string text = fmt::format(
        "<text x=\"{0:.1f}\" y=\"{1:.1f}\" font-weight=\"bold\">{2}</text>\n"
        "<text x=\"{0:.1f}\" y=\"{3:.1f}\" font-size=\"11\">tau {4}; equal MACs {5}</text>\n",
        left_ + kLeft, top_ + 16, title_of(judge_), top_ + 33, text_of(ranks.all.tau, ranks.all.tau_interval),
        text_of(ranks.equal_macs.tau, ranks.equal_macs.tau_interval));
    text += axes();
    for (const RankedNetwork& network : run_) {
      text += fmt::format(
          "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\" fill=\"{}\" "
          "fill-opacity=\"0.8\"><title>{}</title></circle>\n",
          x(figure_of(network, judge_)), y(*network.alone), kColours[network.equal_macs],
          encode(network.architecture));
    }
    return text;
  }

 private:
  double x(double value) const {
    return left_ + kLeft +
           (kPanelWidth - kLeft - kRight) * (value - across_.low) / (across_.high - across_.low);
  }
  double y(double value) const {
    return top_ + kTop + (kPanelHeight - kTop - kBottom) * (up_.high - value) / (up_.high - up_.low);
  }

  std::string axes() const {
    std::string text;
    const double bottom = top_ + kPanelHeight - kBottom;
    for (int i = 0; i <= kTicks; ++i) {
      text += fmt::format(
          "<line x1=\"{0:.1f}\" y1=\"{1:.1f}\" x2=\"{0:.1f}\" y2=\"{2:.1f}\" stroke=\"#ddd\"/>"
          "<text x=\"{0:.1f}\" y=\"{3:.1f}\" text-anchor=\"middle\" font-size=\"11\">{4}</text>\n",
          x(across_.at(i)), top_ + kTop, bottom, bottom + 16, tick_text(judge_, across_.at(i)));
      text += fmt::format(
          "<line x1=\"{0:.1f}\" y1=\"{1:.1f}\" x2=\"{2:.1f}\" y2=\"{1:.1f}\" stroke=\"#ddd\"/>"
          "<text x=\"{3:.1f}\" y=\"{4:.1f}\" text-anchor=\"end\" font-size=\"11\">{5:.1f} %</text>\n",
          left_ + kLeft, y(up_.at(i)), left_ + kPanelWidth - kRight, left_ + kLeft - 6, y(up_.at(i)) + 4,
          100 * up_.at(i));
    }
    return text;
  }

  const std::vector<RankedNetwork>& run_;
  const std::string judge_;
  const double left_;
  const double top_;
  Range across_;
  Range up_;
};

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
                        text_of(ranks.all.tau, ranks.all.tau_interval),
                        text_of(ranks.all.rho, ranks.all.rho_interval),
                        text_of(ranks.equal_macs.tau, ranks.equal_macs.tau_interval),
                        text_of(ranks.equal_macs.rho, ranks.equal_macs.rho_interval));
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
    text += Panel(run, trust.judges[i].judge, left, top).draw(trust.judges[i]);
  }
  return text + "</svg>\n";
}

}  // namespace tinynas
