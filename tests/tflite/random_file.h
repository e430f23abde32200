// Random small files as other tools write them, of operators that TensorFlow Lite computes as we do: pads and
// reshapes of tensors of one to four dimensions before anything, twice, in branches and at the ends. And what
// they compute, tensor by tensor as the file has them, knowing nothing of our graph.
#pragma once

#include <algorithm>
#include <numeric>

#include "base/rng.h"
#include "file_builder.h"
#include "quantize/reference.h"

namespace tinynas::testing {

class RandomFile {
 public:
  explicit RandomFile(Rng& rng) : rng_(rng) {
    current_ = activation({1, 1 + below(6), 1 + below(6), 1 + below(6)}, random_params());
    const int blocks = 2 + below(4);
    for (int i = 0; i < blocks; ++i) grow();
    if (rng_.chance(0.3)) pad();
    if (rng_.chance(0.3)) connect();
    if (rng_.chance(0.3)) pad();
    // The network's output is computed by an operator that is none of the two, or is a PAD.
    if (file_.ops.empty() || file_.ops.back().code == Code::RESHAPE) pad();
    file_.outputs = {current_};
  }

  const File& file() const { return file_; }

 private:
  struct Params {
    float scale;
    int64_t zero_point;
  };

  int below(int most) { return static_cast<int>(rng_.below(most)); }
  const std::vector<int32_t>& dims(int32_t id) const { return file_.tensors[static_cast<size_t>(id)].dims; }
  const std::vector<int32_t>& dims() const { return dims(current_); }
  Params params() const {
    const FileTensor& tensor = file_.tensors[static_cast<size_t>(current_)];
    return {tensor.scales[0], tensor.zero_points[0]};
  }
  Params random_params() { return {0.02f * static_cast<float>(1 + below(4)), below(256) - 128}; }

  int32_t activation(const std::vector<int32_t>& dims, const Params& params) {
    const std::string name = "t" + std::to_string(file_.tensors.size());
    return file_.add({name, dims, Type::INT8, {params.scale}, {params.zero_point}});
  }
  int32_t ints(const std::vector<int32_t>& dims, const std::vector<int32_t>& values) {
    return file_.add(
        {"c" + std::to_string(file_.tensors.size()), dims, Type::INT32, {}, {}, int32_bytes(values)});
  }
  int32_t weights(const std::vector<int32_t>& dims) {
    const int32_t count = std::accumulate(dims.begin(), dims.end(), 1, std::multiplies<>());
    std::vector<uint8_t> bytes;
    for (int32_t i = 0; i < count; ++i) bytes.push_back(static_cast<uint8_t>(below(255) - 127));
    return file_.add({"w" + std::to_string(file_.tensors.size()), dims, Type::INT8, {0.01f}, {0}, bytes});
  }

  void pad() {
    std::vector<int32_t> by;
    std::vector<int32_t> to;
    for (size_t d = 0; d < dims().size(); ++d) {
      const bool batch = dims().size() == 4 && d == 0;
      const int most = rng_.chance(0.5) ? 3 : 1;
      by.insert(by.end(), {batch ? 0 : below(most), batch ? 0 : below(most)});
      to.push_back(dims()[d] + by[2 * d] + by[2 * d + 1]);
    }
    pad(by, to);
  }
  void pad(const std::vector<int32_t>& by, const std::vector<int32_t>& to) {
    const int32_t paddings = ints({static_cast<int32_t>(dims().size()), 2}, by);
    const int32_t made = activation(to, params());
    file_.ops.push_back({Code::PAD, {current_, paddings}, {made}});
    current_ = made;
  }

  void reshape(const std::vector<int32_t>& to) {
    const int32_t shape = ints({static_cast<int32_t>(to.size())}, to);
    const int32_t made = activation(to, params());
    file_.ops.push_back({Code::RESHAPE, {current_, shape}, {made}});
    current_ = made;
  }
  // One to four dimensions; a batch of 1 first.
  void reshape() {
    int32_t rest = std::accumulate(dims().begin(), dims().end(), 1, std::multiplies<>());
    const int rank = 1 + below(4);
    std::vector<int32_t> to;
    for (int d = rank - 1; d > 0; --d) {
      std::vector<int32_t> sides;
      for (int32_t side = 1; side <= rest; ++side) {
        if (rest % side == 0) sides.push_back(side);
      }
      const int32_t side = d == 1 && rank == 4 ? rest : rng_.pick(sides);
      to.insert(to.begin(), side);
      rest /= side;
    }
    to.insert(to.begin(), rest);
    reshape(to);
  }

  void to_four_dimensions() {
    if (dims().size() == 4) return;
    std::vector<int32_t> to = dims();
    to.insert(to.begin(), 4 - to.size(), 1);
    reshape(to);
  }

