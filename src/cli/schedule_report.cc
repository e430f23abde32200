#include "cli/schedule_report.h"

#include <algorithm>

#include "cost_models/best_schedule.h"
#include "cost_models/patches.h"

namespace tinynas {
namespace {

ScheduledCosts costs_of(const Graph& graph, CostOptions options, Schedule schedule) {
  options.plan.schedule = schedule;
  if (schedule == Schedule::kLayer) options.plan.input = InputKind::kResident;  // it knows no other
  return under_best_schedule(graph, options);
}

nlohmann::json summary(const ScheduledCosts& scheduled, const CostOptions& options) {
  const int64_t sram_bytes = scheduled.costs.sram.total_bytes();
  return {{"sram_bytes", sram_bytes},
          {"arena_bytes", scheduled.costs.sram.arena_bytes},
          {"extra_macs", scheduled.costs.extra_macs},
          {"fits", !options.sram_limit_bytes || sram_bytes <= *options.sram_limit_bytes}};
}

// MCUNetV2's patches, to compare with: the smallest that 50 % more MACs buy. Bytes alive, unpacked.
nlohmann::json patches_json(const Graph& graph, const CostOptions& options) {
  const PatchPlan best = best_patch_plan(patch_plans(graph, options.plan), macs(graph) / 2);
  if (best.patches == 0) return nullptr;
  return {{"bytes", best.bytes},
          {"extra_macs", best.extra_macs},
          {"patches", best.patches},
          {"operators", best.split}};
}

std::string block_of(const Op& op) {
  const size_t dot = op.name.rfind('.');
  return dot == std::string::npos ? op.name : op.name.substr(0, dot);
}

// Rows of the input that one value depends on, and rows of the input between neighbouring values.
struct Reach {
  int64_t rows = 1;
  int64_t jump = 1;
};

// By tensor.
std::vector<Reach> receptive_fields(const Graph& graph) {
  std::vector<Reach> reach(graph.tensors.size());
  for (const Op& op : graph.ops) {
    Reach& out = reach[static_cast<size_t>(op.output)];
    out.rows = 0;
    for (const TensorId id : op.inputs) {
      const Reach& in = reach[static_cast<size_t>(id)];
      const bool whole = op.kind == OpKind::kGlobalAvgPool || op.kind == OpKind::kFullyConnected;
      const int64_t window = whole ? graph.tensor(id).shape.h : op.kernel_h;
      out.rows = std::max(out.rows, in.rows + (window - 1) * in.jump);
      out.jump = in.jump * op.stride_h;
    }
  }
  return reach;
}

// By operator: bytes alive while it runs.
std::vector<int64_t> live_bytes(const Graph& graph, const MemoryPlan& plan) {
  std::vector<int64_t> bytes(graph.ops.size());
  for (const PlanStep& step : plan.order) bytes[static_cast<size_t>(step.op)] = step.live_bytes;
  return bytes;
}

}  // namespace

nlohmann::json schedule_report(const Graph& graph, const CostOptions& options) {
  const ScheduledCosts layer = costs_of(graph, options, Schedule::kLayer);
  const ScheduledCosts stream = costs_of(graph, options, Schedule::kStream);
  const ScheduledCosts chosen = under_best_schedule(graph, options);
  const std::vector<int64_t> layer_bytes = live_bytes(graph, layer.plan);
  const std::vector<int64_t> stream_bytes = live_bytes(graph, stream.plan);
  const std::vector<Reach> reach = receptive_fields(graph);
  std::vector<int64_t> extra_macs(graph.ops.size());
  for (const PlanStep& step : stream.plan.order) extra_macs[static_cast<size_t>(step.op)] = step.extra_macs;
  const auto raise = [](nlohmann::json& value, int64_t to) { value = std::max(value.get<int64_t>(), to); };
  nlohmann::json blocks = nlohmann::json::array();
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    const std::string name = block_of(graph.ops[i]);
    if (blocks.empty() || blocks.back()["name"] != name) {
      blocks.push_back({{"name", name},
                        {"operators", 0},
                        {"macs", 0},
                        {"kernel", 0},
                        {"receptive_field", 0},
                        {"extra_macs", 0},
                        {"layer_bytes", 0},
                        {"stream_bytes", 0}});
    }
    nlohmann::json& block = blocks.back();
    block["operators"] = block["operators"].get<int>() + 1;
    block["macs"] = block["macs"].get<int64_t>() + macs(graph, graph.ops[i]);
    block["extra_macs"] = block["extra_macs"].get<int64_t>() + extra_macs[i];
    raise(block["kernel"], graph.ops[i].kernel_h);
    raise(block["receptive_field"], reach[static_cast<size_t>(graph.ops[i].output)].rows);
    raise(block["layer_bytes"], layer_bytes[i]);
    raise(block["stream_bytes"], stream_bytes[i]);
  }
  return {{"asked", name_of(options.plan.schedule)}, {"chosen", chosen.costs.streams ? "stream" : "layer"},
          {"layer", summary(layer, options)},        {"stream", summary(stream, options)},
          {"patches", patches_json(graph, options)}, {"blocks", std::move(blocks)}};
}

}  // namespace tinynas
