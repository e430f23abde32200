// What configs/measurements holds, and the latency models that are fitted to it when a board is loaded.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cost_models/latency_fit.h"
#include "cost_models/latency_model.h"

namespace tinynas {

// One call of a kernel, counted (kernel_instructions.csv, network_instructions.csv).
struct CountedCall {
  std::string core;
  std::string network;  // "-" for a layer of its own, else for example "mbconv-3"
  Kernel kernel = Kernel::kConv2d;
  KernelVariant variant = KernelVariant::kPortable;
  double macs = 0;
  LatencyFeatures features{};
  double instructions = 0;
  std::map<std::string, double> by_class;  // "alu", "load_first", ...
};

// Cycles of an instruction class, as the core's maker documents them (core_cycles.csv).
struct CoreCycles {
  struct Cycles {
    double least = 0;
    double typical = 0;
    double most = 0;
  };
  std::map<std::string, Cycles> by_class;
  std::string needs;  // an ISA feature without which the figures do not hold; empty = none
  std::string source;
};

// One published network (micronets.csv). 1 MAC = 2 ops.
struct PublishedLatency {
  std::string board;
  std::string network;
  Backbone backbone = Backbone::kOther;
  double macs = 0;
  double latency_ms = 0;
};

struct Measurements {
  std::vector<CountedCall> layers;
  std::map<std::string, CoreCycles> cycles;  // by core
  std::vector<PublishedLatency> published;
  // Of kernel_instructions.csv and core_cycles.csv: a calibration that scales their model is for these alone.
  std::string kernels_hash;
};

// Throws Error(kUsage) naming file:line and column.
Measurements load_measurements(const std::filesystem::path& directory);
std::vector<CountedCall> load_counted_calls(const std::filesystem::path& csv);

// Fits of the counted layers of a core, one per kernel, in cycles (or, without figures for the core, in
// instructions).
struct KernelFits {
  std::array<LinearFit, kKernels> by_kernel;
  FitQuality quality;  // over all layers; the band is the leave-one-out residual + what the core's figures
                       // leave open
  bool cycles_known = false;
  KernelVariant variant = KernelVariant::kPortable;  // of the kernels that were counted
  std::string core;                                  // whose layers were counted
  std::string source;
};
// A core without counts of its own is stood in for by cortex-m4, and then no cycles are known.
KernelFits fit_kernels(const Measurements& measurements, const std::string& core,
                       const std::vector<std::string>& isa);

// Published latencies of a board against MACs, by Backbone (kOther: all rows together). Empty without rows
// for it.
std::vector<LinearFit> fit_published(const std::vector<PublishedLatency>& rows, const std::string& board);

// A user's measurement: of a network whose latency the kernel model gives, or of one of which only the MACs
// are known.
struct MeasuredLatency {
  std::string from;  // "calls.csv:2"
  double macs = 0;
  std::optional<double> kernel_ms;
  double latency_ms = 0;
};

LatencyModel kernel_model(const KernelFits& fits, Runtime runtime, double clock_hz);
// `fits` of fit_published() on `rows`.
LatencyModel published_model(const std::vector<LinearFit>& fits, const std::vector<PublishedLatency>& rows,
                             const std::string& board);
// scale x kernel model + fixed cost when every row has kernel_ms, MACs x slope + fixed cost otherwise: the
// coefficients are the scale (or slope) and the fixed cost. Throws Error(kUsage) naming `source`: fewer than
// three rows of different work (two lie on a line whatever they are), latencies that do not grow with work, a
// line that explains them no better than their mean (r2 <= 0).
LinearFit fit_measured(const std::vector<MeasuredLatency>& rows, const std::string& source);
// The model of fit_measured(), which throws.
LatencyModel measured_model(const std::vector<MeasuredLatency>& rows, const LatencyModel& kernels,
                            Runtime runtime, const std::string& source);

}  // namespace tinynas
