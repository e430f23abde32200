// What the time of one call of a kernel is linear in: counts that follow from its shapes, because the loops
// do.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "cost_models/kernels.h"
#include "graph/graph.h"

namespace tinynas {

inline constexpr size_t kMostFeatures = 13;

// The counts are not zeroed: one of these is made for every operator of every candidate.
struct LatencyFeatures {
  std::array<double, kMostFeatures> counts;  // what each counts: feature_names(); nothing behind them
  size_t used = 0;                           // of counts
  double nominal_macs = 0;                   // as macs() counts; what published tables go by
};

// Shapes and window of one call.
struct CallShape {
  Kernel kernel = Kernel::kConv2d;
  KernelVariant variant = KernelVariant::kPortable;  // of the core's kernels
  Shape input;
  Shape output;
  int kernel_h = 1;
  int kernel_w = 1;
  int stride_h = 1;
  int stride_w = 1;
  int pad_top = 0;
  int pad_left = 0;
};

// Closed forms of what the loops of src/runtime do, padding included.
LatencyFeatures latency_features(const CallShape& call, int64_t nominal_macs);

// Of a kernel in a variant, in the order of the counts: "products", "outputs", ...
std::vector<const char*> feature_names(Kernel kernel, KernelVariant variant);

// Milliseconds (or instructions, or cycles) per count.
struct FeatureCosts {
  std::array<double, kMostFeatures> counts{};
  double nominal_mac = 0;

  double of(const LatencyFeatures& features) const {
    double total = features.nominal_macs * nominal_mac;
    for (size_t i = 0; i < features.used; ++i) total += features.counts[i] * counts[i];
    return total;
  }
};

}  // namespace tinynas
