// Ranges of activations, from running the float network over calibration images.
#pragma once

#include <string>
#include <vector>

#include "quantize/float_model.h"

namespace tinynas {

// Real values that the int8 tensor must cover; always holds 0, so that padding and ReLU are exact.
struct Range {
  float low = 0.0f;
  float high = 0.0f;
};

// One range a tensor, by TensorId. `calibration` is QuantizeOptions::calibration; the graph's output always
// gets its minimum and maximum, because clipped logits would tie. Throws Error(kUsage) naming the tensor that
// holds a value that is not finite.
std::vector<Range> activation_ranges(const FloatModel& model, const std::vector<const float*>& images,
                                     const std::string& calibration);

// The clipping of `range` that minimises the mean squared error of rounding `values` to 256 levels; 0 stays
// inside. Values are kept as a histogram of 2048 bins with their sums and squares, so that a bin's error for
// a level is exact.
class ClippingSearch {
 public:
  explicit ClippingSearch(const Range& range);
  // Every value must lie inside the range.
  void add(const std::vector<float>& values);
  Range best() const;

 private:
  struct Bin {
    double count = 0;
    double sum = 0;
    double squares = 0;
  };
  double error(const Range& clipped) const;  // sum over the values

  Range range_;
  std::vector<Bin> bins_;
};

}  // namespace tinynas
