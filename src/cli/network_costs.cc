#include "cli/network_costs.h"

#include <algorithm>
#include <array>

namespace tinynas {
namespace {

int64_t largest_tensor_sum(const MemoryPlan& plan) {
  int64_t most = 0;
  for (const PlanStep& step : plan.order) most = std::max(most, step.live_bytes - step.scratch_bytes);
  return most;
}

nlohmann::json shape_json(const Shape& shape) { return {shape.h, shape.w, shape.c}; }

nlohmann::json operators_json(const NetworkCosts& costs) {
  nlohmann::json operators = nlohmann::json::array();
  for (size_t step = 0; step < costs.plan.order.size(); ++step) {
    const PlanStep& planned = costs.plan.order[step];
    const Op& op = costs.network.graph.ops[static_cast<size_t>(planned.op)];
    const OperatorCost& cost = costs.costs.operators[step];
    operators.push_back({{"name", op.name},
                         {"kind", cost.kind},
                         {"input_shape", shape_json(costs.network.graph.tensor(op.inputs[0]).shape)},
                         {"output_shape", shape_json(cost.output)},
                         {"kernel", {op.kernel_h, op.kernel_w}},
                         {"stride", {op.stride_h, op.stride_w}},
                         {"macs", cost.macs},
                         {"live_bytes", cost.live_bytes},
                         {"scratch_bytes", planned.scratch_bytes},
                         {"in_place", planned.in_place},
                         {"weights_bytes", cost.weights_bytes}});
  }
  return operators;
}

double extra_macs_fraction(const NetworkCosts& costs, int64_t extra_macs) {
  return static_cast<double>(extra_macs) / static_cast<double>(std::max<int64_t>(costs.costs.macs, 1));
}

nlohmann::json segments_json(const NetworkCosts& costs) {
  const Graph& graph = costs.network.graph;
  nlohmann::json segments = nlohmann::json::array();
  for (const PlanSegment& segment : costs.plan.segments) {
    const auto op_at = [&](int step) -> const Op& {
      return graph.ops[static_cast<size_t>(costs.plan.order[static_cast<size_t>(step)].op)];
    };
    segments.push_back({{"schedule", segment.streamed ? "stream" : "layer"},
                        {"first", op_at(segment.first_step).name},
                        {"last", op_at(segment.last_step).name},
                        {"operators", segment.last_step - segment.first_step + 1},
                        {"strips", segment.strips},
                        {"extra_macs", extra_macs_fraction(costs, segment.extra_macs)},
                        {"ring_bytes", segment.ring_bytes},
                        {"peak_bytes", segment.peak_bytes},
                        {"output_shape", shape_json(graph.tensor(op_at(segment.last_step).output).shape)}});
  }
  return segments;
}

// Of a board; null where it has no model of them.
constexpr std::array kLatencyKeys = {"latency_ms",         "energy_mj",  "latency_basis",
                                     "latency_error_band", "latency_r2", "latency_extrapolated"};

nlohmann::json board_json(const BoardFit& fit, Runtime runtime) {
  const nlohmann::json costs = to_json(fit.costs);
  nlohmann::json json = {{"name", fit.board->name},
                         {"fits", fit.fits()},
                         {"schedule", fit.costs.streams ? "stream" : "layer"},
                         {"sram_bytes", fit.board->sram_bytes},
                         {"sram_left_bytes", fit.sram_left_bytes()},
                         {"flash_bytes", fit.board->flash_bytes},
                         {"flash_left_bytes", fit.flash_left_bytes()}};
  for (const char* key : {"sram", "flash"}) json[key] = costs[key];
  for (const char* key : kLatencyKeys) json[key] = costs[key];
  const LatencyModel* model = fit.board->latency_model(runtime);
  json["latency_source"] = model != nullptr ? nlohmann::json(model->source) : nlohmann::json();
  return json;
}

}  // namespace

NetworkCosts network_costs(const std::string& file, NetworkFile network, const PlanOptions& plan,
                           const std::vector<Board>& boards) {
  NetworkCosts result;
  result.file = file;
  result.runtime = plan.runtime;
  result.network = std::move(network);
  const Graph& graph = result.network.graph;
  CostOptions options;
  options.plan = plan;
  result.plan = plan_memory(graph, options.plan);
  result.arena_limit_bytes = plan.sram_limit_bytes;
  result.costs = estimate(graph, result.plan, options);
  result.peak_activation_bytes = largest_tensor_sum(result.plan);
  result.simple_peak_bytes =
      largest_tensor_sum(plan_memory(graph, {.in_place = false, .search_order = false}));
  if (result.network.blocks) result.reliefs = relieve(*result.network.blocks, options.plan);
  options.per_operator = false;
  for (const Board& board : boards) {
    options.board = &board;
    options.sram_limit_bytes = board.sram_bytes;
    // Its own kernels want their own scratch.
    options.plan.variant = variant_of_isa(board.isa);
    result.boards.push_back({&board, estimate(graph, options)});
  }
  return result;
}

nlohmann::json to_json(const NetworkCosts& costs, const std::string& accounting) {
  nlohmann::json json = to_json(costs.costs);
  const Graph& graph = costs.network.graph;
  json["file"] = costs.file;
  json["format"] = costs.network.format;
  json["name"] = graph.name;
  json["accounting"] = accounting;
  json["runtime"] = name_of(costs.runtime);
  // Exact but for code and stack, which are bounds; on the interpreter, overheads are fits to measured
  // networks.
  json["overheads_fitted"] = costs.runtime == Runtime::kTflm;
  json["input_shape"] = shape_json(graph.tensor(graph.input).shape);
  json["params"] = published_params(graph);
  json["params_on_device"] = params(graph);
  json["arena_bytes"] = costs.plan.arena_bytes;
  json["arena_excl_input_bytes"] = costs.plan.arena_excl_input_bytes;
  json["arena_limit_bytes"] = costs.arena_limit_bytes ? nlohmann::json(*costs.arena_limit_bytes) : nullptr;
  json["arena_limit_met"] = costs.arena_limit_met();
  json["lower_bound_bytes"] = costs.plan.lower_bound_bytes;
  json["peak_activation_bytes"] =
      accounting == "mcunet" ? costs.simple_peak_bytes : costs.peak_activation_bytes;
  json["simple_peak_bytes"] = costs.simple_peak_bytes;
  // Of the nominal MACs, computed again by strips.
  json["extra_macs"] = extra_macs_fraction(costs, costs.plan.extra_macs);
  json["input"] = name_of(costs.plan.input);
  json["segments"] = segments_json(costs);
  json["operators"] = operators_json(costs);
  json["relief"] = nlohmann::json::array();
  for (const Relief& relief : costs.reliefs) {
    json["relief"].push_back({{"change", relief.change},
                              {"arena_bytes", relief.arena_bytes},
                              {"macs", relief.macs},
                              {"bottleneck", relief.bottleneck}});
  }
  json["boards"] = nlohmann::json::array();
  for (const BoardFit& fit : costs.boards) json["boards"].push_back(board_json(fit, costs.runtime));
  for (const char* key : kLatencyKeys) json.erase(key);
  return json;
}

}  // namespace tinynas
