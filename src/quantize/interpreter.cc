#include "quantize/interpreter.h"

#include <algorithm>
#include <array>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/error.h"
#include "quantize/fixed_point.h"
#include "quantize/pad_values.h"
#include "quantize/softmax.h"

namespace tinynas {
namespace {

// Convolutions and fully connected layers are computed in blocks of kPixels x kChannels accumulators. Inputs
// are widened to int16 with the zero point taken off (so that padding is 0), weights to int16 in pairs along
// the reduction, which is what one pmaddwd multiplies and adds. Everything is integer: the order of summation
// does not matter.
constexpr int kPixels = 4;
constexpr int kChannels = 8;

using Accumulators = std::array<std::array<int32_t, kChannels>, kPixels>;

// Every pixel's `pairs` pairs of inputs times weights [pair][kChannels][2], added to `sums`.
void multiply_accumulate(const std::array<const int16_t*, kPixels>& inputs, const int16_t* weights, int pairs,
                         Accumulators& sums) {
#if defined(__SSE2__)
  __m128i low[kPixels];
  __m128i high[kPixels];
  for (int p = 0; p < kPixels; ++p) {
    low[p] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(sums[p].data()));
    high[p] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(sums[p].data() + 4));
  }
  for (int i = 0; i < pairs; ++i) {
    const __m128i weights_low =
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(weights + i * 2 * kChannels));
    const __m128i weights_high =
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(weights + i * 2 * kChannels + 8));
    for (int p = 0; p < kPixels; ++p) {
      int32_t pair;
      std::memcpy(&pair, inputs[p] + 2 * i, sizeof pair);
      const __m128i values = _mm_set1_epi32(pair);
      low[p] = _mm_add_epi32(low[p], _mm_madd_epi16(values, weights_low));
      high[p] = _mm_add_epi32(high[p], _mm_madd_epi16(values, weights_high));
    }
  }
  for (int p = 0; p < kPixels; ++p) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(sums[p].data()), low[p]);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(sums[p].data() + 4), high[p]);
  }
#else
  for (int i = 0; i < pairs; ++i) {
    for (int p = 0; p < kPixels; ++p) {
      for (int c = 0; c < kChannels; ++c) {
        const int16_t* pair = weights + (i * kChannels + c) * 2;
        sums[p][c] += inputs[p][2 * i] * pair[0] + inputs[p][2 * i + 1] * pair[1];
      }
    }
  }
#endif
}

// Depthwise: one tap of every channel. Apart from each other in memory, which is what lets the compiler
// vectorise.
void multiply_accumulate_channels(const int16_t* __restrict inputs, const int16_t* __restrict weights,
                                  int channels, int32_t* __restrict sums) {
  for (int c = 0; c < channels; ++c) sums[c] += int32_t{inputs[c]} * weights[c];
}

// An operator with weights, laid out for the loops below.
struct Prepared {
  std::vector<int16_t> weights;
  std::vector<int32_t> bias;                      // padded to whole blocks
  std::vector<FixedMultiplier> requant;           // one a channel, padded likewise
  std::array<std::vector<int32_t>, 2> add_input;  // ADD: the rescaled value of every int8, index q + 128
};

int round_up(int value, int multiple) { return (value + multiple - 1) / multiple * multiple; }

// Lines of the reduction that are contiguous in the input: kernel rows of kernel_w * c values; one for fully
// connected.
struct Reduction {
  int lines;
  int values;
  int pairs() const { return (values + 1) / 2; }
};
Reduction reduction_of(const Op& op, const Shape& in) {
  if (op.kind == OpKind::kFullyConnected) return {1, static_cast<int>(in.elements())};
  return {op.kernel_h, op.kernel_w * in.c};
}

// [c_out][line][value] -> [block of channels][line][pair][channel of the block][2]; zeros fill odd lines and
// blocks.
std::vector<int16_t> pack_weights(const std::vector<int8_t>& weights, const Reduction& reduction,
                                  int channels) {
  const size_t line_size = static_cast<size_t>(reduction.pairs()) * kChannels * 2;
  const size_t block_size = line_size * static_cast<size_t>(reduction.lines);
  std::vector<int16_t> packed(block_size * static_cast<size_t>(round_up(channels, kChannels) / kChannels), 0);
  size_t from = 0;
  for (int c = 0; c < channels; ++c) {
    for (int line = 0; line < reduction.lines; ++line) {
      int16_t* to = packed.data() + static_cast<size_t>(c / kChannels) * block_size +
                    static_cast<size_t>(line) * line_size + static_cast<size_t>(c % kChannels) * 2;
      for (int value = 0; value < reduction.values; ++value) {
        to[static_cast<size_t>(value / 2) * kChannels * 2 + static_cast<size_t>(value % 2)] = weights[from++];
      }
    }
  }
  return packed;
}

