#include "cost_models/package_bounds.h"

#include <algorithm>
#include <array>

#include "cost_models/kernels.h"

namespace tinynas {
namespace {

struct KernelSize {
  int64_t code_bytes;
  int64_t stack_bytes;
};

// The largest of arm-none-eabi-gcc 12.2 -O2 and -Os for cortex-m4, cortex-m7 and cortex-m33, by
// arm-none-eabi-size and -fstack-usage (helpers of the same file included), by Kernel.
constexpr std::array<KernelSize, kKernels> kMeasured{{
    {520, 120},  // kConv2d
    {268, 56},   // kConv2d1x1
    {500, 120},  // kDepthwiseConv2d
    {620, 132},  // kDepthwiseConv2dInPlace
    {400, 48},   // kAdd
    {216, 48},   // kGlobalAvgPool
    {204, 56},   // kFullyConnected
}};
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

}  // namespace

PackageBounds package_bounds(const Graph& graph, const MemoryPlan& plan) {
  std::array<bool, kKernels> linked{};
  int64_t alignment_bytes = 0;
  for (const PlanStep& step : plan.order) {
    const Op& op = graph.ops[static_cast<size_t>(step.op)];
    linked[static_cast<size_t>(kernel_of(op, step.in_place))] = true;
    if (op.has_weights()) alignment_bytes += kAlignmentBytesPerTable;
  }
  int64_t code_bytes = kPackage.code_bytes + kBytesPerOperator * static_cast<int64_t>(plan.order.size());
  int64_t deepest_kernel = 0;
  for (size_t kernel = 0; kernel < linked.size(); ++kernel) {
    if (!linked[kernel]) continue;
    code_bytes += kMeasured[kernel].code_bytes;
    deepest_kernel = std::max(deepest_kernel, kMeasured[kernel].stack_bytes);
  }
  return {with_margin(code_bytes) + alignment_bytes, with_margin(kPackage.stack_bytes + deepest_kernel)};
}

}  // namespace tinynas
