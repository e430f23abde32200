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

// Tensors of {1, 1, c}; a 1x1 convolution makes any c from any other, a 1x1 depthwise convolution and an
// addition can work in place.
class BranchingGraph {
 public:
  // Exactly `ops` operators. `fan_out`: the part of the tensors that is to be read twice or more.
  BranchingGraph(Rng& rng, int ops, double fan_out) : rng_(rng), fan_out_(fan_out) {
    graph_.name = "branching";
    graph_.input = add_tensor(size());
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
  int size() { return static_cast<int>(std::lround(std::exp(rng_.uniform() * std::log(4095.0)) * 16)); }
  int channels(TensorId id) const { return graph_.tensor(id).shape.c; }
  // Merging two open tensors of different sizes takes a convolution and an addition.
  int closing_ops() const { return 2 * (static_cast<int>(open_.size()) - 1); }

  TensorId add_tensor(int c) {
    graph_.tensors.push_back({"t" + std::to_string(graph_.tensors.size()), {1, 1, c}});
    const auto id = static_cast<TensorId>(graph_.tensors.size()) - 1;
    open_.push_back(id);
    return id;
  }

  TensorId append(OpKind kind, TensorIds inputs, int c) {
    for (const TensorId id : inputs) {
      std::erase(open_, id);
      read_.push_back(id);
    }
    Op op;
    op.kind = kind;
    op.name = "op" + std::to_string(graph_.ops.size());
    op.inputs = inputs;
    op.output = add_tensor(c);
    graph_.ops.push_back(op);
    return op.output;
  }

  void extend(TensorId from) {
    if (rng_.chance(0.2)) {
      append(OpKind::kDepthwiseConv2d, {from}, channels(from));
    } else {
      // Half of the sizes stand there already, so that an addition can join two tensors.
      append(OpKind::kConv2d, {from}, rng_.chance(0.5) ? channels(rng_.pick(open_)) : size());
    }
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
    // Two of one size where there are.
    std::stable_sort(open_.begin() + 1, open_.end(), [&](TensorId x, TensorId y) {
      return (channels(x) == channels(open_[0])) > (channels(y) == channels(open_[0]));
    });
    const TensorId a = open_[0];
    TensorId b = open_[1];
    if (channels(a) != channels(b)) b = append(OpKind::kConv2d, {b}, channels(a));
    append(OpKind::kAdd, {a, b}, channels(a));
  }

  Rng& rng_;
  double fan_out_;
  Graph graph_;
  std::vector<TensorId> open_;  // nobody reads them yet
  std::vector<TensorId> read_;
};

}  // namespace tinynas::testing
