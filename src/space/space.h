// Search spaces: what may be chosen. A space is data (configs/spaces/*.yaml); nothing here knows torch or graphs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tinynas {

// The stem: a full convolution, SAME padding, batch norm, ReLU6.
struct StemSpec {
  int channels = 32;  // before the width multiplier
  int kernel = 3;
  int stride = 2;
};

// A stage: `depth` MBConv blocks (1x1 expand, kxk depthwise, 1x1 project; expansion 1 omits the expand conv) of the same
// output channels; the first has the stage's stride. A block is residual where its input and output shapes agree.
// A dimension with one option is fixed.
struct StageSpec {
  int channels = 0;  // output channels before the width multiplier
  int stride = 1;
  std::vector<int> kernels{3, 5, 7};
  std::vector<int> expansions{3, 4, 6};
  std::vector<int> depths{2, 3, 4};
};

// MBConv space, NHWC, SAME padding, ReLU6, no squeeze-and-excite (MCUNet, section 3.1; Once-for-All, section 3).
// Channels are base * width rounded to a multiple of `divisor`, never below 90 % of it (MobileNetV2's rule).
struct SearchSpace {
  std::string name;
  int input_channels = 3;
  StemSpec stem;
  std::vector<StageSpec> stages;
  int head_channels = 0;  // 1x1 convolution + ReLU6 before the global average; scaled by width; 0 = none
  int divisor = 8;
  std::vector<double> widths;     // grid of W
  std::vector<int> resolutions;   // grid of R: the input is R x R, by resampling

  // Throws Error(kUsage) naming the first field that is out of range.
  void check() const;
};

// One (W,R) of the grid.
struct SubSpace {
  double width = 1.0;
  int resolution = 32;
  bool operator==(const SubSpace&) const = default;
};

// Channels after the width multiplier.
int scaled_channels(int base, double width, int divisor);

}  // namespace tinynas
