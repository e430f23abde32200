#include "cost_models/measurements.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "cost_models/csv.h"

namespace tinynas {
namespace {

const std::vector<std::string> kClasses = {
    "alu",   "multiply", "divide",       "load_first",       "load_next",
    "store", "multiple", "branch_taken", "branch_not_taken", "other"};
// Counts registers, not instructions: cycles beside those of the instructions that move them.
constexpr const char* kRegisters = "multiple_registers";

Kernel kernel_from_name(const std::string& name, const std::string& place) {
  for (int kernel = 0; kernel < kKernels; ++kernel) {
    if (name == name_of(static_cast<Kernel>(kernel))) return static_cast<Kernel>(kernel);
  }
  throw usage_error(place + ": kernel: got '" + name + "', expected a kernel of src/runtime");
}

Backbone backbone_from_name(const std::string& name, const std::string& place) {
  for (const Backbone backbone : {Backbone::kMbconv, Backbone::kDscnn, Backbone::kOther}) {
    if (name == name_of(backbone)) return backbone;
  }
  throw usage_error(place + ": backbone: got '" + name + "', expected mbconv, dscnn or other");
}

CountedCall counted_call(const CsvTable& table, size_t row) {
  CountedCall call;
  call.core = table.text(row, "core");
  call.network = table.text(row, "network");
  call.kernel = kernel_from_name(table.text(row, "kernel"), table.place(row));
  call.variant = variant_of_name(table.text(row, "variant"), table.place(row) + ": variant");
  call.macs = table.number(row, "macs");
  const auto size = [&](const char* column) {
    constexpr double kMost = 65535;  // what the kernels' structs hold
    const double value = table.positive(row, column);
    if (value > kMost || value != std::floor(value)) {
      throw usage_error(table.place(row) + ": " + column + ": expected an integer from 1 to 65535");
    }
    return static_cast<int>(value);
  };
  const int stride = size("stride");
  CallShape shape{.kernel = call.kernel,
                  .variant = call.variant,
                  .input = {size("in_h"), size("in_w"), size("in_c")},
                  .output = {1, 1, size("out_c")},
                  .kernel_h = size("kernel_h"),
                  .kernel_w = size("kernel_w"),
                  .stride_h = stride,
                  .stride_w = stride};
  if (call.kernel == Kernel::kPad) {
    // kernel_h and kernel_w: the rows and columns of padding, and one.
    shape.output.h = shape.input.h + shape.kernel_h - 1;
    shape.output.w = shape.input.w + shape.kernel_w - 1;
  } else if (call.kernel != Kernel::kGlobalAvgPool) {
    shape.output.h = (shape.input.h + stride - 1) / stride;
    shape.output.w = (shape.input.w + stride - 1) / stride;
  }
  shape.pad_top = same_padding(shape.input.h, shape.kernel_h, stride).first;
  shape.pad_left = same_padding(shape.input.w, shape.kernel_w, stride).first;
  call.features = latency_features(shape, static_cast<int64_t>(call.macs));
  for (const std::string& name : kClasses) {
    call.by_class[name] = table.number(row, name);
    call.instructions += call.by_class[name];
  }
  call.by_class[kRegisters] = table.number(row, kRegisters);
  return call;
}

CoreCycles& cycles_of(std::map<std::string, CoreCycles>& cores, const CsvTable& table, size_t row) {
  CoreCycles& core = cores[table.text(row, "core")];
  if (!table.text(row, "needs").empty()) core.needs = table.text(row, "needs");
  if (!table.text(row, "source").empty()) core.source = table.text(row, "source");
  return core;
}

std::map<std::string, CoreCycles> load_core_cycles(const std::filesystem::path& csv) {
  const CsvTable table = read_csv(csv);
  const std::vector<std::string> columns = {"core", "class", "least", "typical", "most", "needs", "source"};
  table.require_columns(columns, columns);
  std::map<std::string, CoreCycles> cores;
  for (size_t row = 0; row < table.rows(); ++row) {
    const std::string& name = table.text(row, "class");
    if (name != kRegisters && std::find(kClasses.begin(), kClasses.end(), name) == kClasses.end()) {
      throw usage_error(table.place(row) + ": class: got '" + name + "', expected one that is counted");
    }
    const CoreCycles::Cycles cycles{table.number(row, "least"), table.positive(row, "typical"),
                                    table.positive(row, "most")};
    if (cycles.least > cycles.typical || cycles.typical > cycles.most) {
      throw usage_error(table.place(row) + ": expected least <= typical <= most");
    }
    cycles_of(cores, table, row).by_class[name] = cycles;
  }
  return cores;
}

std::vector<PublishedLatency> load_published(const std::filesystem::path& csv) {
  const CsvTable table = read_csv(csv);
  const std::vector<std::string> columns = {"board", "network", "backbone", "mops", "seconds"};
  table.require_columns(columns, columns);
  std::vector<PublishedLatency> rows;
  for (size_t row = 0; row < table.rows(); ++row) {
    rows.push_back({table.text(row, "board"), table.text(row, "network"),
                    backbone_from_name(table.text(row, "backbone"), table.place(row)),
                    table.positive(row, "mops") * 1e6 / 2, table.positive(row, "seconds") * 1e3});
  }
  return rows;
}

CoreCycles::Cycles cycles_of(const CountedCall& call, const CoreCycles& core) {
  CoreCycles::Cycles total;
  for (const auto& [name, count] : call.by_class) {
    if (count == 0) continue;
    const auto found = core.by_class.find(name);
    if (found == core.by_class.end()) {
      throw usage_error("core_cycles.csv: " + call.core + " executes instructions of class \"" + name +
                        "\", for which it has no cycles");
    }
    total.least += count * found->second.least;
    total.typical += count * found->second.typical;
    total.most += count * found->second.most;
  }
  return total;
}

std::vector<double> fitted_counts(const CountedCall& call) {
  const size_t features = feature_names(call.kernel, call.variant).size();
  return {call.features.counts.begin(), call.features.counts.begin() + static_cast<std::ptrdiff_t>(features)};
}

FeatureCosts costs_of(const std::vector<double>& per_feature, double scale) {
  FeatureCosts costs;
  for (size_t i = 0; i < per_feature.size(); ++i) costs.counts[i] = scale * per_feature[i];
  return costs;
}

FeatureCosts scaled(FeatureCosts costs, double factor) {
  for (double& cost : costs.counts) cost *= factor;
  costs.nominal_mac *= factor;
  return costs;
}

KernelCoefficients per_nominal_mac(double ms) {
  KernelCoefficients coefficients{};
  for (FeatureCosts& costs : coefficients) costs.nominal_mac = ms;
  return coefficients;
}

FitQuality quality_of(const LinearFit& fit) { return {fit.r2, fit.error_band(), fit.rows}; }

void add_macs(FitQuality& quality, double macs) {
  quality.least_macs = quality.most_macs > 0 ? std::min(quality.least_macs, macs) : macs;
  quality.most_macs = std::max(quality.most_macs, macs);
}

bool is_by_kernels(const std::vector<MeasuredLatency>& rows) {
  return std::all_of(rows.begin(), rows.end(),
                     [](const MeasuredLatency& row) { return row.kernel_ms.has_value(); });
}

// kOther takes what is neither, and so learns from all.
bool teaches(const PublishedLatency& row, const std::string& board, Backbone backbone) {
  return row.board == board && (backbone == Backbone::kOther || row.backbone == backbone);
}

// 1 - residual / total sum of squares.
double pooled_r2(const std::vector<double>& targets, double squared_residual) {
  double mean = 0;
  for (const double target : targets) mean += target / static_cast<double>(targets.size());
  double total = 0;
  for (const double target : targets) total += (target - mean) * (target - mean);
  return 1 - squared_residual / total;
}

}  // namespace

std::vector<CountedCall> load_counted_calls(const std::filesystem::path& csv) {
  const CsvTable table = read_csv(csv);
  std::vector<std::string> columns = {"core",  "variant",  "network",  "kernel", "in_h", "in_w",    "in_c",
                                      "out_c", "kernel_h", "kernel_w", "stride", "macs", kRegisters};
  columns.insert(columns.end(), kClasses.begin(), kClasses.end());
  table.require_columns(columns, columns);
  std::vector<CountedCall> calls;
  for (size_t row = 0; row < table.rows(); ++row) calls.push_back(counted_call(table, row));
  return calls;
}

Measurements load_measurements(const std::filesystem::path& directory) {
  if (!std::filesystem::is_directory(directory)) {
    throw usage_error("folder of measurements '" + directory.string() + "' does not exist");
  }
  Measurements measurements;
  measurements.layers = load_counted_calls(directory / "kernel_instructions.csv");
  measurements.cycles = load_core_cycles(directory / "core_cycles.csv");
  measurements.published = load_published(directory / "micronets.csv");
  measurements.kernels_hash =
      hash_hex(read_file(directory / "kernel_instructions.csv") + read_file(directory / "core_cycles.csv"));
  return measurements;
}

KernelFits fit_kernels(const Measurements& measurements, const std::string& core,
                       const std::vector<std::string>& isa) {
  const auto counted = [&](const std::string& name) {
    return std::any_of(measurements.layers.begin(), measurements.layers.end(),
                       [&](const CountedCall& call) { return call.core == name; });
  };
  KernelFits fits;
  // Cores that nobody counted on are stood in for by one with the same variant of the kernels.
  fits.core = counted(core)                                     ? core
              : variant_of_isa(isa) == KernelVariant::kPortable ? "cortex-m3"
              : variant_of_isa(isa) == KernelVariant::kDsp      ? "cortex-m4"
                                                                : "cortex-m55";
  const auto cycles = measurements.cycles.find(core);
  fits.cycles_known =
      fits.core == core && cycles != measurements.cycles.end() &&
      (cycles->second.needs.empty() || std::find(isa.begin(), isa.end(), cycles->second.needs) != isa.end());
  double open = 0;  // what least and most leave open, relative
  double squared_residual = 0;
  std::vector<double> all_targets;
  std::vector<double> all_errors;  // leave-one-out
  bool all_known = true;           // of every kernel
  for (size_t kernel = 0; kernel < fits.by_kernel.size(); ++kernel) {
    std::vector<std::vector<double>> features;
    std::vector<double> targets;
    for (const CountedCall& call : measurements.layers) {
      if (call.core != fits.core || static_cast<size_t>(call.kernel) != kernel) continue;
      fits.variant = call.variant;
      features.push_back(fitted_counts(call));
      if (!fits.cycles_known) {
        targets.push_back(call.instructions);
        continue;
      }
      const CoreCycles::Cycles total = cycles_of(call, cycles->second);
      targets.push_back(total.typical);
      open = std::max({open, total.most / total.typical - 1, 1 - total.least / total.typical});
    }
    const std::string what =
        "kernel_instructions.csv: " + fits.core + ", " + name_of(static_cast<Kernel>(kernel));
    LinearFit& fit = fits.by_kernel[kernel];
    // Portable cores have no rows of the templates: there their instances run the code in place.
    if (features.empty() && has_template(static_cast<Kernel>(kernel))) continue;
    if (feature_names(static_cast<Kernel>(kernel), fits.variant).empty()) continue;  // nothing to run
    fit = fit_nonnegative(features, targets, what);
    for (size_t row = 0; row < targets.size(); ++row)
      squared_residual += (targets[row] - fit.fitted[row]) * (targets[row] - fit.fitted[row]);
    all_known = all_known && !fit.leave_one_out.empty();
    all_targets.insert(all_targets.end(), targets.begin(), targets.end());
    all_errors.insert(all_errors.end(), fit.leave_one_out.begin(), fit.leave_one_out.end());
  }
  for (size_t kernel = 0; kernel < fits.by_kernel.size(); ++kernel) {
    if (fits.by_kernel[kernel].coefficients.empty())
      fits.by_kernel[kernel] = fits.by_kernel[static_cast<size_t>(Kernel::kDepthwiseInPlace)];
  }
  fits.quality.r2 = pooled_r2(all_targets, squared_residual);
  fits.quality.rows = static_cast<int>(all_targets.size());
  if (const auto residual = root_mean_square(all_errors); residual && all_known)
    fits.quality.error_band = *residual + open;
  fits.source = "instructions of tinynas' own kernels on " + fits.core + " (gcc -O2, counted in QEMU over " +
                std::to_string(all_targets.size()) + " layers)";
  if (fits.cycles_known) {
    fits.source += " x cycles of each by " + cycles->second.source;
  } else if (fits.core == core) {
    fits.source += " x 1 cycle each: no published cycles for " + core;
  } else {
    fits.source += " x 1 cycle each, standing in for " + core + ", on which nothing was counted";
  }
  return fits;
}

std::vector<LinearFit> fit_published(const std::vector<PublishedLatency>& rows, const std::string& board) {
  std::vector<LinearFit> fits;
  for (const Backbone backbone : {Backbone::kMbconv, Backbone::kDscnn, Backbone::kOther}) {
    std::vector<std::vector<double>> features;
    std::vector<double> targets;
    for (const PublishedLatency& row : rows) {
      if (!teaches(row, board, backbone)) continue;
      features.push_back({row.macs, 1.0});
      targets.push_back(row.latency_ms);
    }
    if (features.empty()) return {};
    fits.push_back(fit_nonnegative(features, targets, "micronets.csv: " + board + ", " + name_of(backbone)));
  }
  return fits;
}

LatencyModel kernel_model(const KernelFits& fits, Runtime runtime, double clock_hz) {
  LatencyModel model;
  model.runtime = runtime;
  // The counts are of our kernels: for another runtime they are a stand-in.
  const bool calibrated = fits.cycles_known && runtime == Runtime::kTinynas;
  model.basis = calibrated ? LatencyBasis::kKernelInstructions : LatencyBasis::kUncalibrated;
  model.source = fits.source;
  if (runtime != Runtime::kTinynas)
    model.source += ", standing in for the kernels of " + std::string(name_of(runtime));
  LatencyGroup group;
  group.quality = fits.quality;
  group.variant = fits.variant;
  if (!calibrated) group.quality.error_band.reset();
  for (size_t kernel = 0; kernel < group.ms.size(); ++kernel) {
    group.ms[kernel] = costs_of(fits.by_kernel[kernel].coefficients, 1e3 / clock_hz);
  }
  model.groups = {group};
  return model;
}

LatencyModel published_model(const std::vector<LinearFit>& fits, const std::vector<PublishedLatency>& rows,
                             const std::string& board) {
  LatencyModel model;
  model.runtime = Runtime::kTflm;
  model.basis = LatencyBasis::kPublished;
  model.source = "MACs x slope + fixed cost by backbone, from MicroNets' published latencies on " + board +
                 " (TensorFlow Lite Micro with CMSIS-NN)";
  for (size_t i = 0; i < fits.size(); ++i) {
    LatencyGroup group{.ms = per_nominal_mac(fits[i].coefficients[0]),
                       .fixed_ms = fits[i].coefficients[1],
                       .quality = quality_of(fits[i])};
    for (const PublishedLatency& row : rows) {
      if (teaches(row, board, static_cast<Backbone>(i))) add_macs(group.quality, row.macs);
    }
    model.groups.push_back(group);
  }
  return model;
}

LinearFit fit_measured(const std::vector<MeasuredLatency>& rows, const std::string& source) {
  constexpr size_t kLeastRows = 3;  // two coefficients, and one row to tell how good they are
  const bool by_kernels = is_by_kernels(rows);
  std::vector<std::vector<double>> features;
  std::vector<double> targets;
  std::set<double> works;
  for (const MeasuredLatency& row : rows) {
    const double work = by_kernels ? *row.kernel_ms : row.macs;
    works.insert(work);
    features.push_back({work, 1.0});
    targets.push_back(row.latency_ms);
  }
  if (works.size() < kLeastRows) {
    throw usage_error(source + ": got " + std::to_string(rows.size()) + " measurements of " +
                      std::to_string(works.size()) + " different amounts of work, expected at least " +
                      std::to_string(kLeastRows) +
                      " different ones (a slope, a fixed cost, and one to judge them by)");
  }
  LinearFit fit = fit_nonnegative(features, targets, source);
  if (!(fit.coefficients[0] > 0)) {
    throw usage_error(source +
                      ": the latencies do not grow with the work (slope 0), expected more ms for more MACs");
  }
  if (fit.r2 && *fit.r2 <= 0) {
    throw usage_error(
        fmt::format("{}: a line of the work explains the latencies no better than their mean (r2 {:.2f}), "
                    "expected ms that "
                    "grow with MACs",
                    source, *fit.r2));
  }
  return fit;
}

LatencyModel measured_model(const std::vector<MeasuredLatency>& rows, const LatencyModel& kernels,
                            Runtime runtime, const std::string& source) {
  const LinearFit fit = fit_measured(rows, source);
  const bool by_kernels = is_by_kernels(rows);
  LatencyModel model;
  model.runtime = runtime;
  model.basis = LatencyBasis::kMeasured;
  model.source = source + (by_kernels ? ": scale x instructions of the kernels + fixed cost"
                                      : ": MACs x slope + fixed cost");
  LatencyGroup group;
  group.fixed_ms = fit.coefficients[1];
  group.quality = quality_of(fit);
  for (const MeasuredLatency& row : rows) add_macs(group.quality, row.macs);
  if (by_kernels) {
    group.ms = kernels.groups.front().ms;
    group.variant = kernels.groups.front().variant;
    for (FeatureCosts& costs : group.ms) costs = scaled(costs, fit.coefficients[0]);
  } else {
    group.ms = per_nominal_mac(fit.coefficients[0]);
  }
  model.groups = {group};
  return model;
}

}  // namespace tinynas
