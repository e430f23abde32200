#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "../graph/random_graph.h"
#include "../graph/reference_networks.h"
#include "base/error.h"
#include "cost_models/costs.h"
#include "cost_models/kernels.h"
#include "cost_models/package_bounds.h"
#include "graph/lower.h"
#include "runtime/tn_buffer_sizes.h"

using namespace tinynas;
using namespace tinynas::testing;
using Catch::Matchers::Contains;

namespace {

Board unit_board() {
  Board board;
  board.name = "unit";
  board.core = "cortex-m4";
  board.sram_bytes = 1 << 20;
  board.flash_bytes = 1 << 22;
  board.sram_reserve_bytes = 4096;
  board.flash_reserve_bytes = 16384;
  board.clock_hz = 1e6;
  board.active_power_mw = 50;
  LatencyModel model;
  model.basis = LatencyBasis::kMeasured;
  model.groups.resize(1);
  for (FeatureCosts& costs : model.groups[0].ms) costs.nominal_mac = 1e-3;  // one cycle
  board.latency_models = {model};
  return board;
}

CostOptions on(const Board& board) {
  CostOptions options;
  options.board = &board;
  return options;
}

// Limits with one field set.
template <typename Field, typename Value>
Limits only(Field field, Value value) {
  Limits limits;
  limits.*field = value;
  return limits;
}

}  // namespace

TEST_CASE("flash is recounted weight by weight") {
  Rng rng(91);
  for (int round = 0; round < 100; ++round) {
    const Graph graph = random_graph(rng);
    const CostReport costs = estimate(graph);
    int64_t weights = 0;
    int64_t tables = 0;
    for (const Op& op : graph.ops) {
      if (!op.has_weights()) continue;
      const Shape in = graph.tensor(op.inputs[0]).shape;
      const Shape out = graph.tensor(op.output).shape;
      for (int channel = 0; channel < out.c; ++channel) {
        weights += 4;  // bias
        if (op.kind == OpKind::kFullyConnected) weights += in.elements();
        if (op.kind == OpKind::kConv2d) weights += (op.kernel_h * op.kernel_w * in.c + 3) & ~3;
        // One channel into several is laid out as a convolution.
        const bool one_into_several = in.c == 1 && out.c > 1;
        if (op.kind == OpKind::kDepthwiseConv2d)
          weights += (op.kernel_h * op.kernel_w + (one_into_several ? 3 : 0)) & (one_into_several ? ~3 : ~0);
        if (op.kind != OpKind::kFullyConnected || channel == 0) tables += TN_REQUANT_ENTRY_BYTES;
      }
    }
    CHECK(costs.flash.weights_bytes == weights);
    CHECK(costs.flash.tables_bytes == tables);
    CHECK(costs.flash.code_bytes > 0);
    CHECK_FALSE(costs.flash.code_is_linked);
    CHECK(costs.flash.total_bytes() == weights + tables + costs.flash.code_bytes);
    CHECK(costs.macs == macs(graph));
    CHECK(costs.params == params(graph));
  }
}

TEST_CASE("operators add up to the whole, and are left out on request") {
  Rng rng(92);
  const Board board = unit_board();
  for (int round = 0; round < 50; ++round) {
    const Graph graph = random_graph(rng);
    const CostReport costs = estimate(graph, on(board));
    const MemoryPlan plan = plan_memory(graph);
    int64_t op_macs = 0;
    int64_t weights = 0;
    double ms = 0;
    REQUIRE(costs.operators.size() == graph.ops.size());
    for (const OperatorCost& op : costs.operators) {
      op_macs += op.macs;
      weights += op.weights_bytes;
      ms += op.latency_ms;
      CHECK(op.live_bytes <= costs.operators[static_cast<size_t>(plan.bottleneck_step)].live_bytes);
    }
    CHECK(op_macs == costs.macs);
    CHECK(weights == costs.flash.weights_bytes);
    CHECK(ms == Approx(*costs.latency_ms));
    CHECK(costs.bottleneck ==
          graph.ops[static_cast<size_t>(plan.order[static_cast<size_t>(plan.bottleneck_step)].op)].name);
    CHECK(costs.sram.arena_bytes == plan.arena_bytes);
    CHECK(costs.sram.total_bytes() == plan.arena_bytes + costs.sram.stack_bytes + board.sram_reserve_bytes);
    CostOptions brief = on(board);
    brief.per_operator = false;
    CHECK(estimate(graph, brief).operators.empty());
    CHECK(to_json(estimate(graph, plan, on(board))) == to_json(costs));
  }
}

TEST_CASE("the latency model is cycles over the clock, the energy model power times latency") {
  const ReferenceNetwork net = mcunet_320k();
  const Graph graph = lower(net.space, net.architecture, 1000);
  Board board = unit_board();
  // One cycle a MAC at 1 MHz.
  CostReport costs = estimate(graph, on(board));
  CHECK(*costs.latency_ms == Approx(static_cast<double>(macs(graph)) / 1e3));
  CHECK(*costs.energy_mj == Approx(50e-3 * *costs.latency_ms));
  CHECK_FALSE(estimate(graph).latency_ms.has_value());
  CHECK(*costs.latency_basis == LatencyBasis::kMeasured);
  CHECK_FALSE(costs.latency_error_band.has_value());
  // A fixed cost of 7 ms, a cycle for each value that an add writes, and for each that a pool reads.
  LatencyGroup& group = board.latency_models[0].groups[0];
  group.fixed_ms = 7;
  group.quality.error_band = 0.25;
  for (FeatureCosts& kernel : group.ms) kernel = {};
  group.ms[static_cast<size_t>(Kernel::kAdd)].counts[0] = 1e-3;
  group.ms[static_cast<size_t>(Kernel::kGlobalAvgPool)].counts[0] = 1e-3;
  int64_t values = 0;
  for (const Op& op : graph.ops) {
    if (op.kind == OpKind::kAdd) values += graph.tensor(op.output).shape.elements();
    if (op.kind == OpKind::kGlobalAvgPool) values += graph.tensor(op.inputs[0]).shape.elements();
  }
  CHECK(*estimate(graph, on(board)).latency_ms == Approx(7 + static_cast<double>(values) / 1e3));
  CHECK(*estimate(graph, on(board)).latency_error_band == 0.25);
  CHECK(to_json(estimate(graph, on(board)))["latency_basis"] == "measured");

  board.active_power_mw = 0;
  CHECK_FALSE(estimate(graph, on(board)).energy_mj.has_value());
  board.latency_models.clear();
  CHECK_FALSE(estimate(graph, on(board)).latency_ms.has_value());
}

