// Every kernel against a plain definition on random shapes, each buffer between guard bytes.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <memory>
#include <vector>

#include "base/rng.h"
#include "plain_arithmetic.h"
#include "runtime/tn_buffer_sizes.h"
#include "runtime/tn_kernels.h"

using namespace tinynas;

namespace {

// Bytes between two stretches of guard bytes; destroying it without a check is a mistake the tests must not
// make.
class Guarded {
 public:
  Guarded(int64_t bytes, Rng& rng) : bytes_(bytes), memory_(static_cast<size_t>(bytes + 2 * kGuard)) {
    for (int8_t& byte : memory_) byte = static_cast<int8_t>(rng.next());
    before_ = memory_;
  }
  int8_t* data() { return memory_.data() + kGuard; }
  std::vector<int8_t> content() const { return {memory_.begin() + kGuard, memory_.end() - kGuard}; }
  bool guards_intact() const {
    return std::memcmp(memory_.data(), before_.data(), kGuard) == 0 &&
           std::memcmp(memory_.data() + kGuard + bytes_, before_.data() + kGuard + bytes_, kGuard) == 0;
  }
  bool unchanged() const { return memory_ == before_; }

 private:
  static constexpr int64_t kGuard = 64;
  int64_t bytes_;
  std::vector<int8_t> memory_;
  std::vector<int8_t> before_;
};

int between(Rng& rng, int low, int high) { return low + static_cast<int>(rng.below(high - low + 1)); }

tn_multiplier random_multiplier(Rng& rng, int low_shift, int high_shift) {
  return {static_cast<int32_t>((int64_t{1} << 30) + rng.below(int64_t{1} << 30)),
          between(rng, low_shift, high_shift)};
}

// An operator and the tables it points to; `weights` and `bias` as they are before the exporter fills up the
// rows and folds the zero point into the bias.
struct Conv {
  tn_conv2d_op op{};
  std::vector<int8_t> weights;
  std::vector<int32_t> bias;
  std::vector<int8_t> rows;
  std::vector<int32_t> folded;
  std::vector<int32_t> multipliers;
  std::vector<int8_t> shifts;
};

enum class Kind { kGeneral, kPointwise, kDepthwise, kDepthwiseInPlace, kDepthwiseMultiplier };

// What the planner asks before it chooses the kernel that works in place (cost_models/step_rules).
bool every_window_begins_inside(const tn_conv2d_op& op) {
  return (op.out_h - 1) * op.stride_h < op.in_h && (op.out_w - 1) * op.stride_w < op.in_w;
}

std::unique_ptr<Conv> random_conv(Kind kind, Rng& rng) {
  auto conv = std::make_unique<Conv>();
  tn_conv2d_op& op = conv->op;
  const bool depthwise = kind != Kind::kGeneral && kind != Kind::kPointwise;
  const bool same_size = kind == Kind::kPointwise || (kind == Kind::kDepthwiseInPlace && rng.chance(0.4));
  op.kernel_h = kind == Kind::kPointwise ? 1 : static_cast<uint8_t>(between(rng, 1, 7));
  op.kernel_w = kind == Kind::kPointwise ? 1 : static_cast<uint8_t>(between(rng, 1, 7));
  // Strides above the kernel leave rows and columns out.
  op.stride_h = same_size ? 1 : static_cast<uint8_t>(between(rng, 1, 4));
  op.stride_w = same_size ? 1 : static_cast<uint8_t>(between(rng, 1, 4));
  op.in_c = static_cast<uint16_t>(between(rng, 1, 9));
  op.out_c = depthwise ? op.in_c : static_cast<uint16_t>(between(rng, 1, 9));
  if (kind == Kind::kDepthwiseMultiplier) op.out_c = static_cast<uint16_t>(op.in_c * between(rng, 1, 6));
  // Padding may be lopsided; the map may be one row, one column, or smaller than the kernel.
  op.pad_top = static_cast<uint8_t>(rng.below(op.kernel_h));
  op.pad_left = static_cast<uint8_t>(rng.below(op.kernel_w));
  const int pad_bottom = same_size ? op.kernel_h - 1 - op.pad_top : static_cast<int>(rng.below(op.kernel_h));
  const int pad_right = same_size ? op.kernel_w - 1 - op.pad_left : static_cast<int>(rng.below(op.kernel_w));
  op.in_h = static_cast<uint16_t>(rng.chance(0.2) ? 1 : between(rng, 1, 9));
  op.in_w = static_cast<uint16_t>(rng.chance(0.2) ? 1 : between(rng, 1, 9));
  op.in_h = static_cast<uint16_t>(std::max<int>(op.in_h, op.kernel_h - op.pad_top - pad_bottom));
  op.in_w = static_cast<uint16_t>(std::max<int>(op.in_w, op.kernel_w - op.pad_left - pad_right));
  op.out_h = static_cast<uint16_t>((op.in_h + op.pad_top + pad_bottom - op.kernel_h) / op.stride_h + 1);
  op.out_w = static_cast<uint16_t>((op.in_w + op.pad_left + pad_right - op.kernel_w) / op.stride_w + 1);
  op.input_zero_point = static_cast<int8_t>(between(rng, -128, 127));
  op.output_zero_point = static_cast<int8_t>(between(rng, -128, 127));
  op.activation_min = static_cast<int8_t>(between(rng, -128, 0));
  op.activation_max = static_cast<int8_t>(between(rng, 1, 127));
  conv->weights.resize(static_cast<size_t>(op.kernel_h * op.kernel_w * (depthwise ? 1 : op.in_c) * op.out_c));
  for (int8_t& weight : conv->weights) weight = static_cast<int8_t>(between(rng, -128, 127));
  for (int i = 0; i < op.out_c; ++i) {
    const tn_multiplier multiplier = random_multiplier(rng, -10, 1);
    conv->bias.push_back(between(rng, -5000, 5000));
    conv->multipliers.push_back(multiplier.multiplier);
    conv->shifts.push_back(static_cast<int8_t>(multiplier.shift));
  }
  const auto channels = static_cast<size_t>(op.out_c);
  const size_t taps = conv->weights.size() / channels;
  const auto row = static_cast<size_t>(tn_conv2d_row_bytes(op.kernel_h, op.kernel_w, op.in_c));
  conv->rows = depthwise ? conv->weights : std::vector<int8_t>(channels * row, 0);
  for (size_t out = 0; out < channels; ++out) {
    conv->folded.push_back(conv->bias[out]);
    for (size_t tap = 0; tap < taps; ++tap) {
      const int8_t weight = conv->weights[depthwise ? tap * channels + out : out * taps + tap];
      conv->folded.back() -= op.input_zero_point * weight;
      if (!depthwise) conv->rows[out * row + tap] = weight;
    }
  }
  op.weights = conv->rows.data();
  op.bias = conv->folded.data();
  op.multipliers = conv->multipliers.data();
  op.shifts = conv->shifts.data();
  return conv;
}

std::vector<int8_t> plain_conv(const Conv& conv, bool depthwise, const std::vector<int8_t>& input) {
  const tn_conv2d_op& op = conv.op;
  std::vector<int8_t> output;
  for (int oy = 0; oy < op.out_h; ++oy) {
    for (int ox = 0; ox < op.out_w; ++ox) {
      for (int oc = 0; oc < op.out_c; ++oc) {
        int64_t sum = conv.bias[static_cast<size_t>(oc)];
        for (int ky = 0; ky < op.kernel_h; ++ky) {
          for (int kx = 0; kx < op.kernel_w; ++kx) {
            const int only = oc * op.in_c / op.out_c;  // the input channel that a depthwise one reads
            for (int ic = depthwise ? only : 0; ic < (depthwise ? only + 1 : op.in_c); ++ic) {
              const int y = oy * op.stride_h + ky - op.pad_top;
              const int x = ox * op.stride_w + kx - op.pad_left;
              const bool inside = y >= 0 && y < op.in_h && x >= 0 && x < op.in_w;
              const int value =
                  inside ? input[static_cast<size_t>((y * op.in_w + x) * op.in_c + ic)] : op.input_zero_point;
              const int tap = ky * op.kernel_w + kx;
              const int index =
                  depthwise ? tap * op.out_c + oc : (oc * op.kernel_h * op.kernel_w + tap) * op.in_c + ic;
              const int weight = conv.weights[static_cast<size_t>(index)];
              sum += int64_t{value - op.input_zero_point} * weight;
            }
          }
        }
        const int32_t scaled = plain::multiply_by_quantized_multiplier(static_cast<int32_t>(sum),
                                                                       op.multipliers[oc], op.shifts[oc]);
        output.push_back(
            plain::clamp(int64_t{scaled} + op.output_zero_point, op.activation_min, op.activation_max));
      }
    }
  }
  return output;
}

}  // namespace

