// Random valid graphs with branches, residuals and tensors read several times, for property tests.
#pragma once

#include <algorithm>
#include <string>

#include "base/rng.h"
#include "graph/graph.h"

namespace tinynas::testing {

class RandomGraphBuilder {
 public:
  explicit RandomGraphBuilder(Rng& rng) : rng_(rng) {}

  Graph build(int64_t steps) {
    graph_ = Graph{};
    graph_.name = "random";
    graph_.input = tensor("input", {size(12), size(12), size(8)});
    for (int64_t i = 0; i < steps; ++i) grow();
    join();
    graph_.check();
    return graph_;
  }

 private:
  int size(int64_t max) { return static_cast<int>(1 + rng_.below(max)); }

  TensorId tensor(const std::string& name, const Shape& shape) {
    graph_.tensors.push_back({name, shape});
    readers_.push_back(0);
    return static_cast<TensorId>(graph_.tensors.size()) - 1;
  }

  TensorId append(OpKind kind, const std::vector<TensorId>& inputs, int channels, int kernel = 1,
                  int stride = 1, int depth_multiplier = 1) {
    Op op;
    op.kind = kind;
    op.name = "op" + std::to_string(graph_.ops.size());
    op.inputs = inputs;
    op.kernel_h = op.kernel_w = kernel;
    op.stride_h = op.stride_w = stride;
    op.depth_multiplier = depth_multiplier;
    const Shape in = graph_.tensor(inputs[0]).shape;
    const auto [top, bottom] = same_padding(in.h, kernel, stride);
    const auto [left, right] = same_padding(in.w, kernel, stride);
    op.padding = {top, left, bottom, right};
    if (kind == OpKind::kPad)
      op.padding = {size(3) - 1, size(3) - 1, 0, size(2) - 1, size(3) - 1, size(2) - 1};
    Shape wanted{1, 1, channels};
    if (kind == OpKind::kReshape)
      wanted = rng_.chance(0.5) ? Shape{in.w, in.h, in.c} : Shape{1, in.h, in.w * in.c};
    std::vector<Shape> shapes;
    for (const TensorId id : inputs) {
      shapes.push_back(graph_.tensor(id).shape);
      ++readers_[static_cast<size_t>(id)];
    }
    op.output = tensor(op.name, infer_shape(op, shapes, wanted));
    graph_.ops.push_back(op);
    return op.output;
  }

  // One more operator, mostly on the newest tensor, sometimes on an old one (a branch).
  void grow() {
    const auto newest = static_cast<TensorId>(graph_.tensors.size()) - 1;
    const TensorId from = rng_.chance(0.7) ? newest : static_cast<TensorId>(rng_.below(newest + 1));
    const int kernel = 2 * size(3) - 1;
    const int stride = rng_.chance(0.25) ? 2 : 1;
    switch (rng_.below(8)) {
      case 0:
        append(OpKind::kConv2d, {from}, size(24), kernel, stride);
        return;
      case 1:
        append(OpKind::kDepthwiseConv2d, {from}, 0, kernel, stride);
        return;
      case 2:
        append(OpKind::kDepthwiseConv2d, {from}, 0, kernel, stride, size(3));
        return;
      case 3:
        append(OpKind::kAvgPool, {from}, 0, kernel, stride);
        return;
      case 4:
        append(OpKind::kPad, {from}, 0);
        return;
      case 5:
        append(OpKind::kReshape, {from}, 0);
        return;
      default: {
        std::vector<TensorId> partners;  // `from` itself is one: x + x
        for (TensorId id = 0; id <= newest; ++id) {
          if (graph_.tensor(id).shape == graph_.tensor(from).shape) partners.push_back(id);
        }
        append(OpKind::kAdd, {from, rng_.pick(partners)}, 0);
      }
    }
  }

  // Every tensor that nothing reads is pooled, classified and summed into the output.
  void join() {
    const size_t grown = graph_.tensors.size();
    TensorId sum = -1;
    for (size_t id = 0; id < grown; ++id) {
      if (readers_[id] > 0) continue;
      const TensorId pooled = append(OpKind::kGlobalAvgPool, {static_cast<TensorId>(id)}, 0);
      const TensorId logits = append(OpKind::kFullyConnected, {pooled}, 5);
      sum = sum < 0 ? logits : append(OpKind::kAdd, {sum, logits}, 0);
    }
    graph_.output = rng_.chance(0.5) ? append(OpKind::kSoftmax, {sum}, 0) : sum;
  }

  Rng& rng_;
  Graph graph_;
  std::vector<int> readers_;
};

inline Graph random_graph(Rng& rng) { return RandomGraphBuilder(rng).build(1 + rng.below(20)); }

}  // namespace tinynas::testing