Prepared prepare(const Int8Model& model, size_t index) {
  const Op& op = model.graph.ops[index];
  const Int8Op& data = model.ops[index];
  Prepared prepared;
  if (op.kind == OpKind::kAdd) {
    for (size_t i = 0; i < 2; ++i) {
      const int32_t zero_point = model.tensors[static_cast<size_t>(op.inputs[i])].zero_point;
      for (int32_t q = -128; q <= 127; ++q) {
        prepared.add_input[i].push_back(rescale((q - zero_point) * (1 << 20), data.add_input[i]));
      }
    }
  }
  if (!op.has_weights()) return prepared;
  const int channels = static_cast<int>(data.bias.size());
  if (op.kind == OpKind::kDepthwiseConv2d) {
    prepared.weights.assign(data.weights.begin(), data.weights.end());
  } else {
    const Shape& in = model.graph.tensor(op.inputs[0]).shape;
    prepared.weights = pack_weights(data.weights, reduction_of(op, in), channels);
  }
  prepared.bias = data.bias;
  prepared.bias.resize(static_cast<size_t>(round_up(channels, kChannels)), 0);
  prepared.requant = data.requant;
  if (prepared.requant.size() == 1) prepared.requant.assign(data.bias.size(), data.requant[0]);
  prepared.requant.resize(prepared.bias.size());
  return prepared;
}

int8_t clamp_to_int8(int32_t value, const Int8Op& data) {
  return static_cast<int8_t>(std::min(std::max(value, data.activation_min), data.activation_max));
}

}  // namespace

struct Interpreter::State {
  const Int8Model& model;
  std::vector<Prepared> prepared;
  std::vector<std::vector<int8_t>> tensors;
  std::vector<int16_t>
      padded;                 // input of the current operator: int16, zero point taken off, padding around it
  std::vector<int32_t> sums;  // depthwise: one accumulator a channel

  explicit State(const Int8Model& m) : model(m) {
    model.check();
    for (size_t i = 0; i < model.ops.size(); ++i) prepared.push_back(prepare(model, i));
    for (const Tensor& tensor : model.graph.tensors) tensors.emplace_back(tensor.shape.elements());
  }

  const QuantParams& params(TensorId id) const { return model.tensors[static_cast<size_t>(id)]; }
  std::vector<int8_t>& values(TensorId id) { return tensors[static_cast<size_t>(id)]; }

  // Fills `padded` for `op`; the shape of what it holds. One value more is readable, for odd reductions.
  Shape widen_input(const Op& op) {
    const Shape& in = model.graph.tensor(op.inputs[0]).shape;
    const Padding& padding = op.padding;
    const Shape shape{in.h + padding.top + padding.bottom, in.w + padding.left + padding.right, in.c};
    padded.assign(static_cast<size_t>(shape.elements()) + 1, 0);
    const auto zero_point = static_cast<int16_t>(params(op.inputs[0]).zero_point);
    const int8_t* from = values(op.inputs[0]).data();
    const int row = in.w * in.c;
    for (int y = 0; y < in.h; ++y) {
      int16_t* to = padded.data() + (int64_t{y + padding.top} * shape.w + padding.left) * shape.c;
      for (int i = 0; i < row; ++i) to[i] = static_cast<int16_t>(from[i] - zero_point);
      from += row;
    }
    return shape;
  }

  void convolve(const Op& op, const Int8Op& data, const Prepared& ready) {
    const Shape in = widen_input(op);
    const Shape& out = model.graph.tensor(op.output).shape;
    const Reduction reduction = reduction_of(op, model.graph.tensor(op.inputs[0]).shape);
    const int64_t line_stride = int64_t{in.w} * in.c;
    const int32_t zero_point = params(op.output).zero_point;
    const int pixels = out.h * out.w;
    int8_t* output = values(op.output).data();
    for (int first = 0; first < pixels; first += kPixels) {
      const int count = std::min(kPixels, pixels - first);
      std::array<const int16_t*, kPixels> window;
      for (int p = 0; p < kPixels; ++p) {
        const int pixel = first + std::min(p, count - 1);  // the last block repeats its last pixel
        const int y = pixel / out.w;
        const int x = pixel % out.w;
        window[p] = padded.data() + y * op.stride_h * line_stride + int64_t{x} * op.stride_w * in.c;
      }
      const int16_t* weights = ready.weights.data();
      for (int block = 0; block < out.c; block += kChannels) {
        Accumulators sums;
        for (auto& row : sums) std::copy_n(ready.bias.data() + block, kChannels, row.begin());
        for (int line = 0; line < reduction.lines; ++line) {
          std::array<const int16_t*, kPixels> inputs;
          for (int p = 0; p < kPixels; ++p) inputs[p] = window[p] + line * line_stride;
          multiply_accumulate(inputs, weights, reduction.pairs(), sums);
          weights += reduction.pairs() * kChannels * 2;
        }
        const int channels = std::min(kChannels, out.c - block);
        for (int p = 0; p < count; ++p) {
          int8_t* to = output + int64_t{first + p} * out.c + block;
          for (int c = 0; c < channels; ++c) {
            to[c] = clamp_to_int8(rescale(sums[p][c], ready.requant[block + c]) + zero_point, data);
          }
        }
      }
    }
  }