TEST_CASE("convolutions equal their definition and stay inside their buffers") {
  const Kind kind = GENERATE(Kind::kGeneral, Kind::kPointwise, Kind::kDepthwise, Kind::kDepthwiseMultiplier);
  Rng rng = Rng(11).fork(static_cast<uint64_t>(kind));
  for (int round = 0; round < 400; ++round) {
    const auto conv = random_conv(kind, rng);
    const tn_conv2d_op& op = conv->op;
    CAPTURE(round, op.in_h, op.in_w, op.in_c, op.out_c, op.kernel_h, op.kernel_w, op.stride_h, op.stride_w);
    Guarded input(int64_t{op.in_h} * op.in_w * op.in_c, rng);
    Guarded output(int64_t{op.out_h} * op.out_w * op.out_c, rng);
    const bool depthwise = kind == Kind::kDepthwise || kind == Kind::kDepthwiseMultiplier;
    const auto expected = plain_conv(*conv, depthwise, input.content());
    const auto kernel = depthwise ? tn_depthwise_conv2d : tn_conv2d;
    kernel(&op, input.data(), output.data(), nullptr);  // no scratch
    REQUIRE(output.content() == expected);
    REQUIRE(output.guards_intact());
    REQUIRE(input.unchanged());
  }
}

TEST_CASE("depthwise in place equals out of place, with the scratch that the planner reserves") {
  Rng rng(12);
  int strided = 0;
  for (int round = 0; round < 1000; ++round) {
    const auto conv = random_conv(Kind::kDepthwiseInPlace, rng);
    const tn_conv2d_op& op = conv->op;
    if (!every_window_begins_inside(op)) continue;
    strided += op.stride_h > 1 || op.stride_w > 1 ? 1 : 0;
    CAPTURE(round, op.in_h, op.in_w, op.in_c, op.kernel_h, op.kernel_w, op.stride_h, op.stride_w, op.pad_top,
            op.pad_left);
    Guarded data(int64_t{op.in_h} * op.in_w * op.in_c, rng);
    Guarded output(int64_t{op.out_h} * op.out_w * op.in_c, rng);
    Guarded scratch(tn_depthwise_conv2d_get_buffer_size(op.in_w, op.kernel_h, op.kernel_w, op.stride_h,
                                                        op.stride_w, 1, 1, TN_PORTABLE),
                    rng);
    const auto expected = plain_conv(*conv, true, data.content());
    tn_depthwise_conv2d(&op, data.data(), output.data(), nullptr);
    tn_depthwise_conv2d_in_place(&op, data.data(), data.data(), scratch.data());
    REQUIRE(output.content() == expected);
    std::vector<int8_t> made = data.content();
    REQUIRE(made.size() >= expected.size());
    made.resize(expected.size());
    REQUIRE(made == expected);
    REQUIRE(data.guards_intact());
    REQUIRE(scratch.guards_intact());
  }
  CHECK(strided > 200);
}

