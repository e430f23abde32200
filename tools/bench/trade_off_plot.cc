#include "trade_off_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tinynas {
namespace {

constexpr double kPanelWidth = 420;
constexpr double kPanelHeight = 300;
constexpr double kLeft = 60;
constexpr double kRight = 20;
constexpr double kTop = 34;
constexpr double kBottom = 44;
constexpr const char* kStreamColour = "#1b6ca8";
constexpr const char* kPatchColour = "#c4622d";

class Panel {
 public:
  Panel(const TradeOffPanel& panel, double x, double y) : panel_(panel), x_(x), y_(y) {
    int64_t least = panel.layer_bytes;
    for (const auto* curve : {&panel.stream, &panel.patches}) {
      for (const TradeOffPoint& point : *curve) {
        least = std::min(least, point.bytes);
        most_macs_ = std::max(most_macs_, point.extra_macs);
      }
    }
    low_ = std::floor(std::log2(static_cast<double>(least) / 1024));
    high_ = std::ceil(std::log2(static_cast<double>(panel.layer_bytes) / 1024));
  }

  std::string svg() const {
    std::string text = fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" font-weight=\"bold\">{}</text>\n",
                                   x_ + kLeft, y_ + kTop - 14, panel_.title);
    text += axes();
    const double layer = across_y(static_cast<double>(panel_.layer_bytes));
    text += fmt::format(
        "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"#777\" stroke-dasharray=\"5 "
        "4\"/>\n",
        x_ + kLeft, layer, x_ + kPanelWidth - kRight, layer);
    text += fmt::format(
        "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\" fill=\"#555\">layer by layer {:.0f} "
        "KiB</text>\n",
        x_ + kPanelWidth - kRight - 4, layer + 14, static_cast<double>(panel_.layer_bytes) / 1024);
    return text + curve(panel_.patches, kPatchColour) + curve(panel_.stream, kStreamColour);
  }

 private:
  double across_x(double extra_macs) const {
    const double width = kPanelWidth - kLeft - kRight;
    return x_ + kLeft + width * std::sqrt(extra_macs / std::max(most_macs_, 1e-9));
  }
  double across_y(double bytes) const {
    const double height = kPanelHeight - kTop - kBottom;
    return y_ + kTop + height * (high_ - std::log2(bytes / 1024)) / std::max(high_ - low_, 1.0);
  }

  std::string axes() const {
    std::string text = fmt::format(
        "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"none\" "
        "stroke=\"#333\"/>\n",
        x_ + kLeft, y_ + kTop, kPanelWidth - kLeft - kRight, kPanelHeight - kTop - kBottom);
    for (double power = low_; power <= high_; ++power) {
      const double y = across_y(1024 * std::exp2(power));
      text += fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"#ddd\"/>\n",
                          x_ + kLeft, y, x_ + kPanelWidth - kRight, y);
      text += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{:.0f}</text>\n",
                          x_ + kLeft - 6, y + 4, std::exp2(power));
    }
    for (const double tick : {0.0, 0.05, 0.2, 0.5, 1.0, 2.0, 4.0}) {
      if (tick > most_macs_) break;
      text += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{:.0f} %</text>\n",
                          across_x(tick), y_ + kPanelHeight - kBottom + 16, 100 * tick);
    }
    text += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">extra MACs (square root)</text>\n",
                        x_ + (kLeft + kPanelWidth - kRight) / 2, y_ + kPanelHeight - 10);
    return text + fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\">KiB</text>\n", x_ + 14, y_ + kTop - 14);
  }

  // From a point on, its bytes do until the next one's MACs.
  std::string curve(const std::vector<TradeOffPoint>& points, const char* colour) const {
    std::string path;
    std::string dots;
    for (size_t i = 0; i < points.size(); ++i) {
      const double x = across_x(points[i].extra_macs);
      const double y = across_y(static_cast<double>(points[i].bytes));
      path += i == 0 ? fmt::format("M{:.1f} {:.1f}", x, y) : fmt::format("H{:.1f}V{:.1f}", x, y);
      dots += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2\" fill=\"{}\"/>\n", x, y, colour);
    }
    path += fmt::format("H{:.1f}", x_ + kPanelWidth - kRight);
    return fmt::format("<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.5\"/>\n", path, colour) +
           dots;
  }

  const TradeOffPanel& panel_;
  const double x_;
  const double y_;
  double most_macs_ = 0;
  double low_ = 0;  // powers of two of KiB
  double high_ = 1;
};

}  // namespace

std::string trade_off_csv(const std::vector<TradeOffPanel>& panels) {
  std::string text = "network,schedule,arena_bytes,extra_macs\n";
  for (const TradeOffPanel& panel : panels) {
    text += fmt::format("{},layer,{},0\n", panel.title, panel.layer_bytes);
    for (const TradeOffPoint& point : panel.stream)
      text += fmt::format("{},stream,{},{:.6f}\n", panel.title, point.bytes, point.extra_macs);
    for (const TradeOffPoint& point : panel.patches)
      text += fmt::format("{},patches,{},{:.6f}\n", panel.title, point.bytes, point.extra_macs);
  }
  return text;
}

std::string trade_off_svg(const std::vector<TradeOffPanel>& panels) {
  const size_t rows = (panels.size() + 1) / 2;
  const double height = kPanelHeight * static_cast<double>(rows) + 30;
  std::string text = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:.0f} {1:.0f}\" width=\"{0:.0f}\" "
      "height=\"{1:.0f}\" "
      "font-family=\"sans-serif\" font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
      2 * kPanelWidth, height);
  for (size_t i = 0; i < panels.size(); ++i) {
    text +=
        Panel(panels[i], kPanelWidth * static_cast<double>(i % 2), kPanelHeight * static_cast<double>(i / 2))
            .svg();
  }
  text += fmt::format("<text x=\"60\" y=\"{0:.0f}\" fill=\"{1}\">streaming, reread input</text>\n",
                      height - 12, kStreamColour);
  text += fmt::format(
      "<text x=\"240\" y=\"{0:.0f}\" fill=\"{1}\">p x p patches (MCUNetV2), p = 1 to 4, analytic</text>\n",
      height - 12, kPatchColour);
  return text + "</svg>\n";
}

}  // namespace tinynas
