#include <catch2/catch.hpp>
#include <cmath>
#include <sstream>

#include "base/rng.h"
#include "cli/cdf_plot.h"

using namespace tinynas;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

CdfCurve random_curve(Rng& rng) {
  CdfCurve curve{"random", {}};
  double value = rng.chance(0.2) ? 0.0 : rng.uniform() * 50;
  for (int i = 0; i < 21; ++i) {
    curve.quantiles.push_back(value);
    if (rng.chance(0.8)) value += rng.uniform() * 10;  // equal quantiles occur
  }
  return curve;
}

}  // namespace

TEST_CASE("the CDF is the inverse of its quantiles, and rises from 0 to 1") {
  Rng rng(81);
  for (int round = 0; round < 200; ++round) {
    const CdfCurve curve = random_curve(rng);
    for (size_t i = 0; i < 21; ++i) {
      // Of equal quantiles the last counts: at most so many are at most that value.
      CHECK(cdf_at(curve, curve.quantiles[i]) >= static_cast<double>(i) / 20 - 1e-12);
    }
    CHECK(cdf_at(curve, curve.quantiles.front() - 1) == 0.0);
    CHECK(cdf_at(curve, curve.quantiles.back()) == 1.0);
    double previous = 0;
    for (double value = -1; value < curve.quantiles.back() + 2; value += 0.7) {
      CHECK(cdf_at(curve, value) >= previous);
      previous = cdf_at(curve, value);
    }
  }
}

TEST_CASE("a plot's letters lie where the curve is, within half a row, in every column between its ends") {
  Rng rng(82);
  for (int round = 0; round < 200; ++round) {
    const CdfCurve curve = random_curve(rng);
    CdfPlotOptions options;
    options.columns = static_cast<int>(20 + rng.below(60));
    options.rows = static_cast<int>(5 + rng.below(20));
    const std::vector<std::string> lines = lines_of(plot_cdfs({curve}, "M", options));
    REQUIRE(lines.size() == static_cast<size_t>(options.rows) + 3);
    const double right = curve.quantiles.back();
    if (right <= 0) continue;
    for (int column = 0; column < options.columns; ++column) {
      const double fraction = cdf_at(curve, right * (column + 0.5) / options.columns);
      if (fraction <= 0) continue;
      int highest = options.rows;  // the topmost letter of the column
      for (int r = options.rows - 1; r >= 0; --r) {
        if (lines[static_cast<size_t>(r)][static_cast<size_t>(column) + 8] == 'A') highest = r;
      }
      const double drawn = 1.0 - static_cast<double>(highest) / (options.rows - 1);
      CHECK(std::abs(drawn - fraction) <= 0.5 / (options.rows - 1) + 1e-9);
    }
  }
}

TEST_CASE("a plot of two curves shows both letters, the axes and the legend") {
  const CdfCurve low{"low", {0, 10, 20}};
  const CdfCurve high{"high", {60, 80, 100}};
  const std::string text = plot_cdfs({high, low}, "MFLOPs");
  CHECK(text.find("A high") != std::string::npos);
  CHECK(text.find("B low") != std::string::npos);
  CHECK(text.find("100 % |") != std::string::npos);
  CHECK(text.find("  0 % |") != std::string::npos);
  CHECK(text.find("100 MFLOPs") != std::string::npos);
  CHECK(text.find("\033[") == std::string::npos);
  CdfPlotOptions colour;
  colour.colour = true;
  CHECK(plot_cdfs({high, low}, "MFLOPs", colour).find("\033[36mA") != std::string::npos);
  CHECK(plot_cdfs({}, "MFLOPs").empty());
}
