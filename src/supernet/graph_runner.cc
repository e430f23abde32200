#include "supernet/graph_runner.h"

#include <torch/torch.h>

#include <limits>

#include "supernet/batch_norm.h"
#include "supernet/depthwise.h"

namespace tinynas {
namespace {

struct Clamp {
  double low;
  double high;
};

Clamp clamp_of(Activation activation) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  switch (activation) {
    case Activation::kRelu:
      return {0, kInfinity};
    case Activation::kRelu6:
      return {0, 6};
    case Activation::kNone:
      break;
  }
  return {-kInfinity, kInfinity};
}

at::Tensor activate(const at::Tensor& x, Activation activation) {
  if (activation == Activation::kNone) return x;
  const Clamp clamp = clamp_of(activation);
  return at::hardtanh(x, clamp.low, clamp.high);
}

// SAME padding with stride 2 is asymmetric for even sizes, which torch's convolution cannot express by
// itself.
at::Tensor convolve(const Op& op, at::Tensor x, const at::Tensor& weight, const at::Tensor& bias) {
  const Padding& pad = op.padding;
  std::vector<int64_t> symmetric{pad.top, pad.left};
  if (pad.top != pad.bottom || pad.left != pad.right) {
    x = at::constant_pad_nd(x, {pad.left, pad.right, pad.top, pad.bottom}, 0);
    symmetric = {0, 0};
  }
  const bool depthwise = op.kind == OpKind::kDepthwiseConv2d;
  const bool square =
      op.kernel_h == op.kernel_w && op.stride_h == op.stride_w && symmetric[0] == symmetric[1];
  if (depthwise && square && op.depth_multiplier == 1 && !bias.defined())
    return depthwise_conv2d(x, weight, op.stride_h, symmetric[0]);
  return at::conv2d(x, weight, bias, {op.stride_h, op.stride_w}, symmetric, {1, 1},
                    depthwise ? x.size(1) : 1);
}

// The mean over each window's positions inside the input, whatever the padding.
at::Tensor average_windows(const Op& op, const at::Tensor& x) {
  const Padding& pad = op.padding;
  const auto window_sum = [&](const at::Tensor& values) {
    const at::Tensor padded = at::constant_pad_nd(values, {pad.left, pad.right, pad.top, pad.bottom}, 0);
    return at::avg_pool2d(padded, {op.kernel_h, op.kernel_w}, {op.stride_h, op.stride_w}, {0, 0},
                          /*ceil_mode=*/false, /*count_include_pad=*/true, /*divisor_override=*/1);
  };
  return window_sum(x) / window_sum(at::ones({1, 1, x.size(2), x.size(3)}, x.options()));
}

// Walks the graph; `convolution(op, x)` computes a convolution with its batch norm and its activation.
at::Tensor walk(const Graph& graph, const at::Tensor& input,
                const std::function<at::Tensor(const Op&, at::Tensor)>& convolution,
                const std::function<LayerWeights(const Op&)>& classifier) {
  std::vector<at::Tensor> tensors(graph.tensors.size());
  std::vector<int> readers(graph.tensors.size(), 0);
  for (const Op& op : graph.ops) {
    for (const TensorId id : op.inputs) ++readers[static_cast<size_t>(id)];
  }
  tensors[static_cast<size_t>(graph.input)] = input;
  for (const Op& op : graph.ops) {
    const at::Tensor& x = tensors[static_cast<size_t>(op.inputs[0])];
    at::Tensor y;
    switch (op.kind) {
      case OpKind::kConv2d:
      case OpKind::kDepthwiseConv2d:
        y = convolution(op, x);
        break;
      case OpKind::kAdd:
        y = activate(x + tensors[static_cast<size_t>(op.inputs[1])], op.activation);
        break;
      case OpKind::kGlobalAvgPool:
        y = activate(x.mean(std::vector<int64_t>{2, 3}, /*keepdim=*/true), op.activation);
        break;
      case OpKind::kAvgPool:
        y = activate(average_windows(op, x), op.activation);
        break;
      case OpKind::kSoftmax:
        y = at::softmax(x, 1);
        break;
      case OpKind::kPad: {
        const Padding& pad = op.padding;
        y = at::constant_pad_nd(
            x, {pad.left, pad.right, pad.top, pad.bottom, pad.channels_before, pad.channels_after});
        break;
      }
      case OpKind::kReshape: {
        // Values keep their order in the graph's layout (h, w, c), not torch's.
        const Shape& to = graph.tensor(op.output).shape;
        y = x.permute({0, 2, 3, 1}).reshape({x.size(0), to.h, to.w, to.c}).permute({0, 3, 1, 2});
        break;
      }
      case OpKind::kFullyConnected: {
        // Flattened in the graph's order (h, w, c), not torch's. A 1x1 convolution, because that is oneDNN's
        // product: at::linear is the system's BLAS, and Debian's reference one runs at a thirtieth of it.
        const LayerWeights layer = classifier(op);
        const at::Tensor flat = x.permute({0, 2, 3, 1}).reshape({x.size(0), -1, 1, 1});
        y = activate(at::conv2d(flat, layer.weight.unsqueeze(-1).unsqueeze(-1), layer.bias), op.activation);
        break;
      }
    }
    tensors[static_cast<size_t>(op.output)] = y;
    for (const TensorId id : op.inputs) {
      // Without gradients this frees the activation; with them autograd keeps what it needs.
      if (--readers[static_cast<size_t>(id)] == 0) tensors[static_cast<size_t>(id)] = at::Tensor();
    }
  }
  return tensors[static_cast<size_t>(graph.output)].flatten(1);
}

std::vector<float> to_floats(const at::Tensor& tensor) {
  const at::Tensor plain = tensor.detach().to(at::kCPU).contiguous(at::MemoryFormat::Contiguous);
  return {plain.data_ptr<float>(), plain.data_ptr<float>() + plain.numel()};
}

at::Tensor from_floats(const std::vector<float>& values, const std::vector<int64_t>& sizes) {
  return at::from_blob(const_cast<float*>(values.data()), sizes, at::kFloat).clone();
}

}  // namespace

