// Runs an operator graph in torch. The same graph that the planner plans and the exporter exports is what
// trains, so the trained network and the exported one cannot differ in shape, order or padding.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "quantize/float_model.h"
#include "supernet/weights.h"

namespace tinynas {

// Mean and (biased) variance of a convolution's output, per channel, [c_out].
struct BatchNormStatistics {
  at::Tensor mean;
  at::Tensor variance;
};
using StatisticsByOp = std::map<std::string, BatchNormStatistics>;

// Logits [n, classes] of `input` [n, c, h, w] (channels-last strides are kept). Batch norm always uses the
// statistics of this batch; nothing shared is written. When `statistics` is given it receives each
// convolution's, for recalibration; `on_output` is shown what each convolution gives, after batch norm and
// activation.
using OutputObserver = std::function<void(const Op&, const at::Tensor&)>;
at::Tensor forward_batch_statistics(const SupernetImpl& weights, const Graph& graph, const at::Tensor& input,
                                    StatisticsByOp* statistics = nullptr,
                                    const OutputObserver& on_output = {});

// Convolutions with batch norm folded in: LayerWeights with weight and bias only.
using FoldedLayers = std::map<std::string, LayerWeights>;

// weight' = weight * gamma / sqrt(variance + eps), bias' = beta - mean * gamma / sqrt(variance + eps).
FoldedLayers fold_batch_norm(const SupernetImpl& weights, const Graph& graph,
                             const StatisticsByOp& statistics);

at::Tensor forward_folded(const FoldedLayers& layers, const Graph& graph, const at::Tensor& input);

// Between torch's layouts and those of the operator graph.
FloatModel to_float_model(const FoldedLayers& layers, const Graph& graph);
FoldedLayers to_folded_layers(const FloatModel& model);

}  // namespace tinynas