  void convolve_depthwise(const Op& op, const Int8Op& data, const Prepared& ready) {
    const Shape in = widen_input(op);
    const Shape& out = model.graph.tensor(op.output).shape;
    const int32_t zero_point = params(op.output).zero_point;
    sums.resize(static_cast<size_t>(out.c));
    int8_t* to = values(op.output).data();
    for (int y = 0; y < out.h; ++y) {
      for (int x = 0; x < out.w; ++x) {
        std::copy_n(ready.bias.begin(), out.c, sums.begin());
        const int16_t* weights = ready.weights.data();
        for (int ky = 0; ky < op.kernel_h; ++ky) {
          const int16_t* from =
              padded.data() + (int64_t{y * op.stride_h + ky} * in.w + int64_t{x} * op.stride_w) * in.c;
          for (int kx = 0; kx < op.kernel_w; ++kx, from += in.c, weights += out.c) {
            if (op.depth_multiplier == 1) {
              multiply_accumulate_channels(from, weights, out.c, sums.data());
            } else {
              for (int c = 0; c < out.c; ++c) sums[c] += from[c / op.depth_multiplier] * weights[c];
            }
          }
        }
        for (int c = 0; c < out.c; ++c) {
          *to++ = clamp_to_int8(rescale(sums[c], ready.requant[c]) + zero_point, data);
        }
      }
    }
  }

  void connect(const Op& op, const Int8Op& data, const Prepared& ready) {
    widen_input(op);
    const Reduction reduction = reduction_of(op, model.graph.tensor(op.inputs[0]).shape);
    const int32_t zero_point = params(op.output).zero_point;
    const int16_t* weights = ready.weights.data();
    std::vector<int8_t>& output = values(op.output);
    std::array<const int16_t*, kPixels> inputs;
    inputs.fill(padded.data());  // one pixel; the other three lanes repeat it
    for (size_t block = 0; block < output.size(); block += kChannels) {
      Accumulators sums;
      for (auto& row : sums) std::copy_n(ready.bias.data() + block, kChannels, row.begin());
      multiply_accumulate(inputs, weights, reduction.pairs(), sums);
      weights += reduction.pairs() * kChannels * 2;
      const size_t channels = std::min<size_t>(kChannels, output.size() - block);
      for (size_t c = 0; c < channels; ++c) {
        output[block + c] = clamp_to_int8(rescale(sums[0][c], ready.requant[block + c]) + zero_point, data);
      }
    }
  }

  void add(const Op& op, const Int8Op& data, const Prepared& ready) {
    const std::vector<int8_t>& a = values(op.inputs[0]);
    const std::vector<int8_t>& b = values(op.inputs[1]);
    std::vector<int8_t>& output = values(op.output);
    const int32_t zero_point = params(op.output).zero_point;
    const int32_t* rescaled_a = ready.add_input[0].data() + 128;
    const int32_t* rescaled_b = ready.add_input[1].data() + 128;
    for (size_t i = 0; i < output.size(); ++i) {
      output[i] =
          clamp_to_int8(rescale(rescaled_a[a[i]] + rescaled_b[b[i]], data.add_output) + zero_point, data);
    }
  }

  // AVERAGE_POOL_2D: values are averaged as they are, since input and output have the same parameters.
  void average_windows(const Op& op, const Int8Op& data) {
    const Shape& in = model.graph.tensor(op.inputs[0]).shape;
    const Shape& out = model.graph.tensor(op.output).shape;
    const std::vector<int8_t>& input = values(op.inputs[0]);
    int8_t* to = values(op.output).data();
    for (int y = 0; y < out.h; ++y) {
      const int top = y * op.stride_h - op.padding.top;
      const int first_y = std::max(top, 0);
      const int end_y = std::min(top + op.kernel_h, in.h);
      for (int x = 0; x < out.w; ++x) {
        const int left = x * op.stride_w - op.padding.left;
        const int first_x = std::max(left, 0);
        const int end_x = std::min(left + op.kernel_w, in.w);
        sums.assign(static_cast<size_t>(in.c), 0);
        for (int iy = first_y; iy < end_y; ++iy) {
          const int8_t* from = input.data() + (int64_t{iy} * in.w + first_x) * in.c;
          for (int ix = first_x; ix < end_x; ++ix, from += in.c) {
            for (int c = 0; c < in.c; ++c) sums[c] += from[c];
          }
        }
        const int count = (end_y - first_y) * (end_x - first_x);
        for (int c = 0; c < in.c; ++c) *to++ = clamp_to_int8(rounded_quotient(sums[c], count), data);
      }
    }
  }

