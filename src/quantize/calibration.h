// Ranges of activations, from running the float network over calibration images.
#pragma once

#include <vector>

#include "quantize/float_model.h"
#include "quantize/int8_model.h"

namespace tinynas {

// Real values that the int8 tensor must cover; always holds 0, so that padding and ReLU are exact.
struct Range {
  float low = 0.0f;
  float high = 0.0f;
};

// One range a tensor, by TensorId, got as options.calibration says; the graph's output, and what a softmax or
// an average pool at the end reads, always get their minimum and maximum, because clipped logits would tie.
// All images are used. Throws Error(kUsage) naming the tensor that holds a value that is not finite.
std::vector<Range> activation_ranges(const FloatModel& model, const std::vector<const float*>& images,
                                     const QuantizeOptions& options);

// The values of one tensor as a histogram of 2048 bins with their sums and squares, and how to clip its range
// so that 0 stays inside.
class ActivationHistogram {
 public:
  explicit ActivationHistogram(const Range& range);
  // Every value must lie inside the range.
  void add(const std::vector<float>& values);

  // The clipping that minimises the mean squared error of rounding the values to 256 levels; a bin's error
  // for a level is exact.
  Range least_squares() const;
  // The values' percentiles `percentile` and 100 - `percentile`, in [50, 100], zeros counted; rounded
  // outwards to a bin's edge, so that never more is clipped than that, and 100 is the whole range.
  Range percentile(double percentile) const;

 private:
  struct Bin {
    double count = 0;
    double sum = 0;
    double squares = 0;
  };
  double error(const Range& clipped) const;  // sum over the values

  Range range_;
  std::vector<Bin> bins_;  // without the zeros, which int8 holds exactly
  double values_ = 0;      // with them
};

}  // namespace tinynas
