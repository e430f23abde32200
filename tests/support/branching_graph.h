// Random branching graphs for the planner: sizes log-uniform over three decades, a good part of the tensors
// read more than once.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "graph/graph.h"

namespace tinynas::testing {

// What the operators are.
enum class Shapes {
  kFlat,  // tensors of {1, 1, c}; a 1x1 convolution makes any c from any other, a 1x1 depthwise works in
          // place
  kReal   // square maps; windows up to 7x7, which need scratch, and strides, with which a depthwise works in
          // place and leaves a smaller tensor
};

// Additions can work in place in both.
class BranchingGraph {
 public:
  // Exactly `ops` operators. `fan_out`: the part of the tensors that is to be read twice or more.
  BranchingGraph(Rng& rng, int ops, double fan_out, Shapes shapes = Shapes::kFlat)
      : rng_(rng), fan_out_(fan_out), shapes_(shapes) {
    graph_.name = "branching";
    graph_.input = add_tensor(new_shape(shapes == Shapes::kReal ? kLargestSide : 1));
    const auto made = [&] { return static_cast<int>(graph_.ops.size()); };
    // Growing makes up to three operators: a branch, and what joins it again.
    while (made() + closing_ops() + 3 <= ops) grow();
    while (open_.size() > 1) merge();
    while (made() < ops) extend(open_.front());
    graph_.output = open_.front();
    graph_.check();
  }

  const Graph& graph() const { return graph_; }

  static double fan_out_of(const Graph& graph) {
    std::vector<int> readers(graph.tensors.size(), 0);
    for (const Op& op : graph.ops) {
      for (const TensorId id : op.inputs) ++readers[static_cast<size_t>(id)];
    }
    int shared = 0;
    for (const int count : readers) shared += count >= 2 ? 1 : 0;
    return static_cast<double>(shared) / static_cast<double>(graph.tensors.size());
  }

 private:
  static constexpr int kLargestSide =
      64;  // sides are powers of two, so that strides lead from one to another

  int size() { return static_cast<int>(std::lround(std::exp(rng_.uniform() * std::log(4095.0)) * 16)); }
  // Of about as many bytes as a flat tensor.
  Shape new_shape(int side) { return {side, side, std::max(1, size() / (side * side))}; }
  const Shape& shape(TensorId id) const { return graph_.tensor(id).shape; }
  // Merging two open tensors of different shapes takes a convolution and an addition.
  int closing_ops() const { return 2 * (static_cast<int>(open_.size()) - 1); }

  TensorId add_tensor(const Shape& shape) {
    graph_.tensors.push_back({"t" + std::to_string(graph_.tensors.size()), shape});
    const auto id = static_cast<TensorId>(graph_.tensors.size()) - 1;
    open_.push_back(id);
    return id;
  }

  TensorId append(OpKind kind, TensorIds inputs, const Shape& output, int kernel = 1, int stride = 1) {
    for (const TensorId id : inputs) {
      std::erase(open_, id);
      read_.push_back(id);
    }
    Op op;
    op.kind = kind;
    op.name = "op" + std::to_string(graph_.ops.size());
    op.inputs = inputs;
    op.kernel_h = op.kernel_w = kernel;
    op.stride_h = op.stride_w = stride;
    const auto [before, after] = same_padding(shape(inputs[0]).h, kernel, stride);
    op.padding = {before, before, after, after};
    op.output = add_tensor(output);
    graph_.ops.push_back(op);
    return op.output;
  }

  void extend(TensorId from) {
    if (shapes_ == Shapes::kReal) return extend_map(from);
    if (rng_.chance(0.2)) {
      append(OpKind::kDepthwiseConv2d, {from}, shape(from));
    } else {
      // Half of the sizes stand there already, so that an addition can join two tensors.
      append(OpKind::kConv2d, {from}, {1, 1, rng_.chance(0.5) ? shape(rng_.pick(open_)).c : size()});
    }
  }

  void extend_map(TensorId from) {
    const Shape in = shape(from);
    const int stride = in.h > 1 && rng_.chance(0.25) ? 2 : 1;
    const int side = in.h / stride;
    if (rng_.chance(0.4)) {
      append(OpKind::kDepthwiseConv2d, {from}, {side, side, in.c}, 3 + 2 * static_cast<int>(rng_.below(3)),
             stride);
      return;
    }
    Shape out = new_shape(side);
    if (rng_.chance(0.5)) {
      for (const TensorId id : open_) {
        if (shape(id).h == side) out = shape(id);
      }
    }
    append(OpKind::kConv2d, {from}, out, rng_.chance(0.5) ? 1 : 3, stride);
  }

  std::vector<TensorId> read_once() const {
    std::vector<int> readers(graph_.tensors.size(), 0);
    for (const TensorId id : read_) ++readers[static_cast<size_t>(id)];
    std::vector<TensorId> once;
    for (size_t id = 0; id < readers.size(); ++id) {
      if (readers[id] == 1) once.push_back(static_cast<TensorId>(id));
    }
    return once;
  }

  void grow() {
    const std::vector<TensorId> once = read_once();
    if (!once.empty() && fan_out_of(graph_) < fan_out_) {
      extend(rng_.pick(once));
    } else if (open_.size() > 1 && rng_.chance(0.7)) {
      merge();
    } else {
      extend(rng_.pick(open_));
    }
  }

  void merge() {
    rng_.shuffle(open_);
    // Two of one shape where there are.
    std::stable_sort(open_.begin() + 1, open_.end(), [&](TensorId x, TensorId y) {
      return (shape(x) == shape(open_[0])) > (shape(y) == shape(open_[0]));
    });
    TensorId a = open_[0];
    TensorId b = open_[1];
    if (shape(b).h < shape(a).h) std::swap(a, b);  // strides make maps smaller, never larger
    if (shape(a) != shape(b)) {
      const int stride = shape(b).h / shape(a).h;
      b = append(OpKind::kConv2d, {b}, shape(a), stride == 1 ? 1 : 3, stride);
    }
    append(OpKind::kAdd, {a, b}, shape(a));
  }

  Rng& rng_;
  double fan_out_;
  Shapes shapes_;
  Graph graph_;
  std::vector<TensorId> open_;  // nobody reads them yet
  std::vector<TensorId> read_;
};

}  // namespace tinynas::testing