TEST_CASE("add equals its definition, also when the output is one of the inputs") {
  Rng rng(13);
  for (int round = 0; round < 300; ++round) {
    tn_add_op op{};
    op.count = static_cast<uint32_t>(between(rng, 1, 300));
    op.input[0] = random_multiplier(rng, -6, 0);
    op.input[1] = random_multiplier(rng, -6, 0);
    op.output = random_multiplier(rng, -21, -15);
    op.input_zero_point[0] = static_cast<int8_t>(between(rng, -128, 127));
    op.input_zero_point[1] = static_cast<int8_t>(between(rng, -128, 127));
    op.output_zero_point = static_cast<int8_t>(between(rng, -128, 127));
    op.activation_min = static_cast<int8_t>(between(rng, -128, 0));
    op.activation_max = static_cast<int8_t>(between(rng, 1, 127));
    Guarded a(op.count, rng);
    Guarded b(op.count, rng);
    Guarded output(op.count, rng);
    std::vector<int8_t> expected;
    for (uint32_t i = 0; i < op.count; ++i) {
      const auto rescale = [](int value, tn_multiplier by) {
        return plain::multiply_by_quantized_multiplier(value * 1048576, by.multiplier, by.shift);
      };
      const int32_t sum = rescale(a.content()[i] - op.input_zero_point[0], op.input[0]) +
                          rescale(b.content()[i] - op.input_zero_point[1], op.input[1]);
      const int32_t scaled =
          plain::multiply_by_quantized_multiplier(sum, op.output.multiplier, op.output.shift);
      expected.push_back(
          plain::clamp(int64_t{scaled} + op.output_zero_point, op.activation_min, op.activation_max));
    }
    tn_add(&op, a.data(), b.data(), output.data());
    REQUIRE(output.content() == expected);
    REQUIRE((a.unchanged() && b.unchanged() && output.guards_intact()));
    Guarded& over = round % 2 == 0 ? a : b;
    tn_add(&op, a.data(), b.data(), over.data());
    REQUIRE(over.content() == expected);
    REQUIRE(over.guards_intact());
  }
}

