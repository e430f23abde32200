#include "cost_models/latency_model.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace tinynas {
namespace {

// Taps of a window that lie inside the input, along one axis, over all output positions. Only the first and
// the last few positions reach outside.
int64_t taps_inside(int in, int out, int kernel, int stride, int pad) {
  int64_t taps = int64_t{out} * kernel;
  for (int position = 0; position < out && position * stride < pad; ++position)
    taps -= pad - position * stride;
  for (int position = out - 1; position >= 0; --position) {
    const int beyond = position * stride - pad + kernel - in;
    if (beyond <= 0) break;
    taps -= beyond;
  }
  return taps;
}

// Rows of a channel that the depthwise convolution in place copies into its ring: all that windows reach.
int64_t rows_loaded(const CallShape& call) {
  return call.kernel_h + int64_t{call.output.h - 1} * std::min(call.stride_h, call.kernel_h);
}

}  // namespace

const char* name_of(LatencyBasis basis) {
  switch (basis) {
    case LatencyBasis::kMeasured:
      return "measured";
    case LatencyBasis::kPublished:
      return "published";
    case LatencyBasis::kKernelInstructions:
      return "kernel-instructions";
    case LatencyBasis::kUncalibrated:
      return "uncalibrated";
  }
  throw Error(ExitCode::kFailure, "unknown latency basis");
}

const char* name_of(Backbone backbone) {
  switch (backbone) {
    case Backbone::kMbconv:
      return "mbconv";
    case Backbone::kDscnn:
      return "dscnn";
    case Backbone::kOther:
      return "other";
  }
  throw Error(ExitCode::kFailure, "unknown backbone");
}

namespace {

// tn_conv2d_dsp.h: blocks of four positions, whether full or not; their patches are spread first.
void count_dsp_conv2d(const CallShape& call, LatencyFeatures& features) {
  const int row_bytes = tn_conv2d_row_bytes(call.kernel_h, call.kernel_w, call.input.c);
  const double positions = double(call.output.h) * call.output.w;
  const double blocks = std::ceil(positions / TN_CONV2D_POSITIONS);
  const bool in_quads = call.input.c % 4 == 0;
  features.output_values = blocks * call.output.c;
  features.executed_macs = features.output_values * TN_CONV2D_POSITIONS * row_bytes;
  features.pixels = positions * row_bytes;
  features.loop_starts = call.kernel == Kernel::kConv2d1x1 ? features.output_values * (row_bytes / 4 % 4)
                                                           : positions * call.kernel_h;
  features.calls = call.kernel == Kernel::kConv2d1x1 ? positions : in_quads ? 1 : positions * row_bytes;
}

// tn_depthwise_dsp.h: pairs of outputs; rows come into a window, which moves down.
void count_dsp_depthwise(const CallShape& call, LatencyFeatures& features) {
  const double rows = double(call.output.h) * call.input.c;
  const double loaded = double(rows_loaded(call)) * call.input.c;
  features.executed_macs = rows * std::ceil(call.output.w / 2.0);
  features.loop_starts = rows;
  features.pixels = loaded * call.input.w;
  features.output_values = loaded;
  features.calls = call.input.c;
}

}  // namespace

LatencyFeatures latency_features(const CallShape& call, int64_t nominal_macs) {
  const Shape& in = call.input;
  const Shape& out = call.output;
  const int64_t positions = int64_t{out.h} * out.w;
  LatencyFeatures features;
  features.nominal_macs = static_cast<double>(nominal_macs);
  features.executed_macs = features.nominal_macs;
  features.output_values = static_cast<double>(out.elements());
  features.loop_starts = features.output_values;
  features.pixels = static_cast<double>(positions);
  switch (call.kernel) {
    case Kernel::kConv2d:
    case Kernel::kConv2d1x1:
      if (call.variant != KernelVariant::kPortable) {
        count_dsp_conv2d(call, features);
      } else {
        features.loop_starts = features.output_values * call.kernel_h * call.kernel_w;
      }
      break;
    case Kernel::kAvgPool: {
      const int64_t rows = taps_inside(in.h, out.h, call.kernel_h, call.stride_h, call.pad_top);
      const int64_t taps = rows * taps_inside(in.w, out.w, call.kernel_w, call.stride_w, call.pad_left);
      features.executed_macs = static_cast<double>(taps * out.c);
      features.loop_starts = static_cast<double>(rows * out.w * out.c);
      break;
    }
    case Kernel::kDepthwise:
      features.loop_starts = features.output_values * call.kernel_h;
      break;
    case Kernel::kDepthwise3x3s1:
    case Kernel::kDepthwise3x3s2:
    case Kernel::kDepthwise5x5s1:
    case Kernel::kDepthwise5x5s2:
    case Kernel::kDepthwise7x7s1:
    case Kernel::kDepthwise7x7s2:
      if (call.variant != KernelVariant::kPortable) {
        count_dsp_depthwise(call, features);
        break;
      }
      [[fallthrough]];
    case Kernel::kDepthwiseInPlace:
      features.loop_starts = features.output_values * call.kernel_h;
      features.calls = static_cast<double>(rows_loaded(call) * in.c);
      features.pixels = features.calls * (in.w + call.kernel_w - 1);
      break;
    case Kernel::kGlobalAvgPool:
      features.loop_starts = static_cast<double>(in.elements());
      break;
    case Kernel::kFullyConnected:
      if (call.variant != KernelVariant::kPortable)
        features.loop_starts = static_cast<double>(in.elements());  // spread
      break;
    case Kernel::kAdd:
      break;
    case Kernel::kSoftmax:
      // The largest value's exponential is 1 and not computed.
      features.loop_starts -= features.pixels;
      break;
  }
  return features;
}

