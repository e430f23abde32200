// Builds a graph operator by operator, each reading tensors that are there and making a new one, with SAME
// padding.
#pragma once

#include <string>
#include <string_view>

#include "graph/graph.h"

namespace tinynas {

// Names cost as much as the rest of a lowering together. A search leaves them out; whatever is trained,
// exported or shown to people has them.
enum class Names { kFull, kNone };

// Every function throws Error(kUsage) naming the tensor when it is larger than the kernels can address.
class GraphBuilder {
 public:
  GraphBuilder(Graph& graph, Names names, size_t expected_operators);

  // Names of operators that follow are `prefix` + the name given; a tensor has the name of the operator that
  // makes it.
  void set_prefix(std::string prefix) { prefix_ = std::move(prefix); }
  bool named() const { return named_; }

  TensorId input(const Shape& shape);
  TensorId conv(std::string_view name, TensorId in, int channels, int kernel_h, int kernel_w, int stride_h,
                int stride_w, Activation activation);
  TensorId pointwise(std::string_view name, TensorId in, int channels, Activation activation) {
    return conv(name, in, channels, 1, 1, 1, 1, activation);
  }
  TensorId depthwise(std::string_view name, TensorId in, int kernel, int stride, Activation activation,
                     int depth_multiplier = 1);
  TensorId add(std::string_view name, TensorId a, TensorId b);
  TensorId global_avg_pool(std::string_view name, TensorId in);
  TensorId softmax(std::string_view name, TensorId in);
  TensorId fully_connected(std::string_view name, TensorId in, int outputs);

  const Shape& shape(TensorId id) const { return graph_.tensor(id).shape; }

 private:
  Op& append(OpKind kind, std::string_view name, TensorIds inputs, const Shape& output);
  TensorId add_tensor(std::string_view name, const Shape& shape);
  TensorId windowed(OpKind kind, std::string_view name, TensorId in, int channels, int kernel_h, int kernel_w,
                    int stride_h, int stride_w, Activation activation);
  std::string full_name(std::string_view name) const;

  Graph& graph_;
  bool named_;
  std::string prefix_;
};

}  // namespace tinynas