TEST_CASE("bounds of code and stack are those of the core, and of the largest core where it is not known") {
  const ReferenceNetwork net = mobilenet_v2(0.5, 96, 1280);
  const Graph graph = lower(net.space, net.architecture, 10);
  const MemoryPlan plan = plan_memory(graph);
  const PackageBounds unknown = package_bounds(graph, plan);
  for (const char* core : {"cortex-m0plus", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55"}) {
    CAPTURE(core);
    const PackageBounds bounds = package_bounds(graph, plan, core);
    CHECK(bounds.code_bytes > 0);
    CHECK(bounds.code_bytes <= unknown.code_bytes);
    CHECK(bounds.stack_bytes <= unknown.stack_bytes);
  }
  // Thumb-1 code is larger than Thumb-2 code.
  CHECK(package_bounds(graph, plan, "cortex-m0plus").code_bytes >
        package_bounds(graph, plan, "cortex-m4").code_bytes);
  CHECK(package_bounds(graph, plan, "xtensa-lx7").code_bytes == unknown.code_bytes);
}

TEST_CASE("the code bound grows with the kernels that are linked and with every operator") {
  const ReferenceNetwork net = mobilenet_v2(1.0, 224, 1280);
  Graph graph = lower(net.space, net.architecture, 1000);
  const int64_t with_all = estimate(graph).flash.code_bytes;
  // A stage of kernel 5 links another instance of the template.
  ReferenceNetwork mixed = net;
  mixed.space.stages[3].kernels = {5};
  mixed.architecture = largest(mixed.space, mixed.architecture.sub_space);
  CHECK(estimate(lower(mixed.space, mixed.architecture, 1000)).flash.code_bytes > with_all);
  ReferenceNetwork deeper = net;
  deeper.space.stages[3].depths = {5};
  deeper.architecture = largest(deeper.space, deeper.architecture.sub_space);
  CHECK(estimate(lower(deeper.space, deeper.architecture, 1000)).flash.code_bytes > with_all);
}

TEST_CASE("violations are those that a comparison finds, in order") {
  CostReport costs;
  costs.sram.arena_bytes = 18 * 1024;
  costs.sram.stack_bytes = 256;
  costs.flash.weights_bytes = 500000;
  costs.macs = 60000000;
  costs.latency_ms = 100.0;
  costs.energy_mj = 30.0;
  CHECK(violations(costs, {}).empty());
  // Exactly at the limit fits.
  const Limits exact{18 * 1024 + 256, 500000, 60000000, 100.0, 30.0};
  CHECK(violations(costs, exact).empty());
  const Limits below{4096, 499999, 59999999, 99.9, 29.9};
  const auto found = violations(costs, below);
  REQUIRE(found.size() == 5);
  const std::vector<std::string> names{"sram", "flash", "macs", "latency", "energy"};
  for (size_t i = 0; i < names.size(); ++i) CHECK(found[i].limit == names[i]);
  CHECK(found[0].excess_ratio() == Approx(18688.0 / 4096 - 1));
  CHECK(describe(found[0]) == "sram: needs 18.2 KiB, limit 4.0 KiB, 14.2 KiB too much");
  CHECK(describe(found[3]) == "latency: needs 100 ms, limit 99.9 ms, 0.1 ms too much");

  costs.energy_mj.reset();
  CHECK_THROWS_WITH(violations(costs, below), Contains("energy"));
}

TEST_CASE("limits that cannot be meant are refused") {
  CHECK_NOTHROW(Limits{}.check(false));
  CHECK_NOTHROW(only(&Limits::latency_ms, 5.0).check(true));
  CHECK_THROWS_WITH(only(&Limits::latency_ms, 5.0).check(false), Contains("latency") && Contains("--board"));
  CHECK_THROWS_WITH(only(&Limits::energy_mj, 5.0).check(false), Contains("energy"));
  CHECK_THROWS_WITH(only(&Limits::sram_bytes, 0).check(false), Contains("sram") && Contains("got 0"));
  CHECK_THROWS_AS(only(&Limits::macs, -1).check(false), Error);
}

TEST_CASE("costs and limits are written with units in their keys") {
  const ReferenceNetwork net = mcunet_320k();
  const nlohmann::json json = to_json(estimate(lower(net.space, net.architecture, 1000)));
  CHECK(json["sram"]["total_bytes"].get<int64_t>() > json["sram"]["arena_bytes"].get<int64_t>());
  CHECK(json["latency_ms"].is_null());
  CHECK(json["operators"].size() > 50);
  CHECK(to_json(only(&Limits::sram_bytes, 5))["sram_bytes"] == 5);
  CHECK(to_json(Limits{})["flash_bytes"].is_null());
}
