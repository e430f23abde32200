#include "quantize/calibration.h"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace tinynas {
namespace {

constexpr int kBins = 2048;
constexpr int kCandidates = 32;        // clippings tried on each side
constexpr float kSmallestKept = 0.2f;  // of either side of the range
constexpr int kOffset = 1 << 20;       // above any number of quantisation steps in the range

void widen(const Tensor& tensor, const std::vector<float>& values, Range& range) {
  const Eigen::Map<const Eigen::ArrayXf> array(values.data(), static_cast<int64_t>(values.size()));
  if (!array.allFinite()) {
    throw usage_error("tensor '" + tensor.name + "': the float network computes a value that is not finite");
  }
  range.low = std::min(range.low, array.minCoeff());
  range.high = std::max(range.high, array.maxCoeff());
}

}  // namespace

ClippingSearch::ClippingSearch(const Range& range) : range_(range), bins_(kBins) {}

void ClippingSearch::add(const std::vector<float>& values) {
  const double width = (static_cast<double>(range_.high) - range_.low) / kBins;
  if (!(width > 0)) return;
  const double bins_a_unit = 1.0 / width;
  for (const float value : values) {
    if (value == 0) continue;  // int8 holds it exactly
    const int index = static_cast<int>((static_cast<double>(value) - range_.low) * bins_a_unit);
    Bin& bin = bins_[static_cast<size_t>(std::clamp(index, 0, kBins - 1))];
    bin.count += 1;
    bin.sum += value;
    bin.squares += static_cast<double>(value) * value;
  }
}

double ClippingSearch::error(const Range& clipped) const {
  const double scale = (static_cast<double>(clipped.high) - clipped.low) / 255.0;
  const int lowest = static_cast<int>(std::lround(clipped.low / scale));
  const double width = (static_cast<double>(range_.high) - range_.low) / kBins;
  double error = 0;
  for (int i = 0; i < kBins; ++i) {
    const Bin& bin = bins_[static_cast<size_t>(i)];
    if (bin.count == 0) continue;
    // std::floor without SSE4.1 is a call: the offset makes truncation round down.
    const double middle = range_.low + (i + 0.5) * width;
    const int step = static_cast<int>(middle / scale + 0.5 + kOffset) - kOffset;
    const double level = std::clamp(step, lowest, lowest + 255) * scale;
    error += bin.squares - 2 * level * bin.sum + level * level * bin.count;
  }
  return error;
}

Range ClippingSearch::best() const {
  Range best = range_;
  double best_error = std::numeric_limits<double>::infinity();
  const auto kept = [](int candidate) {
    return 1.0f - (1.0f - kSmallestKept) * candidate / (kCandidates - 1);
  };
  for (int low = 0; low < (range_.low < 0 ? kCandidates : 1); ++low) {
    for (int high = 0; high < (range_.high > 0 ? kCandidates : 1); ++high) {
      const Range clipped{range_.low * kept(low), range_.high * kept(high)};
      if (!(clipped.high > clipped.low)) return range_;
      const double candidate_error = error(clipped);
      if (candidate_error < best_error) {
        best_error = candidate_error;
        best = clipped;
      }
    }
  }
  return best;
}

std::vector<Range> activation_ranges(const FloatModel& model, const std::vector<const float*>& images,
                                     const std::string& calibration) {
  const Graph& graph = model.graph;
  std::vector<Range> ranges(graph.tensors.size());
  for (const float* image : images) {
    const auto values = run_float(model, image);
    for (size_t i = 0; i < ranges.size(); ++i) widen(graph.tensors[i], values[i], ranges[i]);
  }
  if (calibration == "minmax") return ranges;

  // A second pass rather than activations kept in memory: histograms need the ranges first.
  std::vector<ClippingSearch> searches(ranges.begin(), ranges.end());
  for (const float* image : images) {
    const auto values = run_float(model, image);
    for (size_t i = 0; i < ranges.size(); ++i) searches[i].add(values[i]);
  }
  for (size_t i = 0; i < ranges.size(); ++i) {
    if (static_cast<TensorId>(i) != graph.output) ranges[i] = searches[i].best();
  }
  return ranges;
}

}  // namespace tinynas