at::Tensor forward_batch_statistics(const SupernetImpl& weights, const Graph& graph, const at::Tensor& input,
                                    StatisticsByOp* statistics, const OutputObserver& on_output) {
  const auto convolution = [&](const Op& op, const at::Tensor& x) {
    const LayerWeights layer = weights.slice(graph, op);
    const at::Tensor y = convolve(op, x, layer.weight, {});
    const Clamp clamp = clamp_of(op.activation);
    const BatchNormResult result = batch_norm_clamp(y, layer.gamma, layer.beta, clamp.low, clamp.high);
    if (statistics != nullptr) (*statistics)[op.name] = {result.mean, result.variance};
    if (on_output) on_output(op, result.output);
    return result.output;
  };
  return walk(graph, input, convolution, [&](const Op& op) { return weights.slice(graph, op); });
}

FoldedLayers fold_batch_norm(const SupernetImpl& weights, const Graph& graph,
                             const StatisticsByOp& statistics) {
  const torch::NoGradGuard no_grad;
  FoldedLayers folded;
  for (const Op& op : graph.ops) {
    if (!op.has_weights()) continue;
    const LayerWeights layer = weights.slice(graph, op);
    LayerWeights& out = folded[op.name];
    if (op.kind == OpKind::kFullyConnected) {
      out.weight = layer.weight;
      out.bias = layer.bias;
      continue;
    }
    const BatchNormStatistics& stats = statistics.at(op.name);
    const at::Tensor factor = layer.gamma / at::sqrt(stats.variance + kBatchNormEpsilon);
    out.weight = (layer.weight * factor.view({-1, 1, 1, 1})).contiguous();
    out.bias = layer.beta - stats.mean * factor;
  }
  return folded;
}

at::Tensor forward_folded(const FoldedLayers& layers, const Graph& graph, const at::Tensor& input) {
  const auto convolution = [&](const Op& op, const at::Tensor& x) {
    const LayerWeights& layer = layers.at(op.name);
    return activate(convolve(op, x, layer.weight, layer.bias), op.activation);
  };
  return walk(graph, input, convolution, [&](const Op& op) { return layers.at(op.name); });
}

FloatModel to_float_model(const FoldedLayers& layers, const Graph& graph) {
  FloatModel model;
  model.graph = graph;
  for (const Op& op : graph.ops) {
    if (!op.has_weights()) continue;
    const LayerWeights& layer = layers.at(op.name);
    FloatWeights& out = model.weights[op.name];
    out.bias = to_floats(layer.bias);
    switch (op.kind) {
      case OpKind::kConv2d:
        out.weights = to_floats(layer.weight.permute({0, 2, 3, 1}));  // OIHW -> OHWI
        break;
      case OpKind::kDepthwiseConv2d:
        out.weights = to_floats(layer.weight.permute({2, 3, 0, 1}));  // [c, 1, h, w] -> HWC
        break;
      default:
        out.weights = to_floats(layer.weight);
    }
  }
  model.check();
  return model;
}

FoldedLayers to_folded_layers(const FloatModel& model) {
  model.check();
  FoldedLayers layers;
  for (const Op& op : model.graph.ops) {
    if (!op.has_weights()) continue;
    const FloatWeights& in = model.weights.at(op.name);
    const int64_t c_in = model.graph.tensor(op.inputs[0]).shape.c;
    const int64_t c_out = model.graph.tensor(op.output).shape.c;
    LayerWeights& layer = layers[op.name];
    layer.bias = from_floats(in.bias, {c_out});
    switch (op.kind) {
      case OpKind::kConv2d:
        layer.weight = from_floats(in.weights, {c_out, op.kernel_h, op.kernel_w, c_in})
                           .permute({0, 3, 1, 2})
                           .contiguous();
        break;
      case OpKind::kDepthwiseConv2d:
        layer.weight =
            from_floats(in.weights, {op.kernel_h, op.kernel_w, c_out, 1}).permute({2, 3, 0, 1}).contiguous();
        break;
      default:
        layer.weight = from_floats(in.weights, {c_out, model.graph.tensor(op.inputs[0]).shape.elements()});
    }
  }
  return layers;
}

}  // namespace tinynas
