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

// By tensor: the output, and what it is made of by softmax and operators that keep the range.
std::vector<bool> logits(const Graph& graph) {
  std::vector<bool> found(graph.tensors.size(), false);
  found[static_cast<size_t>(graph.output)] = true;
  for (auto op = graph.ops.rbegin(); op != graph.ops.rend(); ++op) {
    const bool passes = op->kind == OpKind::kSoftmax || keeps_params(op->kind);
    if (passes && found[static_cast<size_t>(op->output)]) found[static_cast<size_t>(op->inputs[0])] = true;
  }
  return found;
}

}  // namespace

ActivationHistogram::ActivationHistogram(const Range& range) : range_(range), bins_(kBins) {}

void ActivationHistogram::add(const std::vector<float>& values) {
  const double width = (static_cast<double>(range_.high) - range_.low) / kBins;
  if (!(width > 0)) return;
  values_ += static_cast<double>(values.size());
  const double bins_a_unit = 1.0 / width;
  for (const float value : values) {
    if (value == 0) continue;
    const int index = static_cast<int>((static_cast<double>(value) - range_.low) * bins_a_unit);
    Bin& bin = bins_[static_cast<size_t>(std::clamp(index, 0, kBins - 1))];
    bin.count += 1;
    bin.sum += value;
    bin.squares += static_cast<double>(value) * value;
  }
}

double ActivationHistogram::error(const Range& clipped) const {
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

Range ActivationHistogram::least_squares() const {
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

Range ActivationHistogram::percentile(double percentile) const {
  const double clipped = values_ * (1.0 - percentile / 100.0);  // at most so many values on each side
  const double width = (static_cast<double>(range_.high) - range_.low) / kBins;
  const auto skipped = [&](auto bin, auto last) {  // bins on one side that can be left out
    int skipped = 0;
    double values = 0;
    for (; bin != last; ++bin, ++skipped) {
      values += bin->count;
      if (values > clipped) break;
    }
    return skipped;
  };
  const double low = range_.low + width * skipped(bins_.begin(), bins_.end());
  const double high = range_.high - width * skipped(bins_.rbegin(), bins_.rend());
  return {std::min(static_cast<float>(low), 0.0f), std::max(static_cast<float>(high), 0.0f)};
}

std::vector<Range> activation_ranges(const FloatModel& model, const std::vector<const float*>& images,
                                     const QuantizeOptions& options) {
  const Graph& graph = model.graph;
  std::vector<Range> ranges(graph.tensors.size());
  for (const float* image : images) {
    const auto values = run_float(model, image);
    for (size_t i = 0; i < ranges.size(); ++i) widen(graph.tensors[i], values[i], ranges[i]);
  }
  if (options.calibration == "minmax") return ranges;

  // A second pass rather than activations kept in memory: histograms need the ranges first.
  std::vector<ActivationHistogram> histograms(ranges.begin(), ranges.end());
  for (const float* image : images) {
    const auto values = run_float(model, image);
    for (size_t i = 0; i < ranges.size(); ++i) histograms[i].add(values[i]);
  }
  const std::vector<bool> keeps_range = logits(graph);
  for (size_t i = 0; i < ranges.size(); ++i) {
    if (keeps_range[i]) continue;
    ranges[i] = options.calibration == "percentile" ? histograms[i].percentile(options.percentile)
                                                    : histograms[i].least_squares();
  }
  return ranges;
}

}  // namespace tinynas
