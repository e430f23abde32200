// The schedule that a network is judged by.
#include <catch2/catch.hpp>

#include "../graph/reference_networks.h"
#include "../space/random_space.h"
#include "cost_models/best_schedule.h"
#include "graph/lower.h"

using namespace tinynas;
using namespace tinynas::testing;

namespace {

CostOptions with(Schedule schedule, double max_extra_macs = 0) {
  CostOptions options;
  options.plan.schedule = schedule;
  options.plan.max_extra_macs = max_extra_macs;
  return options;
}

Graph mcunet_graph() {
  const ReferenceNetwork net = mcunet_320k();
  return lower(net.space, net.architecture, 1000);
}

int64_t sram(const ScheduledCosts& scheduled) { return scheduled.costs.sram.total_bytes(); }

}  // namespace

TEST_CASE("auto takes the layer schedule where it fits, and fits wherever one of the two does") {
  Rng rng(3);
  int streamed = 0;
  for (int round = 0; round < 60; ++round) {
    const SearchSpace space = random_space(rng);
    const SubSpace sub_space{rng.pick(space.widths), rng.pick(space.resolutions)};
    const Graph graph = lower(space, sample(space, sub_space, rng), 10);
    const ScheduledCosts layer = under_best_schedule(graph, with(Schedule::kLayer));
    const ScheduledCosts stream = under_best_schedule(graph, with(Schedule::kStream));
    CHECK(sram(layer) == estimate(graph).sram.total_bytes());
    CHECK_FALSE(layer.costs.streams);
    for (const int64_t limit : {sram(layer), sram(layer) - 1, sram(stream), sram(stream) - 1, int64_t{1}}) {
      if (limit < 1) continue;
      CAPTURE(round, limit, sram(layer), sram(stream));
      CostOptions options = with(Schedule::kAuto);
      options.sram_limit_bytes = limit;
      const ScheduledCosts chosen = under_best_schedule(graph, options);
      CHECK((sram(chosen) <= limit) == (std::min(sram(layer), sram(stream)) <= limit));
      if (sram(layer) <= limit) CHECK_FALSE(chosen.costs.streams);
      if (sram(chosen) > limit) CHECK(sram(chosen) == std::min(sram(layer), sram(stream)));
      CHECK(estimate(graph, options).sram.total_bytes() == sram(chosen));
      streamed += chosen.costs.streams ? 1 : 0;
    }
  }
  CHECK(streamed > 30);
}

TEST_CASE("the options of a decided schedule make the same plan again") {
  const Graph graph = mcunet_graph();
  CostOptions options = with(Schedule::kAuto, 0.5);
  for (const int64_t limit : {400, 200, 120, 60, 20}) {
    CAPTURE(limit);
    options.sram_limit_bytes = limit * 1024;
    const ScheduledCosts chosen = under_best_schedule(graph, options);
    CHECK(chosen.options.schedule != Schedule::kAuto);
    const MemoryPlan again = plan_memory(graph, chosen.options);
    CHECK(again.arena_bytes == chosen.plan.arena_bytes);
    CHECK(again.extra_macs == chosen.plan.extra_macs);
    REQUIRE(again.buffers.size() == chosen.plan.buffers.size());
    for (size_t i = 0; i < again.buffers.size(); ++i)
      CHECK(again.buffers[i].offset_bytes == chosen.plan.buffers[i].offset_bytes);
  }
}

TEST_CASE("MACs are computed again only where the limit asks for it, and latency counts them") {
  Board board;
  board.name = "test";
  board.clock_hz = 1e6;
  LatencyModel model;
  model.groups.resize(1);
  for (FeatureCosts& costs : model.groups[0].ms) costs.nominal_mac = 1e-3;
  board.latency_models.push_back(model);
  const auto ms = [](int64_t macs) { return static_cast<double>(macs) * 1e-3; };
  Rng rng(8);
  int helped = 0;
  for (int round = 0; round < 100; ++round) {
    const SearchSpace space = random_space(rng);
    const SubSpace sub_space{rng.pick(space.widths), rng.pick(space.resolutions)};
    const Graph graph = lower(space, sample(space, sub_space, rng), 10);
    const ScheduledCosts once = under_best_schedule(graph, with(Schedule::kStream));
    if (!once.costs.streams) continue;
    CostOptions options = with(Schedule::kAuto, 0.5);
    options.board = &board;
    options.sram_limit_bytes = sram(once);
    CHECK(under_best_schedule(graph, options).costs.extra_macs == 0);
    options.sram_limit_bytes = sram(once) - 1;
    const ScheduledCosts again = under_best_schedule(graph, options);
    CHECK(again.costs.macs == once.costs.macs);
    CHECK(*again.costs.latency_ms == Approx(ms(again.costs.macs + again.costs.extra_macs)));
    if (again.costs.extra_macs == 0) continue;
    CHECK(sram(again) < sram(once));
    ++helped;
  }
  CHECK(helped > 5);
}

TEST_CASE("without a limit, auto is the layer schedule; another runtime knows nothing else") {
  const Graph graph = mcunet_graph();
  CHECK_FALSE(estimate(graph, with(Schedule::kAuto)).streams);
  CostOptions tflm = with(Schedule::kAuto);
  tflm.plan = PlanOptions::of(Runtime::kTflm);
  tflm.plan.schedule = Schedule::kAuto;
  tflm.sram_limit_bytes = 1024;
  CHECK_FALSE(estimate(graph, tflm).streams);
}
