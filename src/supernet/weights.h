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

// float32, torch's layouts. Convolutions carry batch norm (gamma, beta), the classifier a bias.
struct LayerWeights {
  at::Tensor weight;  // conv [c_out, c_in, k, k]; depthwise [c, 1, k, k]; fully connected [out, in]
  at::Tensor gamma;   // [c_out]
  at::Tensor beta;    // [c_out]
  at::Tensor bias;    // [out]
};

struct SupernetImpl {
  SearchSpace space;
  Architecture
      layout;  // the largest network that these weights hold: every block's largest kernel and expansion
  int num_classes = 0;
  std::map<std::string, LayerWeights> layers;  // by operator name of lower(layout)

  // Kaiming-normal (fan out) convolutions, batch norm (1, 0), small normal classifier; from `seed` alone.
  SupernetImpl(const SearchSpace& space, const Architecture& layout, int num_classes, uint64_t seed);

  // What `op` of the sub-network `graph` computes with: the first channels of the input and output, and the
  // centre of the kernel (Once-for-All, section 3.2). Views: gradients flow back to the shared weights.
  LayerWeights slice(const Graph& graph, const Op& op) const;

  // A network of its own with a copy of the slices of `architecture`: its layout is the architecture.
  SupernetImpl extract(const Architecture& architecture) const;

  // Sorts the elastic channels of every block by importance, the most important first, so that narrow
  // sub-networks keep the best: the expanded channels (MBConv) or the output channels (DS). Importance is the
  // L1 norm of the weights that read the channel: of the projection, or of what follows the block in the
  // largest network (Once-for-All, section 3.2). The largest network computes the same function before and
  // after, but for the order of sums.
  void sort_channels();

  // Leaves that training updates, in one fixed order. Decayed: convolution and linear weights; others: batch
  // norm, bias.
  std::vector<at::Tensor> decayed_parameters() const;
  std::vector<at::Tensor> other_parameters() const;
  void to_device(const std::string& device);

  Safetensors to_safetensors() const;
  static SupernetImpl from_safetensors(const Safetensors& file, const std::string& where);

 private:
  void sort_expanded_channels();
  void sort_output_channels();
};

}  // namespace tinynas
