#include "supernet/weights.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/error.h"
#include "base/rng.h"

namespace tinynas {
namespace {

at::Tensor normal_tensor(const std::vector<int64_t>& sizes, double deviation, Rng rng) {
  // Our own generator: the same seed gives the same weights with every LibTorch.
  at::Tensor tensor = at::empty(sizes, at::kFloat);
  float* values = tensor.data_ptr<float>();
  for (int64_t i = 0; i < tensor.numel(); ++i) values[i] = static_cast<float>(rng.normal() * deviation);
  return tensor;
}

LayerWeights initial_weights(const Graph& graph, const Op& op, const Rng& rng) {
  const int64_t c_in = graph.tensor(op.inputs[0]).shape.c;
  const int64_t c_out = graph.tensor(op.output).shape.c;
  LayerWeights layer;
  if (op.kind == OpKind::kFullyConnected) {
    const int64_t in = graph.tensor(op.inputs[0]).shape.elements();
    layer.weight = normal_tensor({c_out, in}, 0.01, rng.fork(op.name));
    layer.bias = at::zeros({c_out});
  } else {
    const bool depthwise = op.kind == OpKind::kDepthwiseConv2d;
    const double fan_out =
        static_cast<double>(op.kernel_h * op.kernel_w) * (depthwise ? 1.0 : static_cast<double>(c_out));
    layer.weight = normal_tensor({c_out, depthwise ? 1 : c_in, op.kernel_h, op.kernel_w},
                                 std::sqrt(2.0 / fan_out), rng.fork(op.name));
    layer.gamma = at::ones({c_out});
    layer.beta = at::zeros({c_out});
  }
  return layer;
}

// Kernels that the block of `op`, "stage<i>.block<j>.depthwise", may have below its own, the largest first.
std::vector<int> smaller_kernels(const SearchSpace& space, const Op& op) {
  const size_t stage = std::stoul(op.name.substr(std::string("stage").size()));
  std::vector<int> kernels;
  for (const int kernel : space.stages.at(stage).kernels) {
    if (kernel < op.kernel_h) kernels.push_back(kernel);
  }
  std::sort(kernels.begin(), kernels.end(), std::greater<>());
  return kernels;
}

at::Tensor centre_crop(const at::Tensor& weight, int64_t kernel_h, int64_t kernel_w) {
  return weight.narrow(2, (weight.size(2) - kernel_h) / 2, kernel_h)
      .narrow(3, (weight.size(3) - kernel_w) / 2, kernel_w);
}

// Input channels of a convolution or linear layer by the L1 norm of the weights that read them, the largest
// first.
at::Tensor importance_order(const at::Tensor& weight) {
  const at::Tensor importance = weight.abs().transpose(0, 1).flatten(1).sum(1);
  return std::get<1>(importance.sort(/*stable=*/true, /*dim=*/0, /*descending=*/true));
}

// Puts the channels that `carriers` make, one each, and that `reader` reads into another order.
void reorder(const at::Tensor& order, const std::vector<LayerWeights*>& carriers, LayerWeights& reader) {
  reader.weight.copy_(reader.weight.index_select(1, order));
  for (LayerWeights* layer : carriers) {
    layer->weight.copy_(layer->weight.index_select(0, order));
    layer->gamma.copy_(layer->gamma.index_select(0, order));
    layer->beta.copy_(layer->beta.index_select(0, order));
  }
}

void require_gradients(std::map<std::string, LayerWeights>& layers) {
  for (auto& [name, layer] : layers) {
    for (at::Tensor* tensor : tensors_of(layer)) *tensor = tensor->detach().clone().requires_grad_(true);
  }
}

// The kernel of `kernel` x `kernel` inside of `weight` [c, 1, k, k], a slice of `full`.
at::Tensor shrink_kernel(const LayerWeights& full, at::Tensor weight, int64_t kernel) {
  for (const KernelMap& map : full.kernel_maps) {
    if (map.to < kernel) break;
    const at::Tensor centre = centre_crop(weight, map.to, map.to).reshape({weight.size(0), -1});
    weight = centre.matmul(map.matrix.t()).view({weight.size(0), 1, map.to, map.to});
  }
  return centre_crop(weight, kernel, kernel);
}

}  // namespace

std::vector<at::Tensor*> tensors_of(LayerWeights& layer) {
  std::vector<at::Tensor*> tensors;
  for (at::Tensor* tensor : {&layer.weight, &layer.gamma, &layer.beta, &layer.bias}) {
    if (tensor->defined()) tensors.push_back(tensor);
  }
  for (KernelMap& map : layer.kernel_maps) tensors.push_back(&map.matrix);
  return tensors;
}

SupernetImpl::SupernetImpl(const SearchSpace& space, const Architecture& layout, int num_classes,
                           uint64_t seed)
    : space(space), layout(layout), num_classes(num_classes) {
  const Graph graph = lower(space, layout, num_classes);
  const Rng rng = Rng(seed).fork("weights");
  for (const Op& op : graph.ops) {
    if (op.has_weights()) layers[op.name] = initial_weights(graph, op, rng);
  }
  require_gradients(layers);
}

LayerWeights SupernetImpl::slice(const Graph& graph, const Op& op) const {
  const LayerWeights& full = layers.at(op.name);
  const int64_t c_out = graph.tensor(op.output).shape.c;
  LayerWeights part;
  if (op.kind == OpKind::kFullyConnected) {
    part.weight = full.weight.narrow(0, 0, c_out).narrow(1, 0, graph.tensor(op.inputs[0]).shape.elements());
    part.bias = full.bias.narrow(0, 0, c_out);
    return part;
  }
  const bool depthwise = op.kind == OpKind::kDepthwiseConv2d;
  const int64_t c_in = depthwise ? 1 : graph.tensor(op.inputs[0]).shape.c;
  const at::Tensor channels = full.weight.narrow(0, 0, c_out).narrow(1, 0, c_in);
  part.weight = full.kernel_maps.empty() ? centre_crop(channels, op.kernel_h, op.kernel_w)
                                         : shrink_kernel(full, channels, op.kernel_h);
  part.gamma = full.gamma.narrow(0, 0, c_out);
  part.beta = full.beta.narrow(0, 0, c_out);
  return part;
}

SupernetImpl SupernetImpl::extract(const Architecture& architecture) const {
  SupernetImpl alone(space, architecture, num_classes, 0);
  const Graph graph = lower(space, architecture, num_classes);
  for (const Op& op : graph.ops) {
    if (op.has_weights()) alone.layers[op.name] = slice(graph, op);
  }
  require_gradients(alone.layers);
  return alone;
}

SupernetImpl SupernetImpl::clone() const {
  SupernetImpl copy = *this;
  require_gradients(copy.layers);
  return copy;
}

void SupernetImpl::add_kernel_maps() {
  for (const Op& op : lower(space, layout, num_classes).ops) {
    if (op.kind != OpKind::kDepthwiseConv2d) continue;
    LayerWeights& layer = layers.at(op.name);
    if (!layer.kernel_maps.empty()) continue;
    int from = op.kernel_h;
    for (const int to : smaller_kernels(space, op)) {
      layer.kernel_maps.push_back(
          {from, to, at::eye(int64_t{to} * to, layer.weight.options()).detach().requires_grad_(true)});
      from = to;
    }
  }
}

void SupernetImpl::sort_channels() {
  const torch::NoGradGuard no_grad;
  if (space.block == BlockKind::kDepthwiseSeparable) {
    sort_output_channels();
  } else {
    sort_expanded_channels();
  }
}

void SupernetImpl::sort_expanded_channels() {
  for (auto& [name, project] : layers) {
    const std::string suffix = ".project";
    if (name.size() < suffix.size() || name.compare(name.size() - suffix.size(), suffix.size(), suffix) != 0)
      continue;
    const std::string block = name.substr(0, name.size() - suffix.size());
    const auto expand = layers.find(block + ".expand");
    if (expand == layers.end())
      continue;  // expansion 1: these channels are the block's input, shared with others
    reorder(importance_order(project.weight), {&expand->second, &layers.at(block + ".depthwise")}, project);
  }
}

void SupernetImpl::sort_output_channels() {
  // A network of DS blocks is a chain, so whatever reads a block's output stands behind it: the next block's
  // depthwise and through it its 1x1 convolution, or the head, or, through the pooling, the classifier.
  const Graph graph = lower(space, layout, num_classes);
  for (size_t i = 1; i < graph.ops.size(); ++i) {
    const bool makes_output =
        graph.ops[i].kind == OpKind::kConv2d && graph.ops[i - 1].kind == OpKind::kDepthwiseConv2d;
    if (!makes_output) continue;
    std::vector<LayerWeights*> carriers{&layers.at(graph.ops[i].name)};
    size_t reader = i + 1;
    if (graph.ops[reader].kind == OpKind::kDepthwiseConv2d)
      carriers.push_back(&layers.at(graph.ops[reader++].name));
    if (graph.ops[reader].kind == OpKind::kGlobalAvgPool) ++reader;
    LayerWeights& read_by = layers.at(graph.ops[reader].name);
    reorder(importance_order(read_by.weight), carriers, read_by);
  }
}

std::vector<at::Tensor> SupernetImpl::decayed_parameters() const {
  std::vector<at::Tensor> parameters;
  for (const auto& [name, layer] : layers) parameters.push_back(layer.weight);
  return parameters;
}

std::vector<at::Tensor> SupernetImpl::other_parameters() const {
  std::vector<at::Tensor> parameters;
  for (const auto& [name, layer] : layers) {
    for (const at::Tensor& tensor : {layer.gamma, layer.beta, layer.bias}) {
      if (tensor.defined()) parameters.push_back(tensor);
    }
    for (const KernelMap& map : layer.kernel_maps) parameters.push_back(map.matrix);
  }
  return parameters;
}

void SupernetImpl::to_device(const std::string& device) {
  for (auto& [name, layer] : layers) {
    for (at::Tensor* tensor : tensors_of(layer))
      *tensor = tensor->detach().to(at::Device(device)).requires_grad_(true);
  }
}

}  // namespace tinynas
