#include "cost_models/tflm.h"

#include <Eigen/Dense>
#include <algorithm>
#include <array>
#include <cmath>

namespace tinynas {
namespace {

// TFLM + CMSIS-NN, one inference each, Cortex-M4 in QEMU: the table of
// docs/decisions/0021-what-a-fit-may-say.md, with its source.
constexpr std::array<TflmPeer, 4> kPeers{{
    {"person-detection", 30, 2738, 207968 + 4 * 2738, 84200, 55296, 345352, 44784},
    {"resnet-ic", 15, 346, 77360 + 4 * 346, 56928, 49728, 150668, 52172},
    {"dscnn-kws", 12, 588, 22016 + 4 * 588, 24752, 16000, 108336, 54400},
    {"mcunet-320k", 67, 8688, 721032 + 4 * 8688, 481708, 397920, 1065428, 47220},
}};
constexpr int64_t kStackBytes = 1316;  // person detection, by painting

struct PerOperatorAndChannel {
  double per_operator = 0;
  double per_channel = 0;
  int64_t of(int operators, int64_t channels) const {
    return std::llround(
        std::max(0.0, per_operator * operators + per_channel * static_cast<double>(channels)));
  }
};

// No constant term: four rows bear two coefficients.
template <typename Target>
PerOperatorAndChannel fit(const Target& target) {
  Eigen::Matrix<double, kPeers.size(), 2> features;
  Eigen::Matrix<double, kPeers.size(), 1> values;
  for (size_t i = 0; i < kPeers.size(); ++i) {
    const auto row = static_cast<Eigen::Index>(i);
    features(row, 0) = kPeers[i].operators;
    features(row, 1) = kPeers[i].channels;
    values(row) = static_cast<double>(target(kPeers[i]));
  }
  const Eigen::Vector2d solution = features.colPivHouseholderQr().solve(values);
  return {solution(0), solution(1)};
}

}  // namespace

const TflmPeer* TflmPeers::begin() const { return kPeers.data(); }
const TflmPeer* TflmPeers::end() const { return kPeers.data() + kPeers.size(); }
TflmPeers tflm_peers() { return {}; }

int64_t tflm_scratch_bytes(const Graph& graph, const Op& op) {
  const int64_t column = int64_t{op.kernel_h} * op.kernel_w * graph.tensor(op.inputs[0]).shape.c;
  switch (op.kind) {
    case OpKind::kConv2d: {
      const bool pointwise = op.kernel_h == 1 && op.kernel_w == 1 && op.stride_h == 1 && op.stride_w == 1;
      return pointwise ? 0 : 2 * column * int64_t{sizeof(int16_t)};
    }
    case OpKind::kDepthwiseConv2d: {
      if (op.depth_multiplier > 1) return 0;
      const bool small = op.kernel_h == 3 && op.kernel_w == 3 && op.padding.top <= 1 && op.padding.left <= 1;
      return small ? 0 : column * int64_t{sizeof(int16_t)};
    }
    case OpKind::kAvgPool:
      return int64_t{sizeof(int32_t)} * graph.tensor(op.output).shape.c;
    case OpKind::kAdd:
    case OpKind::kGlobalAvgPool:
    case OpKind::kFullyConnected:
    case OpKind::kSoftmax:
    case OpKind::kPad:
    case OpKind::kReshape:
      return 0;
  }
  return 0;
}

TflmOverhead tflm_overhead(const Graph& graph) {
  static const PerOperatorAndChannel persistent =
      fit([](const TflmPeer& peer) { return peer.total_ram_bytes - peer.activations_bytes - kStackBytes; });
  static const PerOperatorAndChannel file = fit(
      [](const TflmPeer& peer) { return peer.linked_flash_bytes - peer.code_bytes - peer.weights_bytes; });
  int64_t channels = 0;
  for (const Op& op : graph.ops) channels += bias_count(graph, op);
  const auto operators = static_cast<int>(graph.ops.size());
  TflmOverhead overhead;
  overhead.persistent_bytes = persistent.of(operators, channels);
  overhead.stack_bytes = kStackBytes;
  overhead.file_bytes = file.of(operators, channels);
  for (const TflmPeer& peer : tflm_peers())
    overhead.code_bytes = std::max(overhead.code_bytes, peer.code_bytes);
  return overhead;
}

}  // namespace tinynas
