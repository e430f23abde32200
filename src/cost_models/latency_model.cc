#include "cost_models/latency_model.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "base/error.h"

namespace tinynas {
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
      nlohmann::json& json = kernels[name_of(static_cast<Kernel>(kernel))];
      const std::vector<const char*> names = feature_names(static_cast<Kernel>(kernel), group.variant);
      for (size_t feature = 0; feature < names.size(); ++feature)
        json[names[feature]] = costs.counts[feature];
      json["nominal_mac"] = costs.nominal_mac;
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