  int32_t pool(int32_t from, int kernel_h, int kernel_w) {
    const std::vector<int32_t>& in = dims(from);
    const int32_t made = activation({1, in[1] - kernel_h + 1, in[2] - kernel_w + 1, in[3]}, params());
    file_.ops.push_back(
        {Code::AVERAGE_POOL_2D,
         {from},
         {made},
         {fb::BuiltinOptions::Pool2DOptions, [=](auto& b) {
            return fb::CreatePool2DOptions(b, fb::Padding::VALID, 1, 1, kernel_w, kernel_h).Union();
          }}});
    return made;
  }

  int32_t depthwise(int32_t from, int kernel_h, int kernel_w) {
    const std::vector<int32_t> in = dims(from);
    const int32_t w = weights({1, kernel_h, kernel_w, in[3]});
    const int32_t made = activation({1, in[1] - kernel_h + 1, in[2] - kernel_w + 1, in[3]}, random_params());
    file_.ops.push_back({Code::DEPTHWISE_CONV_2D,
                         {from, w, zeros(in[3])},
                         {made},
                         {fb::BuiltinOptions::DepthwiseConv2DOptions, [](auto& b) {
                            return fb::CreateDepthwiseConv2DOptions(b, fb::Padding::VALID, 1, 1, 1).Union();
                          }}});
    return made;
  }
  int32_t zeros(int32_t count) { return ints({count}, std::vector<int32_t>(static_cast<size_t>(count), 0)); }

  int32_t add(int32_t a, int32_t b) {
    const int32_t made = activation(dims(a), random_params());
    file_.ops.push_back({Code::ADD, {a, b}, {made}, add_options()});
    return made;
  }

  // MEAN over rows and columns. TensorFlow Lite rounds as we do where all four dimensions are kept.
  void connect() {
    to_four_dimensions();
    const std::vector<int32_t> in = dims();
    const int32_t axes = ints({2}, {1, 2});
    const int32_t made = activation({1, 1, 1, in[3]}, random_params());
    file_.ops.push_back({Code::MEAN, {current_, axes}, {made}, mean_options(/*keep_dims=*/true)});
    current_ = made;
    if (rng_.chance(0.5)) {
      reshape({1, in[3]});
      pad();
    }
  }

  void grow() {
    switch (below(6)) {
      case 0:
        reshape();
        pad();
        return;
      case 1: {  // a shortcut around a pool of the padded map
        to_four_dimensions();
        const int32_t before = current_;
        const std::vector<int32_t> in = dims();
        pad({0, 0, 1, 1, 0, 2, 0, 0}, {1, in[1] + 2, in[2] + 2, in[3]});
        const int32_t pooled = pool(current_, 3, 3);
        current_ = add(before, pooled);
        return;
      }
      case 2: {  // one PAD that a convolution takes for its own and a pool does not
        to_four_dimensions();
        const std::vector<int32_t> in = dims();
        pad({0, 0, 1, 1, 1, 0, 0, 0}, {1, in[1] + 2, in[2] + 1, in[3]});
        const int32_t padded = current_;
        const bool convolution_first = rng_.chance(0.5);
        const int32_t a = convolution_first ? depthwise(padded, 3, 2) : pool(padded, 3, 2);
        const int32_t b = convolution_first ? pool(padded, 3, 2) : depthwise(padded, 3, 2);
        current_ = add(a, b);
        return;
      }
      case 3: {  // as ResNet's shortcuts: the pool's channels doubled by zeros
        to_four_dimensions();
        const std::vector<int32_t> in = dims();
        const int32_t half = in[3] / 2;
        const int32_t pooled = pool(current_, 1, 1);
        current_ = pooled;
        pad({0, 0, 0, 0, 0, 0, half, in[3] - half}, {1, in[1], in[2], 2 * in[3]});
        pad();
        return;
      }
      case 4: {  // two shapes of one tensor, and back
        to_four_dimensions();
        const int32_t before = current_;
        const std::vector<int32_t> in = dims();
        reshape({1, in[2], in[1], in[3]});
        current_ = depthwise(current_, 1, 1);
        reshape(in);
        current_ = add(current_, before);
        return;
      }
      default: {  // padding that no window of the convolution covers
        to_four_dimensions();
        const std::vector<int32_t> in = dims();
        pad({0, 0, 2, 0, 0, 0, 0, 0}, {1, in[1] + 2, in[2], in[3]});
        current_ = depthwise(current_, 2, 1);
      }
    }
  }

