// Packing buffers with fixed lifetimes into one arena, as low as possible (dynamic storage allocation).
#pragma once

#include <cstdint>
#include <vector>

namespace tinynas {

// A buffer that is alive from step `first` to step `last`, both included.
struct Lifetime {
  int first = 0;
  int last = 0;
  int64_t size = 0;
};

struct Packing {
  std::vector<int64_t> offsets;  // by index of the lifetimes
  int64_t height = 0;            // highest end of a buffer
};

// Places the buffers so that none overlaps another that is alive at the same time. `lower_bound`: the largest
// sum of sizes alive at one step; no packing is below it.
//
// Buffers are put one after another at the lowest place that is free during their lifetime. For some order
// that gives an optimal packing (sort an optimal one by offset: every buffer can only move down). A few good
// orders are tried and then, when none reached the bound, a bounded local search over orders around the peak
// (as the hill climbing of Arm's Vela compiler). It ends as soon as the bound is reached, and depends on
// nothing but its arguments.
Packing pack(const std::vector<Lifetime>& lifetimes, int64_t lower_bound);

}  // namespace tinynas
