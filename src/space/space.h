// Search spaces: what may be chosen. A space is data (configs/spaces/*.yaml); nothing here knows torch or
// graphs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tinynas {

// What a space is built of; one kind a space.
enum class BlockKind {
  kMbConv,  // 1x1 expand + ReLU6 (none where the expansion is 1), kxk depthwise + ReLU6, 1x1 project;
            // residual where input and output shapes agree
  kDepthwiseSeparable  // kxk depthwise + ReLU6, 1x1 convolution + ReLU6; no residual (MicroNets' DS-CNN)
};
// "mbconv", "ds": as space files say it.
const char* name_of(BlockKind kind);

// The stem: a full convolution, SAME padding, batch norm, ReLU6. Rows by columns: 10x4 with stride 2x2, say.
struct StemSpec {
  int channels = 32;  // before the width multiplier
  int kernel = 3;     // rows
  int stride = 2;     // rows
  int kernel_w = 0;   // columns; 0 = as the rows
  int stride_w = 0;

  int kernel_columns() const { return kernel_w > 0 ? kernel_w : kernel; }
  int stride_columns() const { return stride_w > 0 ? stride_w : stride; }
};

// A stage: `depth` blocks, of which the first has the stage's stride. A dimension with one option is fixed.
struct StageSpec {
  int channels = 0;  // output channels before the width multiplier; the largest where they are elastic
  int stride = 1;    // rows and columns
  std::vector<int> kernels{3, 5, 7};
  std::vector<int> expansions{3, 4, 6};  // MBConv only; {1} in a space of DS blocks
  std::vector<int> depths{2, 3,
                          4};  // DS: a stage after the first, of stride 1, may have the depth 0: skipped
  // DS only: every block chooses its output channels among min_channels, + channel_step, ..., channels
  // (before the width multiplier). 0 and 0: `channels` is fixed.
  int min_channels = 0;
  int channel_step = 0;
  // MBConv only: every block chooses its output channels among these parts of `channels`, each times the
  // width multiplier and rounded as channels are (MCUNetV2, NeurIPS 2021, section 3.2: {0.5, 0.75, 1}). Two
  // blocks of different widths have no residual between them. {1}: `channels` is fixed.
  std::vector<double> block_widths{1.0};

  bool elastic_channels() const { return channel_step > 0; }
  bool elastic_widths() const { return block_widths.size() > 1; }
};

// The first thing that is wrong with a space.
struct SpaceProblem {
  std::string field;  // "stages[1].kernels"
  std::string what;   // "got 4, expected odd sizes"
};

// Blocks in stages, NHWC, SAME padding, ReLU6, no squeeze-and-excite. MBConv: MCUNet (NeurIPS 2020),
// section 3.1, and Once-for-All (ICLR 2020), section 3. DS-CNN: MicroNets (MLSys 2021). Channels are base *
// width rounded to a multiple of `divisor`, never below 90 % of it (MobileNetV2's rule). A genotype of a
// space of DS blocks belongs to one network alone (docs/decisions/0015-spaces.md).
struct SearchSpace {
  std::string name;
  int input_channels = 3;
  StemSpec stem;
  std::vector<StageSpec> stages;
  int head_channels = 0;  // 1x1 convolution + ReLU6 before the global average; scaled by width; 0 = none
  int divisor = 8;
  std::vector<double> widths;    // grid of W
  std::vector<int> resolutions;  // grid of R: the input has R rows
  BlockKind block = BlockKind::kMbConv;
  int columns =
      0;  // of the input: 0 = R (square images, resampled); else fixed (coefficients of a spectrogram)

  int input_columns(int resolution) const { return columns > 0 ? columns : resolution; }

  // The first field that is out of range; nothing when the space is valid.
  std::optional<SpaceProblem> problem() const;
  // Throws Error(kUsage) naming the space and that field.
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

// The output channels that a block may have in the sub-spaces of one width: first, first + step, ..., last.
// Real channels, after the width multiplier, which moves both ends; the step stays.
struct ChannelOptions {
  int first = 0;
  int last = 0;
  int step = 1;

  int count() const { return (last - first) / step + 1; }
  int at(int64_t i) const { return first + static_cast<int>(i) * step; }
  bool contains(int channels) const {
    return channels >= first && channels <= last && (channels - first) % step == 0;
  }
};
// Of a stage of MBConv blocks with elastic widths: ascending, none twice (rounding may make two parts one).
std::vector<int> block_channels(const SearchSpace& space, const StageSpec& stage, double width);
ChannelOptions channel_options(const SearchSpace& space, const StageSpec& stage, double width);
// What a block of the stage chooses its output channels from, whichever of the two it is: ascending; {0}
// where they are not elastic.
std::vector<int> channel_choices(const SearchSpace& space, const StageSpec& stage, double width);

}  // namespace tinynas
