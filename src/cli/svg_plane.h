// Two linear axes of an SVG picture: from values to pixels, and the grid with its labels.
#pragma once

#include <functional>
#include <string>

namespace tinynas {

struct AxisRange {
  double low = 0;
  double high = 1;
};

// The part of a picture that points lie in, in pixels.
struct PlotArea {
  double left = 0;
  double top = 0;
  double right = 0;
  double bottom = 0;
};

class SvgPlane {
 public:
  // Both ranges must be wider than nothing.
  SvgPlane(PlotArea area, AxisRange across, AxisRange up) : area_(area), across_(across), up_(up) {}

  double x(double value) const;
  double y(double value) const;

  using Label = std::function<std::string(double)>;
  // `ticks` + 1 lines each way, labelled below and on the left, ends included.
  std::string grid(int ticks, const Label& across_label, const Label& up_label) const;

 private:
  PlotArea area_;
  AxisRange across_;
  AxisRange up_;
};

}  // namespace tinynas
