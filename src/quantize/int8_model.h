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
};

// Q31 multiplier in [2^30, 2^31) (or 0) and a shift: real multiplier = multiplier * 2^(shift - 31). shift > 0 is left.
struct FixedMultiplier {
  int32_t multiplier = 0;
  int32_t shift = 0;
};
FixedMultiplier to_fixed(double real_multiplier);

struct Int8Op {
  // Convolutions and fully connected. Weights symmetric (zero point 0, values in [-127, 127]), layout of OpKind.
  std::vector<int8_t> weights;
  std::vector<float> weight_scales;          // one per output channel; one in all for fully connected
  std::vector<int32_t> bias;                 // scale = input scale * weight scale
  std::vector<FixedMultiplier> requant;      // as many as weight_scales: in_scale * w_scale / out_scale
  // Add: both inputs are shifted left by 20, rescaled, summed, rescaled to the output.
  FixedMultiplier add_input[2];
  FixedMultiplier add_output;
  // Global average pool: in_scale / out_scale applied to the sum, then divided by h * w, half away from zero.
  FixedMultiplier mean;
  // Clamp of the fused activation, in output units.
  int32_t activation_min = -128;
  int32_t activation_max = 127;
};

struct Int8Model {
  Graph graph;
  std::vector<QuantParams> tensors;  // by TensorId
  std::vector<Int8Op> ops;           // by operator index
  std::vector<std::string> class_names;

  void check() const;
};

struct QuantizeOptions {
  // How an activation's range is got from calibration images: "minmax", or "mse" (the clipping that minimises the mean
  // squared quantisation error over a histogram).
  std::string calibration = "mse";
  int calibration_images = 256;

  void check() const;
};

// Activation ranges are got by running `model` in float over `images` (each [h][w][c], normalised). The input's
// parameters are fixed by data/batch.h's normalisation: scale 1/64, zero point 0.
Int8Model quantize(const FloatModel& model, const std::vector<const float*>& images, const QuantParams& input,
                   const QuantizeOptions& options);

// model.int8.json (graph, scales, multipliers; text) + model.int8.bin (weights and biases).
void save_int8_model(const Int8Model& model, const std::filesystem::path& json_path);
Int8Model load_int8_model(const std::filesystem::path& json_path);

}  // namespace tinynas
