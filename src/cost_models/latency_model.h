// Latency of a network on a board: a sum over its operators, from fitted coefficients.
#pragma once

#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cost_models/kernels.h"
#include "cost_models/latency_features.h"
#include "cost_models/memory_plan.h"
#include "cost_models/runtime.h"
#include "graph/graph.h"

namespace tinynas {

// What a latency rests on, from the most to the least trusted.
enum class LatencyBasis {
  kMeasured,            // the user's own measurements on the board (tinynas calibrate)
  kPublished,           // published end-to-end measurements of networks on the board
  kKernelInstructions,  // counted instructions of our kernels x cycles of each, from the core's maker
  kUncalibrated         // counted instructions x 1: nobody said how many cycles they take
};
const char* name_of(LatencyBasis basis);  // "measured", "published", "kernel-instructions", "uncalibrated"

// By Kernel.
using KernelCoefficients = std::array<FeatureCosts, kKernels>;

struct FitQuality {
  std::optional<double> r2;          // none with no more rows than coefficients
  std::optional<double> error_band;  // relative; none where nothing tells
  int rows = 0;                      // measurements behind the fit
  // MACs of the smallest and the largest network behind it; 0 where it was fitted to layers.
  double least_macs = 0;
  double most_macs = 0;

  // Whether a network has less than half of the least or more than twice the most MACs: then the error band
  // says nothing about it.
  bool extrapolates(int64_t macs) const;
};

// The families whose latency is linear in MACs, each with a slope of its own (the MicroNets study).
enum class Backbone { kMbconv, kDscnn, kOther };
const char* name_of(Backbone backbone);  // "mbconv", "dscnn", "other"
// kMbconv: some depthwise convolution is followed by a 1x1 one without activation (a linear bottleneck); else
// kDscnn where there is a depthwise convolution; else kOther.
Backbone backbone_of(const Graph& graph);

struct LatencyGroup {
  KernelCoefficients ms{};
  KernelVariant variant = KernelVariant::kPortable;  // of the kernels that ms is of
  double fixed_ms = 0;                               // of every inference
  FitQuality quality;

  // `op_macs` = macs(graph, op), which every caller has at hand.
  double operator_ms(const Graph& graph, const Op& op, const PlanStep& step, int64_t op_macs) const;
};

// Built once for a board (board.h); an operator then costs a few multiplications.
struct LatencyModel {
  Runtime runtime = Runtime::kTinynas;
  LatencyBasis basis = LatencyBasis::kUncalibrated;
  std::string source;                // where the coefficients come from; printed with every latency
  std::vector<LatencyGroup> groups;  // one for every network, or one by Backbone

  const LatencyGroup& group_of(const Graph& graph) const;
  // "mbconv"; "all" where there is one group.
  std::string backbone_name(size_t group) const;
  // "published, error band 12 %", "uncalibrated, error band not known".
  std::string describe(const FitQuality& quality) const;
};

// Runtime, basis, source, and every group's fit and coefficients.
nlohmann::json to_json(const LatencyModel& model);

}  // namespace tinynas
