#include "space/redistribution.h"

#include <algorithm>

namespace tinynas {
namespace {

constexpr int kLateStride = 8;
constexpr int kMaxDepth = 64;  // as SearchSpace::check()

}  // namespace

int64_t largest_receptive_field(const SearchSpace& space) {
  int64_t rows = space.stem.kernel;
  int64_t jump = space.stem.stride;
  for (const StageSpec& stage : space.stages) {
    const int64_t window = stage.kernels.back() - 1;
    rows += window * jump;  // the first block reads what is before its stride
    jump *= stage.stride;
    rows += window * jump * (std::max(stage.depths.back(), 1) - 1);
  }
  return rows;
}

SearchSpace redistributed(const SearchSpace& space) {
  SearchSpace changed = space;
  StageSpec* last_elastic = nullptr;
  int64_t last_jump = 0;
  int64_t jump = space.stem.stride;
  for (StageSpec& stage : changed.stages) {
    // A stage's blocks compute at the stride behind its first depthwise convolution.
    const int64_t before = jump;
    jump *= stage.stride;
    if (before < kLateStride) {
      const auto small =
          std::find_if(stage.kernels.begin(), stage.kernels.end(), [](int k) { return k >= 3; });
      stage.kernels = {small != stage.kernels.end() ? *small : stage.kernels.front()};
    } else if (stage.kernels.size() > 1) {
      last_elastic = &stage;
      last_jump = jump;
    }
  }
  if (last_elastic == nullptr) return space;
  const int64_t lost = largest_receptive_field(space) - largest_receptive_field(changed);
  const int64_t of_a_block = (last_elastic->kernels.back() - 1) * last_jump;
  const auto blocks = static_cast<int>(
      std::min<int64_t>((lost + of_a_block - 1) / of_a_block, kMaxDepth - last_elastic->depths.back()));
  for (int& depth : last_elastic->depths) depth += blocks;
  return changed;
}

}  // namespace tinynas
