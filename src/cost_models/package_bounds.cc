#include "cost_models/package_bounds.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "cost_models/kernels.h"

namespace tinynas {
namespace {

struct KernelSize {
  int64_t code_bytes = 0;
  int64_t stack_bytes = 0;
};
// By Kernel; behind them, of a template, the same row by row.
using KernelSizes = std::array<KernelSize, 2 * kKernels>;

struct MeasuredSize {
  std::string_view core;
  std::string_view kernel;
  int64_t code_bytes;
  int64_t stack_bytes;
};
constexpr MeasuredSize kMeasured[] = {
#include "cost_models/kernel_sizes.inc"
};

// Other compilers and versions; 25 %.
constexpr int64_t kMarginNumerator = 5;
constexpr int64_t kMarginDenominator = 4;

// The package's own functions: input, output, and the frame of run.
constexpr KernelSize kPackage{128, 40};
// Of an input that comes by rows: the loop over them, and the rest of the network behind it. What
// verification measures adds up the functions of model.c, so that the first segment and what follows it both
// count.
constexpr KernelSize kRowInput{480, 80};
// An operator's constant struct is at most 40 bytes and its call (up to four arguments, each a literal and an
// add) at most 40.
constexpr int64_t kBytesPerOperator = 80;
// A streamed operator's function and its part of the state: rows asked for, pointers into rings, a call of
// five arguments; three tables of numbers and one of tn_columns where there are several strips.
constexpr int64_t kBytesPerStreamedOperator = 360;
constexpr int64_t kBytesPerStrip = 18;
constexpr int64_t kStackPerStreamedOperator = 72;
// tn_mean.c, tn_avg_pool_row().
constexpr int64_t kRowPoolBytes = 600;
// Each of the two byte arrays of an operator's tables may be followed by three bytes of alignment.
constexpr int64_t kAlignmentBytesPerTable = 6;

int64_t with_margin(int64_t bytes) {
  return (bytes * kMarginNumerator + kMarginDenominator - 1) / kMarginDenominator;
}

struct CoreSizes {
  std::string_view core;  // "" = the largest of all cores
  KernelSizes kernels;
};

// Sorted out once: estimating a candidate must not compare names of kernels.
std::vector<CoreSizes> sizes_by_core() {
  std::vector<CoreSizes> cores(1);
  const auto enlarge = [](KernelSize& size, const MeasuredSize& row) {
    size.code_bytes = std::max(size.code_bytes, row.code_bytes);
    size.stack_bytes = std::max(size.stack_bytes, row.stack_bytes);
  };
  for (const MeasuredSize& row : kMeasured) {
    auto core = std::find_if(cores.begin(), cores.end(),
                             [&](const CoreSizes& known) { return known.core == row.core; });
    if (core == cores.end()) core = cores.insert(core, CoreSizes{row.core, {}});
    for (int kernel = 0; kernel < kKernels; ++kernel) {
      const std::string name = name_of(static_cast<Kernel>(kernel));
      if (row.kernel != name && row.kernel != name + "_row") continue;
      const auto index = static_cast<size_t>(kernel + (row.kernel == name ? 0 : kKernels));
      enlarge(core->kernels[index], row);
      enlarge(cores.front().kernels[index], row);
    }
  }
  return cores;
}

// Of the core, or of all.
const CoreSizes& sizes_of(std::string_view core) {
  static const std::vector<CoreSizes> cores = sizes_by_core();
  for (const CoreSizes& known : cores) {
    if (known.core == core) return known;
  }
  return cores.front();
}

// Of the operators that wait for rows: how many were made, where the next one goes and where each input's
// window begins; before them the arena, the output, the profile's hook and its context, the input's rows that
// have arrived, and where the next one goes.
int64_t stream_bytes(const Graph& graph, const MemoryPlan& plan) {
  if (plan.input != InputKind::kRows) return 0;
  int64_t words = 6;
  for (int step = plan.segments[0].first_step; step <= plan.segments[0].last_step; ++step) {
    const Op& op = graph.ops[static_cast<size_t>(plan.order[static_cast<size_t>(step)].op)];
    words += 1 + (op.kind == OpKind::kGlobalAvgPool ? 0 : 1) + static_cast<int64_t>(op.inputs.size());
  }
  return 4 * words;
}

}  // namespace

bool has_bounds_of(std::string_view core) { return sizes_of(core).core == core; }

PackageBounds package_bounds(const Graph& graph, const MemoryPlan& plan, std::string_view core,
                             const std::vector<Kernel>& linked_twice) {
  const KernelSizes& sizes = sizes_of(core).kernels;
  std::array<int, 2 * kKernels> linked{};  // how many instances
  int64_t alignment_bytes = 0;
  int64_t code_bytes = kPackage.code_bytes + kBytesPerOperator * static_cast<int64_t>(plan.order.size());
  int64_t stack_bytes = kPackage.stack_bytes;
  if (plan.input != InputKind::kResident) {
    code_bytes += kRowInput.code_bytes;
    stack_bytes += kRowInput.stack_bytes;
  }
  int64_t deepest_segment = 0;
  for (const PlanSegment& segment : plan.segments) {
    const int64_t operators = segment.last_step - segment.first_step + 1;
    const bool by_rows = runs_by_rows(graph, plan, segment);
    if (by_rows) {
      const int64_t strips = segment.strips > 1 ? segment.strips : 0;
      code_bytes += operators * (kBytesPerStreamedOperator + kBytesPerStrip * strips) + kRowPoolBytes;
      const int64_t segment_bytes = operators * kStackPerStreamedOperator;
      if (segment.first_step == 0 && plan.input != InputKind::kResident) {
        stack_bytes += segment_bytes;
      } else {
        deepest_segment = std::max(deepest_segment, segment_bytes);
      }
    }
    for (int at = segment.first_step; at <= segment.last_step; ++at) {
      const PlanStep& step = plan.order[static_cast<size_t>(at)];
      const Op& op = graph.ops[static_cast<size_t>(step.op)];
      const auto kernel = static_cast<size_t>(step.kernel);
      const bool row_instance = by_rows && is_instance(step.kernel);
      // A depthwise convolution may be there in place and not.
      linked[row_instance ? kernel + kKernels : kernel] =
          row_instance && op.kind == OpKind::kDepthwiseConv2d ? 2 : 1;
      if (op.has_weights()) alignment_bytes += kAlignmentBytesPerTable;
    }
  }
  for (const Kernel kernel : linked_twice) {
    linked[static_cast<size_t>(kernel)] *= 2;
    linked[static_cast<size_t>(kernel) + kKernels] *= 2;
  }
  int64_t deepest_kernel = 0;
  for (size_t kernel = 0; kernel < linked.size(); ++kernel) {
    if (linked[kernel] == 0) continue;
    code_bytes += linked[kernel] * sizes[kernel].code_bytes;
    deepest_kernel = std::max(deepest_kernel, sizes[kernel].stack_bytes);
  }
  return {with_margin(code_bytes) + alignment_bytes,
          with_margin(stack_bytes + deepest_segment + deepest_kernel), stream_bytes(graph, plan)};
}

}  // namespace tinynas