  void softmax(const Op& op, const Int8Op& data) {
    const Shape& shape = model.graph.tensor(op.inputs[0]).shape;
    const int8_t* from = values(op.inputs[0]).data();
    int8_t* to = values(op.output).data();
    for (int row = 0; row < shape.h * shape.w; ++row, from += shape.c, to += shape.c)
      softmax_row(from, shape.c, data.softmax_input, data.softmax_difference_min, to);
  }

  void pad(const Op& op) {
    const Shape& in = model.graph.tensor(op.inputs[0]).shape;
    const Shape& out = model.graph.tensor(op.output).shape;
    pad_values(op.padding, in, out, static_cast<int8_t>(params(op.output).zero_point),
               values(op.inputs[0]).data(), values(op.output).data());
  }

  void average(const Op& op, const Int8Op& data) {
    const Shape& in = model.graph.tensor(op.inputs[0]).shape;
    const int pixels = in.h * in.w;
    sums.assign(static_cast<size_t>(in.c), -pixels * params(op.inputs[0]).zero_point);
    const int8_t* from = values(op.inputs[0]).data();
    for (int pixel = 0; pixel < pixels; ++pixel, from += in.c) {
      for (int c = 0; c < in.c; ++c) sums[c] += from[c];
    }
    const int32_t zero_point = params(op.output).zero_point;
    std::vector<int8_t>& output = values(op.output);
    for (int c = 0; c < in.c; ++c) {
      output[c] = clamp_to_int8(rescaled_mean(sums[c], pixels, data.mean) + zero_point, data);
    }
  }

  void run(size_t i) {
    const Op& op = model.graph.ops[i];
    const Int8Op& data = model.ops[i];
    switch (op.kind) {
      case OpKind::kConv2d:
        convolve(op, data, prepared[i]);
        break;
      case OpKind::kDepthwiseConv2d:
        convolve_depthwise(op, data, prepared[i]);
        break;
      case OpKind::kAdd:
        add(op, data, prepared[i]);
        break;
      case OpKind::kGlobalAvgPool:
        average(op, data);
        break;
      case OpKind::kFullyConnected:
        connect(op, data, prepared[i]);
        break;
      case OpKind::kAvgPool:
        average_windows(op, data);
        break;
      case OpKind::kSoftmax:
        softmax(op, data);
        break;
      case OpKind::kPad:
        pad(op);
        break;
      case OpKind::kReshape:
        values(op.output) = values(op.inputs[0]);
        break;
    }
  }
};

Interpreter::Interpreter(const Int8Model& model) : state_(std::make_unique<State>(model)) {}
Interpreter::~Interpreter() = default;

const std::vector<int8_t>& Interpreter::run(const int8_t* input) {
  State& state = *state_;
  const Graph& graph = state.model.graph;
  std::vector<int8_t>& first = state.values(graph.input);
  std::copy_n(input, first.size(), first.begin());
  for (size_t i = 0; i < graph.ops.size(); ++i) state.run(i);
  return state.values(graph.output);
}

const std::vector<int8_t>& Interpreter::run_operator(size_t index, const std::vector<const int8_t*>& inputs) {
  State& state = *state_;
  const Op& op = state.model.graph.ops.at(index);
  for (size_t i = 0; i < op.inputs.size(); ++i) {
    std::vector<int8_t>& tensor = state.values(op.inputs[i]);
    std::copy_n(inputs.at(i), tensor.size(), tensor.begin());
  }
  state.run(index);
  return state.values(op.output);
}

const std::vector<int8_t>& Interpreter::tensor(TensorId id) const {
  const auto& tensors = state_->tensors;
  if (id < 0 || static_cast<size_t>(id) >= tensors.size()) {
    throw usage_error("interpreter: there is no tensor " + std::to_string(id));
  }
  return tensors[static_cast<size_t>(id)];
}

std::vector<int8_t> quantize_pixels(const uint8_t* pixels, int64_t count) {
  std::vector<int8_t> quantized(static_cast<size_t>(count));
  std::transform(pixels, pixels + count, quantized.begin(),
                 [](uint8_t pixel) { return static_cast<int8_t>(pixel - 128); });
  return quantized;
}

int argmax(const std::vector<int8_t>& logits) {
  return static_cast<int>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

}  // namespace tinynas
