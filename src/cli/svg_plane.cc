#include "cli/svg_plane.h"

#include <fmt/format.h>

namespace tinynas {

double SvgPlane::x(double value) const {
  return area_.left + (area_.right - area_.left) * (value - across_.low) / (across_.high - across_.low);
}

double SvgPlane::y(double value) const {
  return area_.top + (area_.bottom - area_.top) * (up_.high - value) / (up_.high - up_.low);
}

std::string SvgPlane::grid(int ticks, const Label& across_label, const Label& up_label) const {
  std::string text;
  for (int i = 0; i <= ticks; ++i) {
    const double part = static_cast<double>(i) / ticks;
    const double across = across_.low + part * (across_.high - across_.low);
    const double up = up_.low + part * (up_.high - up_.low);
    text += fmt::format(
        "<line x1=\"{0:.1f}\" y1=\"{1:.1f}\" x2=\"{0:.1f}\" y2=\"{2:.1f}\" stroke=\"#ddd\"/>"
        "<text x=\"{0:.1f}\" y=\"{3:.1f}\" text-anchor=\"middle\">{4}</text>\n",
        x(across), area_.top, area_.bottom, area_.bottom + 17, across_label(across));
    text += fmt::format(
        "<line x1=\"{0:.1f}\" y1=\"{1:.1f}\" x2=\"{2:.1f}\" y2=\"{1:.1f}\" stroke=\"#ddd\"/>"
        "<text x=\"{3:.1f}\" y=\"{4:.1f}\" text-anchor=\"end\">{5}</text>\n",
        area_.left, y(up), area_.right, area_.left - 7, y(up) + 4, up_label(up));
  }
  return text;
}

}  // namespace tinynas
