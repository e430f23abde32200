// What an operator's kernel needs and allows at its step: scratch, and whether it may write over an input.
#pragma once

#include <cstdint>
#include <vector>

#include "cost_models/runtime.h"
#include "cost_models/variant.h"
#include "graph/graph.h"

namespace tinynas {

inline int64_t align_up(int64_t bytes, int alignment) {
  return (bytes + alignment - 1) & ~int64_t{alignment - 1};
}

// Bytes of scratch beside the tensors, from the kernel's own *_get_buffer_size.
int64_t scratch_bytes(const Graph& graph, const Op& op, bool in_place, Runtime runtime,
                      KernelVariant variant);

// The same of our row kernel, which makes one row of a strip of the output from `input_columns` columns of
// its input's rows.
int64_t row_scratch_bytes(const Graph& graph, const Op& op, bool in_place, int input_columns,
                          KernelVariant variant);

// Whether (out - 1) * stride < in on both axes: what a kernel in place, and the templates, ask for.
bool every_window_begins_inside(const Op& op, const Shape& in, const Shape& out);

// Whether the kernel of `op` can put its output where input `i` lies, when nothing else needs that input any
// more. Our kernels: a reshape, which then has none; add; and a depthwise convolution of depth multiplier 1
// whose every window begins inside the input (runtime/tn_kernels.h); where that one makes the tensor smaller,
// its input must not itself be the smaller rest of such a buffer (a buffer shrinks once).
class InPlaceRules {
 public:
  InPlaceRules(const Graph& graph, bool allowed);
  bool can(const Op& op, size_t i) const;

 private:
  const Graph& graph_;
  bool allowed_;
  std::vector<bool> made_smaller_;  // by tensor: it may lie in a buffer that a depthwise convolution shrank,
                                    // whose output it is or over which it was written in place
};

}  // namespace tinynas
