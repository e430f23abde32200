// From a genotype to operators.
#include <utility>

#include "base/error.h"
#include "graph/graph.h"
#include "graph/limits.h"

namespace tinynas {
namespace {

// Appends operators to a graph, each reading the tensors it is given and making a new one.
class GraphBuilder {
 public:
  explicit GraphBuilder(Graph& graph) : graph_(graph) {}

  TensorId tensor(std::string name, const Shape& shape) {
    if (shape.h > kMaxDimension || shape.w > kMaxDimension || shape.c > kMaxDimension ||
        shape.elements() > kMaxElements) {
      throw usage_error("graph \"" + graph_.name + "\": tensor \"" + name + "\" of " +
                        std::to_string(shape.elements()) + " values is larger than the kernels can address");
    }
    graph_.tensors.push_back({std::move(name), shape});
    return static_cast<TensorId>(graph_.tensors.size()) - 1;
  }

  TensorId conv(std::string name, TensorId in, int channels, int kernel, int stride, Activation activation) {
    return windowed(OpKind::kConv2d, std::move(name), in, channels, kernel, stride, activation);
  }

  TensorId depthwise(std::string name, TensorId in, int kernel, int stride, Activation activation) {
    return windowed(OpKind::kDepthwiseConv2d, std::move(name), in, shape(in).c, kernel, stride, activation);
  }

  TensorId add(std::string name, TensorId a, TensorId b) {
    return append(OpKind::kAdd, std::move(name), {a, b}, shape(a)).output;
  }

  TensorId global_avg_pool(std::string name, TensorId in) {
    return append(OpKind::kGlobalAvgPool, std::move(name), {in}, {1, 1, shape(in).c}).output;
  }

  TensorId fully_connected(std::string name, TensorId in, int outputs) {
    return append(OpKind::kFullyConnected, std::move(name), {in}, {1, 1, outputs}).output;
  }

  Shape shape(TensorId id) const { return graph_.tensor(id).shape; }

 private:
  Op& append(OpKind kind, std::string name, std::vector<TensorId> inputs, const Shape& output) {
    Op op;
    op.kind = kind;
    op.inputs = std::move(inputs);
    op.output = tensor(name, output);
    op.name = std::move(name);
    return graph_.ops.emplace_back(std::move(op));
  }

  TensorId windowed(OpKind kind, std::string name, TensorId in, int channels, int kernel, int stride,
                    Activation activation) {
    const Shape from = shape(in);
    const auto [top, bottom] = same_padding(from.h, kernel, stride);
    const auto [left, right] = same_padding(from.w, kernel, stride);
    const Shape to{(from.h + stride - 1) / stride, (from.w + stride - 1) / stride, channels};
    Op& op = append(kind, std::move(name), {in}, to);
    op.kernel_h = op.kernel_w = kernel;
    op.stride_h = op.stride_w = stride;
    op.padding = {top, left, bottom, right};
    op.activation = activation;
    return op.output;
  }

  Graph& graph_;
};

// MBConv: expand, depthwise, project, and the residual where the shapes allow it (MobileNetV2,
// section 3.2-3.3).
TensorId lower_block(GraphBuilder& builder, const std::string& prefix, TensorId in, const BlockChoice& block,
                     int channels, int stride) {
  TensorId x = in;
  if (block.expansion != 1) {
    x = builder.conv(prefix + ".expand", x, builder.shape(in).c * block.expansion, 1, 1, Activation::kRelu6);
  }
  x = builder.depthwise(prefix + ".depthwise", x, block.kernel, stride, Activation::kRelu6);
  x = builder.conv(prefix + ".project", x, channels, 1, 1, Activation::kNone);
  if (builder.shape(x) == builder.shape(in)) x = builder.add(prefix + ".add", in, x);
  return x;
}

}  // namespace

Graph lower(const SearchSpace& space, const Architecture& architecture, int num_classes) {
  validate(space, architecture);
  if (num_classes < 1)
    throw usage_error("num_classes: got " + std::to_string(num_classes) + ", expected 1 or more");
  const double width = architecture.sub_space.width;
  const int resolution = architecture.sub_space.resolution;
  size_t blocks = 0;
  for (const StageChoice& stage : architecture.stages) blocks += stage.blocks.size();

  Graph graph;
  graph.name = space.name;
  graph.ops.reserve(4 * blocks + 4);
  graph.tensors.reserve(4 * blocks + 5);
  GraphBuilder builder(graph);
  graph.input = builder.tensor("input", {resolution, resolution, space.input_channels});

  const int stem_channels = scaled_channels(space.stem.channels, width, space.divisor);
  TensorId x = builder.conv("stem", graph.input, stem_channels, space.stem.kernel, space.stem.stride,
                            Activation::kRelu6);
  for (size_t i = 0; i < architecture.stages.size(); ++i) {
    const StageSpec& stage = space.stages[i];
    const int channels = scaled_channels(stage.channels, width, space.divisor);
    for (size_t j = 0; j < architecture.stages[i].blocks.size(); ++j) {
      const std::string prefix = "stage" + std::to_string(i) + ".block" + std::to_string(j);
      const int stride = j == 0 ? stage.stride : 1;
      x = lower_block(builder, prefix, x, architecture.stages[i].blocks[j], channels, stride);
    }
  }
  if (space.head_channels > 0) {
    const int head_channels = scaled_channels(space.head_channels, width, space.divisor);
    x = builder.conv("head", x, head_channels, 1, 1, Activation::kRelu6);
  }
  x = builder.global_avg_pool("pool", x);
  graph.output = builder.fully_connected("classifier", x, num_classes);
  return graph;
}

}  // namespace tinynas