TEST_CASE("the mean rescales the sum, then divides halves away from zero") {
  Rng rng(14);
  for (int round = 0; round < 300; ++round) {
    tn_global_avg_pool_op op{};
    op.count = static_cast<uint32_t>(between(rng, 1, 60));
    op.c = static_cast<uint16_t>(between(rng, 1, 20));
    op.mean = random_multiplier(rng, -3, 2);
    op.input_zero_point = static_cast<int8_t>(between(rng, -128, 127));
    op.output_zero_point = static_cast<int8_t>(between(rng, -128, 127));
    op.activation_min = -128;
    op.activation_max = 127;
    Guarded input(int64_t{op.count} * op.c, rng);
    Guarded output(op.c, rng);
    std::vector<int8_t> expected;
    for (int c = 0; c < op.c; ++c) {
      int32_t sum = 0;
      for (uint32_t i = 0; i < op.count; ++i)
        sum += input.data()[i * op.c + static_cast<uint32_t>(c)] - op.input_zero_point;
      const int32_t scaled = plain::multiply_by_quantized_multiplier(sum, op.mean.multiplier, op.mean.shift);
      expected.push_back(
          plain::clamp(plain::rounding_divide(scaled, op.count) + op.output_zero_point, -128, 127));
    }
    tn_global_avg_pool(&op, input.data(), output.data());
    CAPTURE(round, op.count, op.c);
    REQUIRE(output.content() == expected);
    REQUIRE((input.unchanged() && output.guards_intact()));
  }
}

TEST_CASE("average pooling counts positions inside the input alone, halves away from zero") {
  Rng rng(16);
  for (int round = 0; round < 500; ++round) {
    const auto window = random_conv(Kind::kDepthwise, rng);  // shapes, strides and padding of a window
    const tn_conv2d_op& like = window->op;
    tn_avg_pool_op op{};
    op.in_h = like.in_h, op.in_w = like.in_w, op.c = like.in_c;
    op.out_h = like.out_h, op.out_w = like.out_w;
    op.kernel_h = like.kernel_h, op.kernel_w = like.kernel_w;
    op.stride_h = like.stride_h, op.stride_w = like.stride_w;
    op.pad_top = like.pad_top, op.pad_left = like.pad_left;
    op.activation_min = like.activation_min, op.activation_max = like.activation_max;
    Guarded input(int64_t{op.in_h} * op.in_w * op.c, rng);
    Guarded output(int64_t{op.out_h} * op.out_w * op.c, rng);
    std::vector<int8_t> expected;
    for (int i = 0; i < op.out_h * op.out_w * op.c; ++i) {
      const int top = i / op.c / op.out_w * op.stride_h - op.pad_top;
      const int left = i / op.c % op.out_w * op.stride_w - op.pad_left;
      int64_t sum = 0;
      int64_t count = 0;
      for (int y = top; y < top + op.kernel_h; ++y) {
        for (int x = left; x < left + op.kernel_w; ++x) {
          if (y < 0 || y >= op.in_h || x < 0 || x >= op.in_w) continue;
          sum += input.data()[(y * op.in_w + x) * op.c + i % op.c];
          ++count;
        }
      }
      expected.push_back(
          plain::clamp(plain::rounding_divide(sum, count), op.activation_min, op.activation_max));
    }
    tn_avg_pool(&op, input.data(), output.data());
    CAPTURE(round, op.in_h, op.in_w, op.c, op.kernel_h, op.kernel_w, op.stride_h, op.stride_w);
    REQUIRE(output.content() == expected);
    REQUIRE((input.unchanged() && output.guards_intact()));
  }
}

