// `tinynas estimate` for people.
#include <fmt/format.h>

#include <algorithm>

#include "base/units.h"
#include "cli/network_costs.h"
#include "cost_models/package_bounds.h"

namespace tinynas {
namespace {

constexpr int kBar = 20;

std::string shape_text(const Shape& shape) { return fmt::format("{}x{}x{}", shape.h, shape.w, shape.c); }

std::string window_text(const Op& op) {
  const bool windowed =
      op.kind == OpKind::kConv2d || op.kind == OpKind::kDepthwiseConv2d || op.kind == OpKind::kAvgPool;
  if (!windowed) return "";
  return fmt::format("{}x{}{}", op.kernel_h, op.kernel_w,
                     op.stride_h == 1 && op.stride_w == 1 ? ""
                     : op.stride_h == op.stride_w         ? fmt::format(" s{}", op.stride_h)
                                                          : fmt::format(" s{}x{}", op.stride_h, op.stride_w));
}

std::string heading(const NetworkCosts& costs) {
  const Graph& graph = costs.network.graph;
  return fmt::format("{} ({}): input {}, {} operators\n\n", costs.file, costs.network.format,
                     shape_text(graph.tensor(graph.input).shape), graph.ops.size());
}

// "arena 241.9 KiB (...) + ...": the items of one total.
std::string totals(const NetworkCosts& costs, const std::string& accounting) {
  const SramCost& sram = costs.costs.sram;
  const FlashCost& flash = costs.costs.flash;
  const Graph& graph = costs.network.graph;
  std::string text;
  text += fmt::format("  {:<18} {} ({} FLOPs)\n", "MACs", format_count(costs.costs.macs),
                      format_count(2 * costs.costs.macs));
  text += fmt::format("  {:<18} {} as papers count them; {} weights and biases on the device\n", "params",
                      format_count(published_params(graph)), format_count(params(graph)));
  if (accounting == "mcunet") {
    text += fmt::format("  {:<18} {} ({} bytes): input + output + residual, nothing in place, no scratch\n",
                        "peak activations", format_bytes(costs.simple_peak_bytes), costs.simple_peak_bytes);
  } else {
    text += fmt::format(
        "  {:<18} {} of tensors alive at once; {} by the simple figure of papers (--accounting mcunet)\n",
        "peak activations", format_bytes(costs.peak_activation_bytes), format_bytes(costs.simple_peak_bytes));
  }
  text += fmt::format("  {:<18} {}\n", "SRAM", format_bytes(sram.total_bytes()));
  text += fmt::format(
      "  {:<18} arena {} (input {}, scratch {}) + persistent {} + .data/.bss {} + stack {} (bound)\n", "",
      format_bytes(sram.arena_bytes), format_bytes(sram.input_bytes), format_bytes(sram.scratch_bytes),
      format_bytes(sram.persistent_bytes), format_bytes(sram.data_bss_bytes), format_bytes(sram.stack_bytes));
  if (!costs.arena_limit_met()) {
    text += fmt::format("  {:<18} above --arena {}: the smallest that the other flags allow\n", "",
                        format_bytes(*costs.arena_limit_bytes));
  }
  text += fmt::format("  {:<18} {}\n", "Flash", format_bytes(flash.total_bytes()));
  const bool tflm = costs.runtime == Runtime::kTflm;
  text += fmt::format("  {:<18} weights and biases {} + {} {} + code {} (bound)\n", "",
                      format_bytes(flash.weights_bytes), tflm ? "rest of the file" : "tables",
                      format_bytes(flash.tables_bytes), format_bytes(flash.code_bytes));
  if (tflm) {
    text += fmt::format(
        "  {:<18} on TensorFlow Lite Micro + CMSIS-NN: persistent and the rest of the file are fits to four "
        "measured networks (approximate)\n",
        "");
  }
  return text + "\n";
}

std::string operator_table(const NetworkCosts& costs) {
  const Graph& graph = costs.network.graph;
  const MemoryPlan& plan = costs.plan;
  const int64_t peak = plan.order[static_cast<size_t>(plan.bottleneck_step)].live_bytes;
  size_t names = 8;
  for (const Op& op : graph.ops) names = std::max(names, op.name.size());
  std::string text = fmt::format("  {:>3} {:<{}} {:<9} {:>12} {:>9} {:>10} {:>11}  {}\n", "#", "operator",
                                 names, "window", "output", "MACs", "weights", "live", "of the peak");
  for (size_t step = 0; step < plan.order.size(); ++step) {
    const PlanStep& planned = plan.order[step];
    const Op& op = graph.ops[static_cast<size_t>(planned.op)];
    const auto bar = static_cast<size_t>((planned.live_bytes * kBar + peak - 1) / std::max<int64_t>(peak, 1));
    text +=
        fmt::format("  {:>3} {:<{}} {:<9} {:>12} {:>9} {:>10} {:>11}  {}{}{}\n", step, op.name, names,
                    window_text(op), shape_text(graph.tensor(op.output).shape), format_count(macs(graph, op)),
                    format_bytes(costs.costs.operators[step].weights_bytes), format_bytes(planned.live_bytes),
                    std::string(bar, '#'), planned.in_place ? " in place" : "",
                    static_cast<int>(step) == plan.bottleneck_step ? "  <- peak" : "");
  }
  return text + "\n";
}

// Where the plan streams: its segments, and what the other figures say of them.
std::string segment_table(const NetworkCosts& costs) {
  const MemoryPlan& plan = costs.plan;
  if (!plan.streams()) return "";
  const Graph& graph = costs.network.graph;
  const auto op_at = [&](int step) -> const Op& {
    return graph.ops[static_cast<size_t>(plan.order[static_cast<size_t>(step)].op)];
  };
  size_t names = 8;
  for (const PlanSegment& segment : plan.segments)
    names = std::max(names, op_at(segment.last_step).name.size());
  std::string text = fmt::format("Streaming, input {}: {} segments, {:.1f} % of the MACs computed again.\n",
                                 name_of(plan.input), plan.segments.size(),
                                 100.0 * static_cast<double>(plan.extra_macs) /
                                     static_cast<double>(std::max<int64_t>(costs.costs.macs, 1)));
  text += fmt::format("  {:<7} {:>7}  {:<{}} {:>12} {:>6} {:>11} {:>10} {:>10}\n", "", "steps", "up to",
                      names, "output", "strips", "extra MACs", "rings", "peak");
  for (const PlanSegment& segment : plan.segments) {
    const Op& last = op_at(segment.last_step);
    text += fmt::format(
        "  {:<7} {:>7}  {:<{}} {:>12} {:>6} {:>11} {:>10} {:>10}\n", segment.streamed ? "stream" : "layer",
        fmt::format("{}-{}", segment.first_step, segment.last_step), last.name, names,
        shape_text(graph.tensor(last.output).shape), segment.strips, format_count(segment.extra_macs),
        format_bytes(segment.ring_bytes), format_bytes(segment.peak_bytes));
  }
  return text +
         "  Code and stack are bounds of the streamed package. Latency and energy count what strips compute "
         "again;\n  that kernels are called row by row, 0 to 30 % more instructions (docs/results.md), they "
         "do "
         "not.\n\n";
}

// What is alive when the peak is reached.
std::string bottleneck(const NetworkCosts& costs) {
  const Graph& graph = costs.network.graph;
  const MemoryPlan& plan = costs.plan;
  std::string parts;
  for (const PlannedBuffer& buffer : plan.buffers) {
    if (buffer.first_step > plan.bottleneck_step || buffer.last_step < plan.bottleneck_step) continue;
    parts += fmt::format("{}{} {}", parts.empty() ? "" : " + ", buffer_name(graph, plan, buffer),
                         format_bytes(buffer.bytes_at(plan.bottleneck_step)));
  }
  std::string text = fmt::format("The SRAM bottleneck is {}: {}.\n", costs.costs.bottleneck, parts);
  if (plan.arena_bytes > plan.lower_bound_bytes) {
    text += fmt::format("The arena is {} above what is alive there: alignment and gaps.\n",
                        format_bytes(plan.arena_bytes - plan.lower_bound_bytes));
  }
  return text;
}

std::string relief(const NetworkCosts& costs) {
  if (!costs.network.blocks)
    return "What would relieve it is not known: a file of operators does not say what could be changed.\n\n";
  if (costs.reliefs.empty()) return "None of the small changes that were tried lowers it.\n\n";
  std::string text = "What would relieve it, each change alone:\n";
  for (const Relief& change : costs.reliefs) {
    text += fmt::format(
        "  {:<52} arena {:>10} ({:+.1f} %), {} MACs, then {}\n", change.change,
        format_bytes(change.arena_bytes),
        100.0 * (static_cast<double>(change.arena_bytes) / static_cast<double>(costs.plan.arena_bytes) - 1),
        format_count(change.macs), change.bottleneck);
  }
  return text + "\n";
}

std::string latency_text(const CostReport& costs) {
  if (!costs.latency_ms) return "-";
  std::string text = fmt::format("{:.1f} ms", *costs.latency_ms);
  return text + (costs.latency_error_band ? fmt::format(" +-{:.0f} %", 100 * *costs.latency_error_band)
                                          : ", band not known");
}

// What the latency rests on; far outside of the measured networks it rests on little.
std::string basis_text(const CostReport& costs) {
  if (!costs.latency_basis) return "no model";
  return std::string(name_of(*costs.latency_basis)) + (costs.latency_extrapolated ? ", extrapolated" : "");
}

std::string energy_text(const CostReport& costs) {
  return costs.energy_mj ? fmt::format("{:.2f} mJ", *costs.energy_mj) : "-";
}

std::string left_text(int64_t left) {
  return left >= 0 ? format_bytes(left) + " left" : format_bytes(-left) + " too much";
}

std::string board_table(const NetworkCosts& costs) {
  if (costs.boards.empty()) return "";
  bool extrapolated = false;
  bool streams = false;
  std::string text = fmt::format("  {:<14} {:<8} {:<20} {:<20} {:>25} {:>10}  {}\n", "board", "", "SRAM",
                                 "Flash", "latency", "energy", "latency rests on");
  for (const BoardFit& fit : costs.boards) {
    text += fmt::format("  {:<14} {:<8} {:<20} {:<20} {:>25} {:>10}  {}\n", fit.board->name,
                        !fit.fits()                                  ? "no"
                        : fit.costs.streams && !costs.plan.streams() ? "streams"
                                                                     : "fits",
                        left_text(fit.sram_left_bytes()), left_text(fit.flash_left_bytes()),
                        latency_text(fit.costs), energy_text(fit.costs), basis_text(fit.costs));
    streams = streams || (fit.fits() && fit.costs.streams && !costs.plan.streams());
    extrapolated = extrapolated || fit.costs.latency_extrapolated;
  }
  if (streams) text += "  streams: fits row by row (--schedule stream), and not layer by layer\n";
  if (extrapolated) {
    text +=
        "  extrapolated: less than half or more than twice the MACs of the networks behind the fit; its "
        "error "
        "band\n  does not hold there (`tinynas boards NAME` has their range)\n";
  }
  return text;
}

// "reserve 4.0 KiB (DTCM)": the regions of the arena's span that keep something back.
std::string sram_reserve_text(const Board& board) {
  const std::vector<MemorySpan> spans = arena_spans(board.memory);
  std::string regions;
  for (const MemoryRegion& region : board.memory) {
    const bool in_span = !spans.empty() && region.holds_arena() && region.base >= spans.front().base &&
                         region.base < spans.front().base + spans.front().size_bytes;
    if (!in_span || region.reserve_bytes == 0) continue;
    regions += fmt::format("{}{} in {}", regions.empty() ? "" : ", ", format_bytes(region.reserve_bytes),
                           region.name);
  }
  return regions.empty() ? "no reserve" : "reserve " + regions;
}

std::string sram_name(const Board& board) {
  const std::vector<MemorySpan> spans = arena_spans(board.memory);
  return spans.empty() ? "SRAM" : fmt::format("SRAM ({})", spans.front().name);
}

// The latency's fit and source.
std::string latency_verdict(const BoardFit& fit, Runtime runtime) {
  const LatencyModel* model = fit.board->latency_model(runtime);
  if (model == nullptr || !fit.costs.latency_ms) return "";
  const std::string quality =
      fit.costs.latency_r2 ? fmt::format("r2 {:.3f}", *fit.costs.latency_r2) : "r2 not known";
  return fmt::format("  Latency: {}; {}, {}; {}\n", latency_text(fit.costs), basis_text(fit.costs), quality,
                     model->source);
}

std::string verdict(const BoardFit& fit, const NetworkCosts& costs) {
  const SramCost& sram = fit.costs.sram;
  const FlashCost& flash = fit.costs.flash;
  std::string text =
      fmt::format("\n{} {} {}:\n", costs.file, fit.fits() ? "fits" : "does not fit", fit.board->name);
  text += fmt::format("  {}: {} + {}, of {}: {}\n", sram_name(*fit.board),
                      format_bytes(sram.total_bytes() - sram.reserve_bytes), sram_reserve_text(*fit.board),
                      format_bytes(fit.board->sram_bytes), left_text(fit.sram_left_bytes()));
  text +=
      fmt::format("  Flash: {} + reserve {}, of {}: {}\n",
                  format_bytes(flash.total_bytes() - flash.reserve_bytes), format_bytes(flash.reserve_bytes),
                  format_bytes(fit.board->flash_bytes), left_text(fit.flash_left_bytes()));
  const CostReport& any = costs.costs;
  if (any.flash.code_bytes != flash.code_bytes || any.sram.stack_bytes != sram.stack_bytes) {
    text += fmt::format("  (code {} and stack {} here: the bounds for {}; above, of any core, {} and {})\n",
                        format_bytes(flash.code_bytes), format_bytes(sram.stack_bytes), fit.board->core,
                        format_bytes(any.flash.code_bytes), format_bytes(any.sram.stack_bytes));
  }
  if (costs.runtime == Runtime::kTinynas && !has_bounds_of(fit.board->core)) {
    text +=
        fmt::format("  (code and stack: no kernel was measured on {}; the largest of all cores stand in)\n",
                    fit.board->core);
  }
  text += latency_verdict(fit, costs.runtime);
  if (fit.sram_left_bytes() < 0 && costs.network.blocks) {
    const int64_t allowed = costs.plan.arena_bytes + fit.sram_left_bytes();
    const int rows =
        allowed > 0 ? largest_resolution(*costs.network.blocks, allowed, PlanOptions::of(costs.runtime)) : 0;
    if (rows > 0)
      text += fmt::format("  At resolution {} its SRAM would fit (--resolution {}).\n", rows, rows);
  }
  return text;
}

}  // namespace

std::string render(const NetworkCosts& costs, const std::string& accounting, bool named_board) {
  std::string text = heading(costs) + totals(costs, accounting) + operator_table(costs) +
                     segment_table(costs) + bottleneck(costs) + relief(costs) + board_table(costs);
  if (named_board) {
    for (const BoardFit& fit : costs.boards) text += verdict(fit, costs);
  }
  return text;
}

}  // namespace tinynas
