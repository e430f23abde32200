#include "cost_models/operator_order.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdio>
#include <numeric>

#include "../support/branching_graph.h"
#include "cost_models/memory_plan.h"

using namespace tinynas;
using namespace tinynas::testing;

namespace {

// The least peak over every topological order, by trying them all.
class BruteForce {
 public:
  BruteForce(const Graph& graph, const InPlaceRules& rules) : graph_(graph), rules_(rules) {
    produced_.assign(graph.tensors.size(), false);
    produced_[static_cast<size_t>(graph.input)] = true;
    extend();
  }
  int64_t best() const { return best_; }

 private:
  void extend() {
    if (order_.size() == graph_.ops.size()) {
      best_ = std::min(best_, peak_of_order(graph_, rules_, order_, {}));
      return;
    }
    for (size_t i = 0; i < graph_.ops.size(); ++i) {
      const Op& op = graph_.ops[i];
      if (produced_[static_cast<size_t>(op.output)]) continue;
      if (!std::all_of(op.inputs.begin(), op.inputs.end(),
                       [&](TensorId id) { return produced_[static_cast<size_t>(id)]; }))
        continue;
      produced_[static_cast<size_t>(op.output)] = true;
      order_.push_back(static_cast<int>(i));
      extend();
      order_.pop_back();
      produced_[static_cast<size_t>(op.output)] = false;
    }
  }

  const Graph& graph_;
  const InPlaceRules& rules_;
  std::vector<bool> produced_;
  std::vector<int> order_;
  int64_t best_ = INT64_MAX;
};

std::vector<int> given_order(const Graph& graph) {
  std::vector<int> order(graph.ops.size());
  std::iota(order.begin(), order.end(), 0);
  return order;
}

std::vector<int> order_of(const MemoryPlan& plan) {
  std::vector<int> order;
  for (const PlanStep& step : plan.order) order.push_back(step.op);
  return order;
}

}  // namespace

TEST_CASE("the order of up to ten operators is the best of all orders") {
  Rng rng(501);
  int bettered = 0;
  for (int round = 0; round < 300; ++round) {
    const Graph graph = BranchingGraph(rng, 3 + static_cast<int>(rng.below(8)), 0.4).graph();
    REQUIRE(graph.ops.size() <= 10);
    const InPlaceRules rules(graph, rng.chance(0.7));
    const std::vector<int> order = best_order(graph, rules, {});
    const int64_t peak = peak_of_order(graph, rules, order, {});
    CHECK(peak == BruteForce(graph, rules).best());
    bettered += peak < peak_of_order(graph, rules, given_order(graph), {}) ? 1 : 0;
  }
  CHECK(bettered > 30);  // else the search had nothing to do
}

TEST_CASE("the beam is never worse than the graph's own order, and its orders are orders") {
  Rng rng(502);
  int exact = 0;
  int optimal = 0;
  for (int round = 0; round < 60; ++round) {
    const Graph graph = BranchingGraph(rng, 10 + static_cast<int>(rng.below(20)), 0.3).graph();
    const InPlaceRules rules(graph, true);
    OrderOptions only_beam;
    only_beam.max_states = 1;
    only_beam.beam_width = 8;
    const std::vector<int> order = best_order(graph, rules, only_beam);
    std::vector<int> sorted = order;
    std::sort(sorted.begin(), sorted.end());
    CHECK(sorted == given_order(graph));
    std::vector<bool> produced(graph.tensors.size(), false);
    produced[static_cast<size_t>(graph.input)] = true;
    for (const int i : order) {
      const Op& op = graph.ops[static_cast<size_t>(i)];
      for (const TensorId id : op.inputs) CHECK(produced[static_cast<size_t>(id)]);
      produced[static_cast<size_t>(op.output)] = true;
    }
    const int64_t peak = peak_of_order(graph, rules, order, {});
    CHECK(peak <= peak_of_order(graph, rules, given_order(graph), {}));
    const int64_t best = peak_of_order(graph, rules, best_order(graph, rules, {}), {});
    CHECK(best <= peak);
    ++exact;
    optimal += peak == best ? 1 : 0;
  }
  std::printf("a beam of 8 finds the least peak in %d of %d graphs of 10-30 operators\n", optimal, exact);
}

namespace {

// Of many plans.
struct PlanGaps {
  double mean = 0;  // arena above the liveness bound, relative
  double worst = 0;
  double fan_out = 0;  // part of the tensors that are read twice or more
  double saved = 0;    // by which the order lowers the bound
  int at_bound = 0;
  int shrinking = 0;  // buffers in which a strided depthwise left a smaller tensor
  int scratch = 0;    // steps with scratch

  PlanGaps(Rng& rng, int graphs, Shapes shapes) {
    for (int round = 0; round < graphs; ++round) {
      // A little more is asked for than the third part, because what joins branches is read once.
      const Graph graph = BranchingGraph(rng, 20 + static_cast<int>(rng.below(61)), 0.34, shapes).graph();
      add(graph, plan_memory(graph), graphs);
    }
  }

  void add(const Graph& graph, const MemoryPlan& plan, int graphs) {
    fan_out += BranchingGraph::fan_out_of(graph) / graphs;
    const InPlaceRules rules(graph, true);
    const int64_t peak = peak_of_order(graph, rules, order_of(plan), {});
    // The search for an order and the plan count the same bytes.
    CHECK(plan.lower_bound_bytes == peak);
    const double above =
        static_cast<double>(plan.arena_bytes) / static_cast<double>(plan.lower_bound_bytes) - 1.0;
    mean += above / graphs;
    worst = std::max(worst, above);
    at_bound += above == 0 ? 1 : 0;
    saved += (1.0 - static_cast<double>(peak) /
                        static_cast<double>(peak_of_order(graph, rules, given_order(graph), {}))) /
             graphs;
    for (const PlannedBuffer& buffer : plan.buffers)
      shrinking += buffer.full_until_step < buffer.last_step ? 1 : 0;
    for (const PlanStep& step : plan.order) scratch += step.scratch_bytes > 0 ? 1 : 0;
  }

  void print(const char* what, int graphs) const {
    std::printf(
        "plan: %d random graphs of %s, %.1f %% of the tensors with fan-out >= 2: arena above the liveness "
        "bound "
        "by %.3f %% on average, %.2f %% at worst; %d at the bound; ordering lowers the bound by %.1f %% on "
        "average; %d buffers shrink, %d steps have scratch\n",
        graphs, what, 100 * fan_out, 100 * mean, 100 * worst, at_bound, 100 * saved, shrinking, scratch);
  }
};

}  // namespace

TEST_CASE("plans of a thousand random branching graphs are within 2 % of the liveness bound on average") {
  Rng rng(503);
  constexpr int kGraphs = 1000;
  const PlanGaps gaps(rng, kGraphs, Shapes::kFlat);
  gaps.print("one row", kGraphs);
  CHECK(gaps.fan_out >= 0.3);
  CHECK(gaps.mean <= 0.02);
}

TEST_CASE("so are plans of graphs with maps, strides and scratch") {
  Rng rng(504);
  constexpr int kGraphs = 300;
  const PlanGaps gaps(rng, kGraphs, Shapes::kReal);
  gaps.print("maps", kGraphs);
  CHECK(gaps.fan_out >= 0.3);
  CHECK(gaps.mean <= 0.02);
  CHECK(gaps.shrinking > kGraphs / 2);  // else there was nothing to plan for
  CHECK(gaps.scratch > 2 * kGraphs);
}