TEST_CASE("a pad is its input with the zero point around it, and without padding a copy") {
  Rng rng(18);
  int copies = 0;
  for (int round = 0; round < 1000; ++round) {
    const auto some = [&] { return static_cast<uint16_t>(rng.chance(0.4) ? 0 : between(rng, 0, 9)); };
    tn_pad_op op{};
    op.in_h = static_cast<uint16_t>(between(rng, 1, 6));
    op.in_w = static_cast<uint16_t>(between(rng, 1, 6));
    op.in_c = static_cast<uint16_t>(between(rng, 1, 11));
    if (round % 10 != 0) {
      op.pad_top = some(), op.pad_left = some(), op.pad_bottom = some(), op.pad_right = some();
      if (rng.chance(0.5)) op.channels_before = some(), op.channels_after = some();
    }
    op.zero_point = static_cast<int8_t>(between(rng, -128, 127));
    const int h = op.pad_top + op.in_h + op.pad_bottom;
    const int w = op.pad_left + op.in_w + op.pad_right;
    const int c = op.channels_before + op.in_c + op.channels_after;
    Guarded input(int64_t{op.in_h} * op.in_w * op.in_c, rng);
    Guarded output(int64_t{h} * w * c, rng);
    std::vector<int8_t> expected;
    for (int i = 0; i < h * w * c; ++i) {
      const int in_y = i / c / w - op.pad_top;
      const int in_x = i / c % w - op.pad_left;
      const int in_c = i % c - op.channels_before;
      const bool inside =
          in_y >= 0 && in_y < op.in_h && in_x >= 0 && in_x < op.in_w && in_c >= 0 && in_c < op.in_c;
      expected.push_back(inside ? input.data()[(in_y * op.in_w + in_x) * op.in_c + in_c] : op.zero_point);
    }
    tn_pad(&op, input.data(), output.data());
    CAPTURE(round, op.in_h, op.in_w, op.in_c, op.channels_before, op.channels_after);
    REQUIRE(output.content() == expected);
    REQUIRE((input.unchanged() && output.guards_intact()));
    copies += output.content() == input.content() ? 1 : 0;
  }
  CHECK(copies >= 100);
}

TEST_CASE("softmax is the real one to within one step, keeps order, and adds up") {
  Rng rng(17);
  for (int round = 0; round < 500; ++round) {
    tn_softmax_op op{};
    op.rows = static_cast<uint32_t>(between(rng, 1, 5));
    op.c = static_cast<uint16_t>(rng.chance(0.1) ? between(rng, 1, 1500) : between(rng, 1, 20));
    // Input scales from 2^-10 to almost 2, as a multiplier of scale * 2^26.
    op.input = random_multiplier(rng, 17, 27);
    const double scale = std::ldexp(op.input.multiplier, op.input.shift - 31 - 26);
    op.difference_min = -static_cast<int32_t>((int64_t{31} << 26) >> op.input.shift);
    Guarded input(int64_t{op.rows} * op.c, rng);
    Guarded output(int64_t{op.rows} * op.c, rng);
    tn_softmax(&op, input.data(), output.data());
    CAPTURE(round, op.rows, op.c, scale);
    for (uint32_t row = 0; row < op.rows; ++row) {
      const int8_t* from = input.data() + row * op.c;
      const int8_t* got = output.data() + row * op.c;
      double sum = 0;
      for (int i = 0; i < op.c; ++i) sum += std::exp(scale * (from[i] - 127));
      for (int i = 0; i < op.c; ++i) {
        const double real = 256 * std::exp(scale * (from[i] - 127)) / sum - 128;
        REQUIRE(std::abs(got[i] - std::min(real, 127.0)) < 0.51);
        if (i > 0) REQUIRE((from[i] < from[i - 1]) * (got[i] > got[i - 1]) == 0);
      }
    }
    REQUIRE((input.unchanged() && output.guards_intact()));
  }
}

