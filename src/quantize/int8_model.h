// The int8 network: design.md, section 5 (TFLite's int8 quantisation specification, double rounding).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "quantize/float_model.h"

namespace tinynas {

// real = scale * (q - zero_point); activations per tensor, int8.
struct QuantParams {
  float scale = 1.0f;
  int32_t zero_point = 0;  // [-128, 127]
  bool operator==(const QuantParams&) const = default;
};

// Q31 multiplier in [2^30, 2^31) (or 0) and a shift in [-31, 30], > 0 is left:
// real multiplier = multiplier * 2^(shift - 31).
struct FixedMultiplier {
  int32_t multiplier = 0;
  int32_t shift = 0;
  bool operator==(const FixedMultiplier&) const = default;
};
// Relative error at most 2^-31; below 2^-32 the multiplier is 0. Throws Error(kUsage) unless it is in [0,
// 2^30).
FixedMultiplier to_fixed(double real_multiplier);

struct Int8Op {
  // Convolutions and fully connected. Weights symmetric (zero point 0, values in [-127, 127]), in
  // OpKind's layout.
  std::vector<int8_t> weights;
  std::vector<float> weight_scales;      // one per output channel; one in all for fully connected
  std::vector<int32_t> bias;             // scale = input scale * weight scale
  std::vector<FixedMultiplier> requant;  // as many as weight_scales: in_scale * w_scale / out_scale
  // Add: both inputs are shifted left by 20, rescaled, summed, rescaled to the output.
  FixedMultiplier add_input[2];
  FixedMultiplier add_output;
  // Global average pool: in_scale / out_scale applied to the sum, then divided by h * w, half away from zero.
  FixedMultiplier mean;
  // Softmax: input scale * 2^26, and the smallest difference to the largest input that counts (below, exp is
  // 0).
  FixedMultiplier softmax_input;
  int32_t softmax_difference_min = 0;
  // Clamp of the fused activation, in output units.
  int32_t activation_min = -128;
  int32_t activation_max = 127;
};

struct Int8Model {
  Graph graph;
  std::vector<QuantParams> tensors;  // by TensorId
  std::vector<Int8Op> ops;           // by operator index
  std::vector<std::string> class_names;

  // Throws Error(kUsage) naming the tensor or operator: sizes agree with the graph, scales are positive, zero
  // points are int8, fixed-point values are the ones that derive_fixed_point() gives, no 32-bit
  // accumulator can overflow, outputs of which keeps_params() is true have their input's parameters and a
  // softmax's those of kSoftmaxOutput.
  void check() const;
};

// Whether the output holds values of the input as they are, or averaged, and so has its scale and zero point.
inline bool keeps_params(OpKind kind) {
  return kind == OpKind::kAvgPool || kind == OpKind::kPad || kind == OpKind::kReshape;
}

// What TFLite's specification gives the output of a softmax.
inline constexpr QuantParams kSoftmaxOutput{1.0f / 256, -128};

// Fills `requant`, `add_input`, `add_output`, `mean`, the softmax's numbers and the activation clamp of every
// operator from the graph, the tensors' parameters and the weight scales: the one place that turns scales
// into integers (formulas: TFLite's kernels' Prepare functions, computed in double). Sizes must agree with
// the graph.
void derive_fixed_point(Int8Model& model);

struct QuantizeOptions {
  // How an activation's range is got from calibration images: "minmax", "percentile" (of its values, on both
  // sides), or "mse" (the clipping that minimises the mean squared quantisation error over a histogram).
  std::string calibration = "mse";
  int calibration_images = 256;
  double percentile = 99.99;     // in [50, 100]; of "percentile" alone
  bool equalisation = false;     // equalise() before anything else
  bool bias_correction = false;  // correct_bias() at the end, over the calibration images

  void check() const;
};

// Activation ranges are got by running `model` in float over the first options.calibration_images of `images`
// (each [h][w][c], normalised). The input's parameters are fixed by data/batch.h's normalisation: scale 1/64,
// zero point 0.
Int8Model quantize(const FloatModel& model, const std::vector<const float*>& images, const QuantParams& input,
                   const QuantizeOptions& options);

// model.int8.json (graph, scales, multipliers; text) + model.int8.bin beside it (weights and biases; its hash
// is in the JSON). Loading throws Error(kData) naming the file and the path inside the JSON.
void save_int8_model(const Int8Model& model, const std::filesystem::path& json_path);
Int8Model load_int8_model(const std::filesystem::path& json_path);

}  // namespace tinynas
