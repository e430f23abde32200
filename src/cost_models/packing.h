// Packing buffers with fixed lifetimes into one arena, as low as possible (dynamic storage allocation).
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

namespace tinynas {

// A buffer that is alive from step `first` to step `last`, both included. It may shrink once: after step
// `full_until` it takes `tail_size` bytes at the same offset.
struct Lifetime {
  int first = 0;
  int last = 0;
  int64_t size = 0;
  int full_until = std::numeric_limits<int>::max();
  int64_t tail_size = 0;  // up to `size`

  int64_t size_at(int step) const { return step <= full_until ? size : tail_size; }
};

struct Packing {
  std::vector<int64_t> offsets;  // by index of the lifetimes
  int64_t height = 0;            // highest end of a buffer
  int64_t comparisons = 0;       // of a buffer with one that it may meet: what the work is counted in
};

// Places the buffers so that none overlaps another that is alive at the same time. `lower_bound`: the largest
// sum of sizes alive at one step; no packing is below it.
//
// Buffers are put one after another at the lowest place that is free during their lifetime. For some order
// that gives an optimal packing (sort an optimal one by offset: every buffer can only move down). A few good
// orders are tried; then, when none reached the bound, both ends of the arena in turn (optimal where at most
// two buffers that live longer than a step are alive at a time: a chain of operators); then a bounded local
// search over orders around the peak (as the hill climbing of Arm's Vela compiler). It ends as soon as the
// bound is reached, and depends on nothing but its arguments.
Packing pack(const std::vector<Lifetime>& lifetimes, int64_t lower_bound);

// The largest first, each at the lowest place that is free: what TensorFlow Lite Micro's GreedyMemoryPlanner
// does.
Packing pack_greedily(const std::vector<Lifetime>& lifetimes);

}  // namespace tinynas