TEST_CASE("softmax over more equal classes than its fixed point resolves gives zeros") {
  for (const int classes : {511, 512, 513, 1024, 4095}) {
    const std::vector<int8_t> input(static_cast<size_t>(classes), 5);
    std::vector<int8_t> output(input.size(), 7);
    const tn_softmax_op op{{1 << 30, 23}, -248, 1, static_cast<uint16_t>(classes)};
    tn_softmax(&op, input.data(), output.data());
    const int8_t expected = 256.0 / classes > 0.5 ? -127 : -128;
    CHECK(output == std::vector<int8_t>(input.size(), expected));
  }
}

TEST_CASE("fully connected equals its definition") {
  Rng rng(15);
  for (int round = 0; round < 300; ++round) {
    tn_fully_connected_op op{};
    op.in_c = static_cast<uint32_t>(between(rng, 1, 70));
    op.out_c = static_cast<uint32_t>(between(rng, 1, 12));
    std::vector<int8_t> weights(op.in_c * op.out_c);
    for (int8_t& weight : weights) weight = static_cast<int8_t>(between(rng, -128, 127));
    std::vector<int32_t> bias(op.out_c);
    for (int32_t& value : bias) value = between(rng, -9000, 9000);
    const tn_multiplier requant = random_multiplier(rng, -10, 1);
    const auto shift = static_cast<int8_t>(requant.shift);
    op.weights = weights.data();
    const int input_zero_point = between(rng, -128, 127);
    std::vector<int32_t> folded = bias;
    for (size_t i = 0; i < weights.size(); ++i) folded[i / op.in_c] -= input_zero_point * weights[i];
    op.bias = folded.data();
    op.multipliers = &requant.multiplier;
    op.shifts = &shift;
    op.output_zero_point = static_cast<int8_t>(between(rng, -128, 127));
    op.activation_min = -128;
    op.activation_max = 127;
    Guarded input(op.in_c, rng);
    Guarded output(op.out_c, rng);
    std::vector<int8_t> expected;
    for (uint32_t o = 0; o < op.out_c; ++o) {
      int32_t sum = bias[o];
      for (uint32_t i = 0; i < op.in_c; ++i)
        sum += (input.data()[i] - input_zero_point) * weights[o * op.in_c + i];
      const int32_t scaled = plain::multiply_by_quantized_multiplier(sum, requant.multiplier, requant.shift);
      expected.push_back(plain::clamp(int64_t{scaled} + op.output_zero_point, -128, 127));
    }
    tn_fully_connected(&op, input.data(), output.data(), nullptr);
    REQUIRE(output.content() == expected);
    REQUIRE((input.unchanged() && output.guards_intact()));
  }
}

TEST_CASE(
    "a variant wants no less scratch than the one below it, which a core without its instructions "
    "runs") {
  Rng rng(16);
  for (int round = 0; round < 2000; ++round) {
    const int w = between(rng, 1, 200);
    const int kernel_h = between(rng, 1, 11);
    const int kernel_w = rng.chance(0.6) ? kernel_h : between(rng, 1, 11);
    const int stride = between(rng, 1, 3);
    const int in_c = between(rng, 1, 300);
    CAPTURE(w, kernel_h, kernel_w, stride, in_c);
    for (const int below : {TN_PORTABLE, TN_DSP}) {
      CHECK(tn_conv2d_get_buffer_size(in_c, kernel_h, kernel_w, below) <=
            tn_conv2d_get_buffer_size(in_c, kernel_h, kernel_w, below + 1));
      CHECK(tn_fully_connected_get_buffer_size(in_c, below) <=
            tn_fully_connected_get_buffer_size(in_c, below + 1));
    }
    for (int in_place = 0; in_place < 2; ++in_place) {
      const auto bytes = [&](int v) {
        return tn_depthwise_conv2d_get_buffer_size(w, kernel_h, kernel_w, stride, stride, in_place, 1, v);
      };
      CHECK(bytes(TN_PORTABLE) <= bytes(TN_DSP));
      CHECK(bytes(TN_DSP) <= bytes(TN_MVE));
    }
  }
}
