#include "cost_models/latency_features.h"

#include <algorithm>

#include "runtime/tn_buffer_sizes.h"

namespace tinynas {
namespace {

using Names = std::vector<const char*>;

int64_t divided_up(int64_t count, int64_t by) { return (count + by - 1) / by; }

// Taps of a window that lie inside the input, along one axis, over all output positions. Only the first and
// the last few positions reach outside.
int64_t taps_inside(int in, int out, int kernel, int stride, int pad) {
  int64_t taps = int64_t{out} * kernel;
  for (int position = 0; position < out && position * stride < pad; ++position)
    taps -= std::min(pad - position * stride, kernel);
  for (int position = out - 1; position >= 0; --position) {
    const int beyond = position * stride - pad + kernel - in;
    if (beyond <= 0) break;
    taps -= std::min(beyond, kernel);
  }
  return taps;
}

struct Taps {
  int64_t rows = 0;    // of a window inside the input, over all output rows
  int64_t inside = 0;  // taps inside, over all output positions
  int64_t all = 0;     // with padding
};

Taps taps_of(const CallShape& call) {
  Taps taps;
  taps.rows = taps_inside(call.input.h, call.output.h, call.kernel_h, call.stride_h, call.pad_top);
  taps.inside =
      taps.rows * taps_inside(call.input.w, call.output.w, call.kernel_w, call.stride_w, call.pad_left);
  taps.all = int64_t{call.output.h} * call.output.w * call.kernel_h * call.kernel_w;
  return taps;
}

// Fills the counts one after another.
class Counts {
 public:
  explicit Counts(LatencyFeatures& features) : features_(features) {}
  Counts& operator<<(int64_t count) {
    features_.counts[features_.used++] = static_cast<double>(count);
    return *this;
  }

