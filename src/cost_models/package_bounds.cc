#include "cost_models/package_bounds.h"

#include <algorithm>
#include <array>
#include <vector>

#include "cost_models/kernels.h"

namespace tinynas {
namespace {

struct KernelSize {
  int64_t code_bytes = 0;
  int64_t stack_bytes = 0;
};
using KernelSizes = std::array<KernelSize, kKernels>;  // by Kernel

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
// An operator's constant struct is at most 40 bytes and its call (up to four arguments, each a literal and an
// add) at most 40.
constexpr int64_t kBytesPerOperator = 80;
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
      if (row.kernel != name_of(static_cast<Kernel>(kernel))) continue;
      enlarge(core->kernels[static_cast<size_t>(kernel)], row);
      enlarge(cores.front().kernels[static_cast<size_t>(kernel)], row);
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

}  // namespace

bool has_bounds_of(std::string_view core) { return sizes_of(core).core == core; }

PackageBounds package_bounds(const Graph& graph, const MemoryPlan& plan, std::string_view core) {
  const KernelSizes& sizes = sizes_of(core).kernels;
  std::array<bool, kKernels> linked{};
  int64_t alignment_bytes = 0;
  for (const PlanStep& step : plan.order) {
    const Op& op = graph.ops[static_cast<size_t>(step.op)];
    linked[static_cast<size_t>(step.kernel)] = true;
    if (op.has_weights()) alignment_bytes += kAlignmentBytesPerTable;
  }
  int64_t code_bytes = kPackage.code_bytes + kBytesPerOperator * static_cast<int64_t>(plan.order.size());
  int64_t deepest_kernel = 0;
  for (size_t kernel = 0; kernel < linked.size(); ++kernel) {
    if (!linked[kernel]) continue;
    code_bytes += sizes[kernel].code_bytes;
    deepest_kernel = std::max(deepest_kernel, sizes[kernel].stack_bytes);
  }
  return {with_margin(code_bytes) + alignment_bytes, with_margin(kPackage.stack_bytes + deepest_kernel)};
}

}  // namespace tinynas