  Rng& rng_;
  File file_;
  int32_t current_ = 0;
};

// Every tensor that operators of such a file make.
inline std::vector<std::vector<int8_t>> run_file(const File& file, const std::vector<int8_t>& input) {
  std::vector<std::vector<int8_t>> values(file.tensors.size());
  values[static_cast<size_t>(file.inputs[0])] = input;
  const auto count_of = [](const std::vector<int32_t>& dims) {
    return static_cast<size_t>(std::accumulate(dims.begin(), dims.end(), 1, std::multiplies<>()));
  };
  for (const FileOp& op : file.ops) {
    const auto tensor = [&](int32_t id) -> const FileTensor& {
      return file.tensors[static_cast<size_t>(id)];
    };
    const FileTensor& in = tensor(op.inputs[0]);
    const FileTensor& out = tensor(op.outputs[0]);
    const std::vector<int8_t>& from = values[static_cast<size_t>(op.inputs[0])];
    std::vector<int8_t>& to = values[static_cast<size_t>(op.outputs[0])];
    to.resize(count_of(out.dims));
    const auto in_zero = static_cast<int32_t>(in.zero_points[0]);
    const auto out_zero = static_cast<int32_t>(out.zero_points[0]);
    const auto clamped = [&](int32_t value) {
      return static_cast<int8_t>(std::clamp(value + out_zero, -128, 127));
    };
    const auto at = [&](int y, int x, int c) {
      return static_cast<int32_t>(from[static_cast<size_t>((y * in.dims[2] + x) * in.dims[3] + c)]);
    };
    const double scales = static_cast<double>(in.scales[0]) / static_cast<double>(out.scales[0]);
    if (op.code == Code::RESHAPE) {
      to = from;
    } else if (op.code == Code::PAD) {
      std::vector<int32_t> by(2 * in.dims.size());
      std::memcpy(by.data(), tensor(op.inputs[1]).data.data(), by.size() * 4);
      std::fill(to.begin(), to.end(), static_cast<int8_t>(out_zero));
      for (size_t i = 0; i < from.size(); ++i) {
        size_t rest = i;
        size_t index = 0;
        size_t stride = 1;
        for (size_t d = in.dims.size(); d-- > 0;) {
          const auto size = static_cast<size_t>(in.dims[d]);
          index += (rest % size + static_cast<size_t>(by[2 * d])) * stride;
          rest /= size;
          stride *= static_cast<size_t>(out.dims[d]);
        }
        to[index] = from[i];
      }
    } else if (op.code == Code::ADD) {
      const FileTensor& in2 = tensor(op.inputs[1]);
      const std::vector<int8_t>& from2 = values[static_cast<size_t>(op.inputs[1])];
      const double twice =
          2.0 * std::max(static_cast<double>(in.scales[0]), static_cast<double>(in2.scales[0]));
      const auto part = [&](int8_t value, const FileTensor& of) {
        return multiply_by_quantized_multiplier((value - static_cast<int32_t>(of.zero_points[0])) * (1 << 20),
                                                to_fixed(static_cast<double>(of.scales[0]) / twice));
      };
      const FixedMultiplier back = to_fixed(twice / ((1 << 20) * static_cast<double>(out.scales[0])));
      for (size_t i = 0; i < to.size(); ++i)
        to[i] = clamped(multiply_by_quantized_multiplier(part(from[i], in) + part(from2[i], in2), back));
    } else if (op.code == Code::MEAN) {
      const int32_t n = in.dims[1] * in.dims[2];
      for (int32_t c = 0; c < in.dims[3]; ++c) {
        int32_t sum = 0;
        for (int32_t i = 0; i < n; ++i) sum += at(i / in.dims[2], i % in.dims[2], c) - in_zero;
        sum = multiply_by_quantized_multiplier(sum, to_fixed(scales));
        to[static_cast<size_t>(c)] = clamped(sum > 0 ? (sum + n / 2) / n : (sum - n / 2) / n);
      }
    } else {  // windows of stride 1 that lie inside; their size from the shapes
      const int kernel_h = in.dims[1] - out.dims[1] + 1;
      const int kernel_w = in.dims[2] - out.dims[2] + 1;
      const bool convolution = op.code == Code::DEPTHWISE_CONV_2D;
      for (size_t i = 0; i < to.size(); ++i) {
        const int c = static_cast<int>(i) % out.dims[3];
        const int x = static_cast<int>(i) / out.dims[3] % out.dims[2];
        const int y = static_cast<int>(i) / out.dims[3] / out.dims[2];
        int32_t sum = 0;
        for (int tap = 0; tap < kernel_h * kernel_w; ++tap) {
          const int32_t value = at(y + tap / kernel_w, x + tap % kernel_w, c);
          if (!convolution) {
            sum += value;
            continue;
          }
          const uint8_t weight = tensor(op.inputs[1]).data[static_cast<size_t>(tap * out.dims[3] + c)];
          sum += (value - in_zero) * static_cast<int8_t>(weight);
        }
        const int32_t n = kernel_h * kernel_w;
        to[i] = convolution ? clamped(multiply_by_quantized_multiplier(
                                  sum, to_fixed(static_cast<double>(in.scales[0]) *
                                                static_cast<double>(tensor(op.inputs[1]).scales[0]) /
                                                static_cast<double>(out.scales[0]))))
                            : static_cast<int8_t>(sum > 0 ? (sum + n / 2) / n : (sum - n / 2) / n);
      }
    }
  }
  return values;
}

}  // namespace tinynas::testing