 private:
  LatencyFeatures& features_;
};

// tn_conv2d_portable.h: a sum for every output, tap by tap; padding is multiplied by the zero point.
const Names kPortableConv = {"macs", "padded_macs", "taps", "rows", "outputs", "positions", "call"};
void count_portable_conv(const CallShape& call, Counts counts) {
  const Taps taps = taps_of(call);
  const int64_t positions = int64_t{call.output.h} * call.output.w;
  const int64_t out_c = call.output.c;
  counts << taps.inside * call.input.c * out_c << (taps.all - taps.inside) * call.input.c * out_c
         << taps.all * out_c << positions * call.kernel_h * out_c << positions * out_c << positions << 1;
}

// tn_conv2d_dsp.h: blocks of four positions, whether full or not, whose patches are spread to int16 first: by
// fours of channels, or, where in_c is no multiple of four, from a copy of the patch.
const Names kDspConv = {"products", "loops",     "block_channels", "spread_fours", "padding_fours",
                        "rows",     "copy_rows", "copied_words",   "copied_bytes", "positions"};
const Names kDspPointwise = {"products", "loops", "block_channels", "spread_fours", "positions", "call"};
void count_dsp_products(const CallShape& call, int64_t fours, Counts& counts) {
  const int64_t positions = int64_t{call.output.h} * call.output.w;
  const int64_t block_channels = divided_up(positions, TN_CONV2D_POSITIONS) * call.output.c;
  counts << block_channels * fours << block_channels * (fours / 4 + fours % 4) << block_channels;
}

// What the copy of a patch takes, along x: for each output column the words and bytes of a row inside.
void count_copied_rows(const CallShape& call, int64_t& words, int64_t& bytes) {
  for (int x = 0; x < call.output.w; ++x) {
    const int left = x * call.stride_w - call.pad_left;
    const int inside = std::min(left + call.kernel_w, call.input.w) - std::max(left, 0);
    const int64_t run = int64_t{std::max(inside, 0)} * call.input.c;
    words += run / 4;
    bytes += run % 4 + int64_t{call.kernel_w} * call.input.c - run;
  }
}

void count_dsp_conv(const CallShape& call, Counts counts) {
  const int64_t fours = tn_conv2d_row_bytes(call.kernel_h, call.kernel_w, call.input.c) / 4;
  const int64_t positions = int64_t{call.output.h} * call.output.w;
  count_dsp_products(call, fours, counts);
  if (call.kernel == Kernel::kConv2d1x1) {
    counts << positions * fours << positions << 1;
    return;
  }
  const Taps taps = taps_of(call);
  if (call.input.c % 4 == 0) {
    const int64_t channel_fours = call.input.c / 4;
    counts << taps.inside * channel_fours << (taps.all - taps.inside) * channel_fours
           << positions * call.kernel_h << 0 << 0 << 0 << positions;
    return;
  }
  int64_t words = 0;
  int64_t bytes = 0;
  count_copied_rows(call, words, bytes);
  const int64_t outside_rows = int64_t{call.output.h} * call.kernel_h - taps.rows;
  counts << positions * fours << 0 << 0 << positions * call.kernel_h << taps.rows * words
         << taps.rows * bytes + outside_rows * call.output.w * call.kernel_w * call.input.c << positions;
}

// tn_conv2d_mve.h: blocks of four positions, sixteen taps at a time; patches are copied (or padding is filled
// in) sixteen bytes at a time, but for pointwise convolutions.
const Names kMveConv = {"products",        "block_channels", "blocks", "copied_sixteens",
                        "filled_sixteens", "copies",         "fills",  "positions"};
const Names kMvePointwise = {"products", "block_channels", "blocks", "call"};
void count_mve_conv(const CallShape& call, Counts counts) {
  const int64_t positions = int64_t{call.output.h} * call.output.w;
  const int64_t blocks = divided_up(positions, TN_CONV2D_POSITIONS);
  const int64_t taps = int64_t{call.kernel_h} * call.kernel_w * call.input.c;
  counts << blocks * call.output.c * divided_up(taps, 16) << blocks * call.output.c << blocks;
  if (call.kernel == Kernel::kConv2d1x1) {
    counts << 1;
    return;
  }
  const int64_t rows_inside = taps_of(call).rows;
  const int64_t rows_outside = int64_t{call.output.h} * call.kernel_h - rows_inside;
  const int64_t row = int64_t{call.kernel_w} * call.input.c;
  int64_t copied = 0;
  int64_t filled = rows_outside * call.output.w * divided_up(row, 16);
  int64_t fills = rows_outside * call.output.w;
  for (int x = 0; x < call.output.w; ++x) {
    const int left = x * call.stride_w - call.pad_left;
    const int64_t before = int64_t{std::max(-left, 0)} * call.input.c;
    const int64_t after = int64_t{std::max(left + call.kernel_w - call.input.w, 0)} * call.input.c;
    copied += rows_inside * divided_up(row - before - after, 16);
    filled += rows_inside * (divided_up(before, 16) + divided_up(after, 16));
    fills += rows_inside * ((before != 0 ? 1 : 0) + (after != 0 ? 1 : 0));
  }
  counts << copied << filled << rows_inside * call.output.w << fills << positions;
}

// tn_depthwise_portable.h, out of place: a sum for every output; what is outside is multiplied too, and is
// found out sooner above and below the input than beside it.
const Names kPortableDepthwise = {"macs",    "macs_above_below", "macs_beside", "rows",
                                  "outputs", "positions",        "call"};
void count_portable_depthwise(const CallShape& call, Counts counts) {
  const Taps taps = taps_of(call);
  const int64_t positions = int64_t{call.output.h} * call.output.w;
  const int64_t out_c = call.output.c;
  const int64_t in_rows = taps.rows * call.output.w * call.kernel_w;
  counts << taps.inside * out_c << (taps.all - in_rows) * out_c << (in_rows - taps.inside) * out_c
         << positions * call.kernel_h * out_c << positions * out_c << positions << 1;
}

// Rows of a channel that come into the ring or the window, and those of them that are padding.
struct LoadedRows {
  int64_t all = 0;
  int64_t outside = 0;
};
LoadedRows loaded_rows(const CallShape& call) {
  LoadedRows rows;
  const int last_top = (call.output.h - 1) * call.stride_h - call.pad_top;
  if (call.stride_h <= call.kernel_h) {
    // Windows touch: every row from the first window's top to the last one's end is loaded once.
    const int end = last_top + call.kernel_h;
    const int inside = std::max(0, std::min(end, call.input.h) - std::max(-call.pad_top, 0));
    rows.all = end + call.pad_top;
    rows.outside = rows.all - inside;
    return rows;
  }
  // Windows skip rows: each loads its own.
  rows.all = int64_t{call.output.h} * call.kernel_h;
  rows.outside =
      rows.all - taps_inside(call.input.h, call.output.h, call.kernel_h, call.stride_h, call.pad_top);
  return rows;
}

// tn_depthwise_portable.h, in place: a ring of padded rows for each channel.
const Names kPortableInPlace = {"macs",           "rows",          "outputs",
                                "output_rows",    "loaded_values", "loaded_beside",
                                "loaded_outside", "loaded_rows",   "channels"};
void count_portable_in_place(const CallShape& call, Counts counts) {
  const int64_t outputs = call.output.elements();
  const int64_t channels = call.input.c;
  const LoadedRows rows = loaded_rows(call);
  const int64_t inside = (rows.all - rows.outside) * channels;
  counts << outputs * call.kernel_h * call.kernel_w << outputs * call.kernel_h << outputs
         << channels * call.output.h << inside * call.input.w << inside * (call.kernel_w - 1)
         << rows.outside * channels * (call.input.w + call.kernel_w - 1) << rows.all * channels << channels;
}

// tn_load_window_row(): padding pixel by pixel, or a row of it by words; inside, a pixel up to the next word,
// fours, a pair, a pixel.
struct Filled {
  int64_t fours = 0;
  int64_t rows = 0;  // with fours
  int64_t pairs = 0;
  int64_t pixels = 0;
  int64_t padding_pixels = 0;
  int64_t padding_words = 0;
  int64_t outside_rows = 0;
};

Filled filled_window_rows(const CallShape& call, int64_t pitch) {
  const LoadedRows rows = loaded_rows(call);
  const int64_t rows_inside = rows.all - rows.outside;
  const int64_t left = call.pad_left;
  const int64_t inside = std::min<int64_t>(call.input.w, 2 * pitch - left);
  const int64_t first = left % 2;
  const int64_t aligned = inside - first;
  Filled filled;
  filled.fours = rows_inside * (aligned / 4);
  filled.rows = aligned >= 4 ? rows_inside : 0;
  filled.pairs = rows_inside * (aligned % 4 / 2);
  filled.pixels = rows_inside * (first + aligned % 2);
  filled.padding_pixels = rows_inside * (2 * pitch - inside);
  filled.padding_words = rows.outside * pitch;
  filled.outside_rows = rows.outside;
  return filled;
}

// tn_depthwise_dsp.h: for each channel a window of padded rows as int16, which is moved down; pairs of
// outputs, the last of an odd row in a pass of its own. Rows that are loaded are K + (out_h - 1) x stride:
// the output's rows and the channels count them.
const Names kDspDepthwise = {"pairs",         "odd_rows",       "output_rows",   "moved_fours",
                             "moved_words",   "filled_fours",   "filled_rows",   "filled_pairs",
                             "filled_pixels", "padding_pixels", "padding_words", "outside_rows",
                             "channels"};
void count_dsp_depthwise(const CallShape& call, Counts counts) {
  const int64_t channels = call.input.c;
  const int64_t pitch = tn_depthwise_window_words(call.input.w, call.kernel_w, call.stride_w);
  const int64_t kept = (call.kernel_h - call.stride_h) * pitch;
  const int64_t moves = channels * (call.output.h - 1);
  const Filled filled = filled_window_rows(call, pitch);
  counts << channels * call.output.h * divided_up(call.output.w, 2)
         << channels * call.output.h * (call.output.w % 2) << channels * call.output.h << moves * (kept / 4)
         << moves * (kept % 4) << channels * filled.fours << channels * filled.rows << channels * filled.pairs
         << channels * filled.pixels << channels * filled.padding_pixels << channels * filled.padding_words
         << channels * filled.outside_rows << channels;
}

// tn_depthwise_mve.h: the same for groups of channels; the window is bytes.
const Names kMveDepthwise = {"pairs",         "second_outputs",  "output_rows", "moved_sixteens",
                             "loaded_pixels", "filled_sixteens", "fills",       "groups"};
void count_mve_depthwise(const CallShape& call, Counts counts) {
  const int64_t groups = divided_up(call.input.c, TN_DEPTHWISE_LANES);
  const int64_t width = tn_depthwise_window_pixels(call.input.w, call.kernel_w, call.stride_w);
  const int64_t moved_rows = groups * (call.output.h - 1) * (call.kernel_h - call.stride_h);
  const LoadedRows rows = loaded_rows(call);
  const int64_t inside = std::min<int64_t>(call.input.w, width - call.pad_left);
  int64_t filled = 0;
  int64_t fills = 0;
  const auto fill = [&](int64_t pixels, int64_t times) {
    filled += times * divided_up(pixels * TN_DEPTHWISE_LANES, 16);
    fills += pixels > 0 ? times : 0;
  };
  fill(call.pad_left, rows.all);
  fill(width - call.pad_left - inside, rows.all - rows.outside);
  fill(width - call.pad_left, rows.outside);
  const int64_t output_rows = groups * call.output.h;
  counts << output_rows * divided_up(call.output.w, 2) << output_rows * (call.output.w / 2) << output_rows
         << moved_rows * divided_up(width * TN_DEPTHWISE_LANES, 16)
         << groups * (rows.all - rows.outside) * inside << groups * filled << groups * fills << groups;
}

// tn_fully_connected_*.h.
const Names kPortableFullyConnected = {"macs", "outputs", "call"};
const Names kDspFullyConnected = {"sixteens", "fours",        "macs_beyond_fours",
                                  "outputs",  "spread_fours", "call"};
const Names kMveFullyConnected = {"products", "pairs", "call"};
void count_fully_connected(const CallShape& call, Counts counts) {
  const int64_t in = call.input.elements();
  const int64_t out = call.output.c;
  if (call.variant == KernelVariant::kPortable) {
    counts << in * out << out << 1;
    return;
  }
  if (call.variant == KernelVariant::kMve) {
    counts << divided_up(out, 2) * divided_up(in, 16) << divided_up(out, 2) << 1;
    return;
  }
  const int64_t fours = in / 4;
  counts << out * (fours / 4) << out * (fours % 4) << out * (in % 4) << out << fours << 1;
}

const Names kAddNames = {"outputs", "call"};
const Names kGlobalPoolNames = {"inputs", "channels", "call"};
const Names kPoolNames = {"additions", "rows", "outputs", "positions", "call"};
const Names kSoftmaxNames = {"exponentials", "rows", "call"};

// tn_pad.c: runs of values are copied, a row of the input or, where channels are padded, a position; what
// lies between two of them is filled in one go. By fours, which a loop does, a pair and one value.
struct Moved {
  int64_t fours = 0;
  int64_t pairs = 0;
  int64_t ones = 0;
  int64_t loops = 0;
  void add(int64_t times, int64_t bytes) {
    fours += times * (bytes / 4);
    pairs += times * (bytes % 4 / 2);
    ones += times * (bytes % 2);
    loops += bytes >= 4 ? times : 0;
  }
};

const Names kPadNames = {"copied_fours", "copied_pairs", "copied_ones", "copied_loops", "filled_fours",
                         "filled_rests", "filled_loops", "runs",        "rows",         "call"};
void count_pad(const CallShape& call, Counts counts) {
  const Shape& in = call.input;
  // A reshape's copy has another shape behind it, but no more values.
  const bool is_copy = call.output.elements() == in.elements();
  const Shape& out = is_copy ? in : call.output;
  const int64_t between = out.c - in.c;
  const int64_t row_end = between + int64_t{out.w - in.w} * out.c;
  const int64_t runs_a_row = between > 0 ? in.w : 1;
  const int64_t first = (int64_t{call.pad_top} * out.w + call.pad_left) * out.c;
  const int64_t gaps = in.h * (runs_a_row - 1);
  Moved copied;
  Moved filled;
  copied.add(in.h * runs_a_row, (between > 0 ? 1 : int64_t{in.w}) * in.c);
  // Channels before the first value are filled with what is above it, here with what is below the last.
  filled.add(1, first);
  filled.add(gaps, between);
  filled.add(in.h - 1, row_end);
  filled.add(1, out.elements() - in.elements() - first - gaps * between - (in.h - 1) * row_end);
  counts << copied.fours << copied.pairs << copied.ones << copied.loops << filled.fours
         << filled.pairs + filled.ones << filled.loops << in.h * runs_a_row << in.h << 1;
}

}  // namespace

std::vector<const char*> feature_names(Kernel kernel, KernelVariant variant) {
  // Of the names for portable, dsp and mve.
  const auto chosen = [variant](const Names& portable, const Names& dsp, const Names& mve) {
    return variant == KernelVariant::kPortable ? portable : variant == KernelVariant::kDsp ? dsp : mve;
  };
  switch (kernel) {
    case Kernel::kConv2d:
      return chosen(kPortableConv, kDspConv, kMveConv);
    case Kernel::kConv2d1x1:
      return chosen(kPortableConv, kDspPointwise, kMvePointwise);
    case Kernel::kDepthwise:
      return kPortableDepthwise;
    case Kernel::kDepthwise3x3s1:
    case Kernel::kDepthwise3x3s2:
    case Kernel::kDepthwise5x5s1:
    case Kernel::kDepthwise5x5s2:
    case Kernel::kDepthwise7x7s1:
    case Kernel::kDepthwise7x7s2:
      return chosen(kPortableInPlace, kDspDepthwise, kMveDepthwise);
    case Kernel::kDepthwiseInPlace:
      return kPortableInPlace;
    case Kernel::kFullyConnected:
      return chosen(kPortableFullyConnected, kDspFullyConnected, kMveFullyConnected);
    case Kernel::kAdd:
      return kAddNames;
    case Kernel::kGlobalAvgPool:
      return kGlobalPoolNames;
    case Kernel::kAvgPool:
      return kPoolNames;
    case Kernel::kSoftmax:
      return kSoftmaxNames;
    case Kernel::kPad:
      return kPadNames;
    case Kernel::kReshape:
      break;
  }
  return {};
}

LatencyFeatures latency_features(const CallShape& call, int64_t nominal_macs) {
  // One of the three by variant.
  const auto count = [&](const auto& portable, const auto& dsp, const auto& mve, Counts counts) {
    switch (call.variant) {
      case KernelVariant::kPortable:
        return portable(call, counts);
      case KernelVariant::kDsp:
        return dsp(call, counts);
      case KernelVariant::kMve:
        return mve(call, counts);
    }
  };
  const Shape& in = call.input;
  const Shape& out = call.output;
  LatencyFeatures features;
  features.nominal_macs = static_cast<double>(nominal_macs);
  Counts counts(features);
  switch (call.kernel) {
    case Kernel::kConv2d:
    case Kernel::kConv2d1x1:
      count(count_portable_conv, count_dsp_conv, count_mve_conv, counts);
      break;
    case Kernel::kDepthwise:
      count_portable_depthwise(call, counts);
      break;
    case Kernel::kDepthwise3x3s1:
    case Kernel::kDepthwise3x3s2:
    case Kernel::kDepthwise5x5s1:
    case Kernel::kDepthwise5x5s2:
    case Kernel::kDepthwise7x7s1:
    case Kernel::kDepthwise7x7s2:
      count(count_portable_in_place, count_dsp_depthwise, count_mve_depthwise, counts);
      break;
    case Kernel::kDepthwiseInPlace:
      count_portable_in_place(call, counts);
      break;
    case Kernel::kFullyConnected:
      count_fully_connected(call, counts);
      break;
    case Kernel::kAdd:
      counts << out.elements() << 1;
      break;
    case Kernel::kGlobalAvgPool:
      counts << in.elements() << in.c << 1;
      break;
    case Kernel::kAvgPool: {
      const Taps taps = taps_of(call);
      counts << taps.inside * out.c << taps.rows * out.w * out.c << out.elements() << int64_t{out.h} * out.w
             << 1;
      break;
    }
    case Kernel::kSoftmax: {
      // The largest value's exponential is 1 and not computed.
      const int64_t rows = int64_t{out.h} * out.w;
      counts << out.elements() - rows << rows << 1;
      break;
    }
    case Kernel::kPad:
      count_pad(call, counts);
      break;
    case Kernel::kReshape:
      break;
  }
  return features;
}

}  // namespace tinynas