Backbone backbone_of(const Graph& graph) {
  std::vector<bool> from_depthwise(graph.tensors.size(), false);
  bool has_depthwise = false;
  for (const Op& op : graph.ops) {
    if (op.kind == OpKind::kDepthwiseConv2d) {
      has_depthwise = true;
      from_depthwise[static_cast<size_t>(op.output)] = true;
    }
    const bool linear = op.kind == OpKind::kConv2d && op.kernel_h == 1 && op.kernel_w == 1 &&
                        op.activation == Activation::kNone;
    if (linear && from_depthwise[static_cast<size_t>(op.inputs[0])]) return Backbone::kMbconv;
  }
  return has_depthwise ? Backbone::kDscnn : Backbone::kOther;
}

double LatencyGroup::operator_ms(const Graph& graph, const Op& op, const PlanStep& step,
                                 int64_t op_macs) const {
  const Kernel kernel = step.kernel;
  const CallShape call{kernel,
                       variant,
                       graph.tensor(op.inputs[0]).shape,
                       graph.tensor(op.output).shape,
                       op.kernel_h,
                       op.kernel_w,
                       op.stride_h,
                       op.stride_w,
                       op.padding.top,
                       op.padding.left};
  return ms[static_cast<size_t>(kernel)].of(latency_features(call, op_macs));
}

bool FitQuality::extrapolates(int64_t macs) const {
  constexpr double kFar = 2;
  const auto count = static_cast<double>(macs);
  return most_macs > 0 && (count > kFar * most_macs || count * kFar < least_macs);
}

std::string LatencyModel::backbone_name(size_t group) const {
  return groups.size() == 1 ? "all" : name_of(static_cast<Backbone>(group));
}

const LatencyGroup& LatencyModel::group_of(const Graph& graph) const {
  return groups.size() == 1 ? groups.front() : groups[static_cast<size_t>(backbone_of(graph))];
}

nlohmann::json to_json(const LatencyModel& model) {
  const auto optional_json = [](const std::optional<double>& value) {
    return value ? nlohmann::json(*value) : nlohmann::json();
  };
  nlohmann::json groups = nlohmann::json::array();
  for (size_t i = 0; i < model.groups.size(); ++i) {
    const LatencyGroup& group = model.groups[i];
    nlohmann::json kernels;
    for (size_t kernel = 0; kernel < group.ms.size(); ++kernel) {
      const FeatureCosts& costs = group.ms[kernel];
      kernels[name_of(static_cast<Kernel>(kernel))] = {{"executed_mac", costs.executed_mac},
                                                       {"loop_start", costs.loop_start},
                                                       {"output_value", costs.output_value},
                                                       {"pixel", costs.pixel},
                                                       {"call", costs.call},
                                                       {"nominal_mac", costs.nominal_mac}};
    }
    groups.push_back({{"backbone", model.backbone_name(i)},
                      {"r2", optional_json(group.quality.r2)},
                      {"error_band", optional_json(group.quality.error_band)},
                      {"rows", group.quality.rows},
                      {"least_macs", group.quality.least_macs},
                      {"most_macs", group.quality.most_macs},
                      {"fixed_ms", group.fixed_ms},
                      {"ms_per_unit", kernels}});
  }
  return {{"runtime", name_of(model.runtime)},
          {"basis", name_of(model.basis)},
          {"source", model.source},
          {"groups", groups}};
}

std::string LatencyModel::describe(const FitQuality& quality) const {
  const std::string band = quality.error_band ? fmt::format("error band {:.0f} %", 100 * *quality.error_band)
                                              : "error band not known";
  return std::string(name_of(basis)) + ", " + band;
}

}  // namespace tinynas
