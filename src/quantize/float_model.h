// A trained network with batch norm folded, graph and float weights: what fine-tuning hands to the quantiser.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace tinynas {

struct FloatWeights {
  std::vector<float> weights;  // layout of OpKind: OHWI, HWC or [out][in]
  std::vector<float> bias;     // [c_out]
};

struct FloatModel {
  Graph graph;
  std::map<std::string, FloatWeights> weights;  // by operator name
  std::vector<std::string> class_names;

  // Throws Error(kUsage) when an operator with weights has none, or of the wrong size.
  void check() const;
};

// Reference execution in float32, NHWC, one image: input [h][w][c] normalised -> every tensor of the graph,
// by TensorId. Slow and plain; it is the judge of the torch network and the source of activation ranges.
std::vector<std::vector<float>> run_float(const FloatModel& model, const float* input);

// The same, operator by operator: values[op.output] from values[op.inputs], by TensorId, without the fused
// activation, which is the second function.
void run_float_op(const FloatModel& model, const Op& op, std::vector<std::vector<float>>& values);
void apply_activation(Activation activation, std::vector<float>& values);

// model.safetensors: "<op>.weight" and "<op>.bias" as F32; the graph and the class names are its metadata.
// Loading throws Error(kData) naming the file.
void save_float_model(const FloatModel& model, const std::filesystem::path& path);
FloatModel load_float_model(const std::filesystem::path& path);

}  // namespace tinynas
