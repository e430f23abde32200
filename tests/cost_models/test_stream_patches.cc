#include <catch2/catch.hpp>

#include "../graph/reference_networks.h"
#include "base/error.h"
#include "cost_models/patches.h"
#include "graph/graph_builder.h"
#include "graph/lower.h"

using namespace tinynas;
using namespace tinynas::testing;

TEST_CASE("halos of two convolutions in 2 x 2 patches, counted by hand") {
  Graph graph;
  GraphBuilder builder(graph, Names::kFull, 4);
  const TensorId in = builder.input({8, 8, 4});
  const TensorId a = builder.conv("a", in, 4, 3, 3, 1, 1, Activation::kNone);
  const TensorId b = builder.conv("b", a, 4, 3, 3, 1, 1, Activation::kNone);
  const TensorId pooled = builder.global_avg_pool("pool", b);
  graph.output = builder.fully_connected("classifier", pooled, 2);
  PlanOptions options;
  options.variant = KernelVariant::kPortable;
  options.input = InputKind::kReread;
  options.schedule = Schedule::kAuto;
  const std::vector<PatchPlan> plans = patch_plans(graph, options, 2);
  REQUIRE(plans.size() == 4);
  // Behind `a` nothing is computed twice; of the input a patch needs 5 x 5.
  CHECK(plans[1].split == 1);
  CHECK(plans[1].patches == 2);
  CHECK(plans[1].extra_macs == 0);
  CHECK(plans[1].bytes == std::max(8 * 8 * 4 + 5 * 5 * 4, 2 * 8 * 8 * 4));
  // Behind `b`: every patch makes 5 x 5 of `a`, from 6 x 6 of the input; 4 * 25 - 64 positions twice.
  CHECK(plans[3].split == 2);
  CHECK(plans[3].extra_macs == (4 * 25 - 64) * 3 * 3 * 4 * 4);
  CHECK(plans[3].bytes == 8 * 8 * 4 + 6 * 6 * 4 + 5 * 5 * 4);
}

TEST_CASE("one patch is the layer schedule, and streaming does with fewer bytes and MACs than patches") {
  const ReferenceNetwork net = mobilenet_v2(0.35, 144, 0);
  const Graph graph = lower(net.space, net.architecture, 1000);
  PlanOptions options;
  const std::vector<PatchPlan> plans = patch_plans(graph, options);
  const MemoryPlan layer = plan_memory(graph, options);
  for (const PatchPlan& plan : plans) {
    if (plan.patches > 1) continue;
    CHECK(plan.extra_macs == 0);
    // It keeps the input and the split's tensor to the end of the patch.
    CHECK(plan.bytes >= layer.lower_bound_bytes);
  }
  const PatchPlan patched = best_patch_plan(plans, INT64_MAX);
  CHECK(patched.patches > 1);
  CHECK(patched.bytes < layer.arena_bytes);
  options.schedule = Schedule::kStream;
  CHECK(plan_memory(graph, options).arena_bytes <= patched.bytes);
  options.input = InputKind::kRows;
  CHECK_THROWS_AS(patch_plans(graph, options), Error);
}
