#include <Eigen/Core>
#include <algorithm>

#include "quantize/float_model.h"
#include "quantize/pad_values.h"

namespace tinynas {
namespace {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using ConstMatrix = Eigen::Map<const Matrix>;
using Array = Eigen::Map<Eigen::ArrayXf>;
using ConstArray = Eigen::Map<const Eigen::ArrayXf>;

// The part of a kernel axis that lies inside the input: taps [first, last) for a window that starts at
// `origin`.
struct Taps {
  int first;
  int last;
};
Taps taps_inside(int origin, int kernel, int size) {
  return {std::max(0, -origin), std::min(kernel, size - origin)};
}

// One row per output pixel: its window [kernel_h][kernel_w][c], zeros where it lies outside the image.
Matrix windows(const Op& op, const Shape& in, const Shape& out, const float* input) {
  const int64_t pixel_values = int64_t{op.kernel_h} * op.kernel_w * in.c;
  Matrix rows = Matrix::Zero(int64_t{out.h} * out.w, pixel_values);
  for (int y = 0; y < out.h; ++y) {
    const int top = y * op.stride_h - op.padding.top;
    for (int x = 0; x < out.w; ++x) {
      const int left = x * op.stride_w - op.padding.left;
      const Taps columns = taps_inside(left, op.kernel_w, in.w);
      if (columns.first >= columns.last) continue;
      float* row = rows.data() + (int64_t{y} * out.w + x) * pixel_values;
      const Taps lines = taps_inside(top, op.kernel_h, in.h);
      for (int ky = lines.first; ky < lines.last; ++ky) {
        const float* from = input + (int64_t{top + ky} * in.w + left + columns.first) * in.c;
        std::copy_n(from, (columns.last - columns.first) * in.c,
                    row + (int64_t{ky} * op.kernel_w + columns.first) * in.c);
      }
    }
  }
  return rows;
}

// output [pixels][c_out] = rows [pixels][values] * weights^T + bias
void product(const ConstMatrix& rows, const FloatWeights& weights, float* output) {
  const auto channels = static_cast<int64_t>(weights.bias.size());
  const ConstMatrix matrix(weights.weights.data(), channels, rows.cols());
  Eigen::Map<Matrix> result(output, rows.rows(), channels);
  result.noalias() = rows * matrix.transpose();
  result.rowwise() += Eigen::Map<const Eigen::RowVectorXf>(weights.bias.data(), channels);
}

void conv(const Op& op, const Shape& in, const Shape& out, const FloatWeights& weights, const float* input,
          float* output) {
  const bool pointwise = op.kernel_h == 1 && op.kernel_w == 1 && op.stride_h == 1 && op.stride_w == 1;
  if (pointwise && op.padding == Padding{}) {
    product(ConstMatrix(input, int64_t{in.h} * in.w, in.c), weights, output);
  } else {
    const Matrix rows = windows(op, in, out, input);
    product(ConstMatrix(rows.data(), rows.rows(), rows.cols()), weights, output);
  }
}

void depthwise(const Op& op, const Shape& in, const Shape& out, const FloatWeights& weights,
               const float* input, float* output) {
  for (int y = 0; y < out.h; ++y) {
    const int top = y * op.stride_h - op.padding.top;
    const Taps lines = taps_inside(top, op.kernel_h, in.h);
    for (int x = 0; x < out.w; ++x) {
      const int left = x * op.stride_w - op.padding.left;
      const Taps columns = taps_inside(left, op.kernel_w, in.w);
      Array sum(output + (int64_t{y} * out.w + x) * out.c, out.c);
      sum = ConstArray(weights.bias.data(), out.c);
      for (int ky = lines.first; ky < lines.last; ++ky) {
        for (int kx = columns.first; kx < columns.last; ++kx) {
          const float* from = input + (int64_t{top + ky} * in.w + left + kx) * in.c;
          const float* tap = weights.weights.data() + (int64_t{ky} * op.kernel_w + kx) * out.c;
          if (op.depth_multiplier == 1) {
            sum += ConstArray(from, in.c) * ConstArray(tap, in.c);
            continue;
          }
          // A column of depth_multiplier output channels for each input channel.
          Eigen::Map<Eigen::ArrayXXf>(sum.data(), op.depth_multiplier, in.c) +=
              Eigen::Map<const Eigen::ArrayXXf>(tap, op.depth_multiplier, in.c).rowwise() *
              ConstArray(from, in.c).transpose();
        }
      }
    }
  }
}

void average_windows(const Op& op, const Shape& in, const Shape& out, const float* input, float* output) {
  for (int y = 0; y < out.h; ++y) {
    const int top = y * op.stride_h - op.padding.top;
    const Taps lines = taps_inside(top, op.kernel_h, in.h);
    for (int x = 0; x < out.w; ++x) {
      const int left = x * op.stride_w - op.padding.left;
      const Taps columns = taps_inside(left, op.kernel_w, in.w);
      Array sum(output + (int64_t{y} * out.w + x) * out.c, out.c);
      sum.setZero();
      for (int ky = lines.first; ky < lines.last; ++ky) {
        for (int kx = columns.first; kx < columns.last; ++kx)
          sum += ConstArray(input + (int64_t{top + ky} * in.w + left + kx) * in.c, in.c);
      }
      sum /= static_cast<float>((lines.last - lines.first) * (columns.last - columns.first));
    }
  }
}

void softmax(const Shape& shape, const float* input, float* output) {
  for (int64_t row = 0; row < int64_t{shape.h} * shape.w; ++row) {
    const ConstArray from(input + row * shape.c, shape.c);
    Array to(output + row * shape.c, shape.c);
    to = (from - from.maxCoeff()).exp();
    to /= to.sum();
  }
}

void global_average(const Shape& in, const float* input, float* output) {
  const int64_t pixels = int64_t{in.h} * in.w;
  const ConstMatrix matrix(input, pixels, in.c);
  Eigen::Map<Eigen::RowVectorXf>(output, in.c) = matrix.colwise().sum() / static_cast<float>(pixels);
}

}  // namespace

void apply_activation(Activation activation, std::vector<float>& values) {
  Array array(values.data(), static_cast<int64_t>(values.size()));
  if (activation != Activation::kNone) array = array.max(0.0f);
  if (activation == Activation::kRelu6) array = array.min(6.0f);
}

void run_float_op(const FloatModel& model, const Op& op, std::vector<std::vector<float>>& values) {
  const Graph& graph = model.graph;
  const Shape& in = graph.tensor(op.inputs[0]).shape;
  const Shape& out = graph.tensor(op.output).shape;
  const std::vector<float>& from = values[static_cast<size_t>(op.inputs[0])];
  std::vector<float>& to = values[static_cast<size_t>(op.output)];
  to.resize(static_cast<size_t>(out.elements()));
  switch (op.kind) {
    case OpKind::kConv2d:
      conv(op, in, out, model.weights.at(op.name), from.data(), to.data());
      break;
    case OpKind::kDepthwiseConv2d:
      depthwise(op, in, out, model.weights.at(op.name), from.data(), to.data());
      break;
    case OpKind::kAdd:
      std::transform(from.begin(), from.end(), values[static_cast<size_t>(op.inputs[1])].begin(), to.begin(),
                     std::plus<>());
      break;
    case OpKind::kGlobalAvgPool:
      global_average(in, from.data(), to.data());
      break;
    case OpKind::kFullyConnected:
      product(ConstMatrix(from.data(), 1, in.elements()), model.weights.at(op.name), to.data());
      break;
    case OpKind::kAvgPool:
      average_windows(op, in, out, from.data(), to.data());
      break;
    case OpKind::kSoftmax:
      softmax(in, from.data(), to.data());
      break;
    case OpKind::kPad:
      pad_values(op.padding, in, out, 0.0f, from.data(), to.data());
      break;
    case OpKind::kReshape:
      to = from;
      break;
  }
}

std::vector<std::vector<float>> run_float(const FloatModel& model, const float* input) {
  const Graph& graph = model.graph;
  std::vector<std::vector<float>> values(graph.tensors.size());
  values[static_cast<size_t>(graph.input)].assign(input, input + graph.tensor(graph.input).shape.elements());
  for (const Op& op : graph.ops) {
    run_float_op(model, op, values);
    apply_activation(op.activation, values[static_cast<size_t>(op.output)]);
  }
  return values;
}

}  // namespace tinynas
