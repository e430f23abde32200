// The shared weights of a supernet, and the slices of them that a sub-network computes with.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <vector>

#include "graph/lower.h"
#include "quantize/safetensors.h"
#include "space/architecture.h"

namespace tinynas {

// A learned map from the centre of a layer's larger depthwise kernel to its smaller one, shared by the
// channels: small = matrix * centre, both as vectors of to * to values in rows (Once-for-All, section 3.2).
struct KernelMap {
  int from = 0;
  int to = 0;
  at::Tensor matrix;  // [to * to, to * to]
};

// float32, torch's layouts. Convolutions carry batch norm (gamma, beta), the classifier a bias.
struct LayerWeights {
  at::Tensor weight;  // conv [c_out, c_in, k, k]; depthwise [c, 1, k, k]; fully connected [out, in]
  at::Tensor gamma;   // [c_out]
  at::Tensor beta;    // [c_out]
  at::Tensor bias;    // [out]
  std::vector<KernelMap> kernel_maps;  // largest kernel first; none: smaller kernels are central crops
};

// Those that exist, in one fixed order.
std::vector<at::Tensor*> tensors_of(LayerWeights& layer);

struct SupernetImpl {
  SearchSpace space;
  Architecture
      layout;  // the largest network that these weights hold: every block's largest kernel and expansion
  int num_classes = 0;
  std::map<std::string, LayerWeights> layers;  // by operator name of lower(layout)

  // Kaiming-normal (fan out) convolutions, batch norm (1, 0), small normal classifier; from `seed` alone.
  SupernetImpl(const SearchSpace& space, const Architecture& layout, int num_classes, uint64_t seed);

  // Gives every depthwise layer with several kernels its maps, identities at first: slices stay what they
  // were until training changes the maps. Layers that have maps keep them.
  void add_kernel_maps();

  // What `op` of the sub-network `graph` computes with: the first channels of the input and output, and the
  // centre of the kernel, sent through the layer's kernel maps where it has some (Once-for-All, section 3.2).
  // Gradients flow back to the shared weights.
  LayerWeights slice(const Graph& graph, const Op& op) const;

  // A network of its own with a copy of the slices of `architecture`: its layout is the architecture.
  SupernetImpl extract(const Architecture& architecture) const;

  // A copy of everything, kernel maps included.
  SupernetImpl clone() const;

  // Sorts the elastic channels of every block by importance, the most important first, so that narrow
  // sub-networks keep the best: the expanded channels (MBConv) or the output channels (DS). Importance is the
  // L1 norm of the weights that read the channel: of the projection, or of what follows the block in the
  // largest network (Once-for-All, section 3.2). The largest network computes the same function before and
  // after, but for the order of sums.
  void sort_channels();

  // Leaves that training updates, in one fixed order. Decayed: convolution and linear weights; others: batch
  // norm, bias, kernel maps (decay would pull them from the identity to nothing).
  std::vector<at::Tensor> decayed_parameters() const;
  std::vector<at::Tensor> other_parameters() const;
  void to_device(const std::string& device);

  // Tensors named as torchvision's MobileNetV2 names them (docs/decisions/0024-training-methods.md).
  Safetensors to_safetensors() const;
  // Throws Error(kData) naming the file `where` and the tensor or key that is missing or wrong.
  static SupernetImpl from_safetensors(const Safetensors& file, const std::string& where);

 private:
  void sort_expanded_channels();
  void sort_output_channels();
};

}  // namespace tinynas
