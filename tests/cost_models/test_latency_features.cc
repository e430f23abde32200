// The closed forms against loops that do what the kernels of src/runtime do, and count.
#include "cost_models/latency_features.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <string>

#include "base/rng.h"
#include "runtime/tn_buffer_sizes.h"

using namespace tinynas;

namespace {

using Counted = std::map<std::string, int64_t>;

CallShape random_window(Rng& rng, Kernel kernel, KernelVariant variant, int kernel_size, int stride) {
  CallShape call;
  call.kernel = kernel;
  call.variant = variant;
  call.input = {1 + static_cast<int>(rng.below(20)), 1 + static_cast<int>(rng.below(20)),
                1 + static_cast<int>(rng.below(24))};
  call.kernel_h = call.kernel_w = kernel_size;
  call.stride_h = call.stride_w = stride;
  call.output = {(call.input.h + stride - 1) / stride, (call.input.w + stride - 1) / stride, call.input.c};
  call.pad_top = same_padding(call.input.h, kernel_size, stride).first;
  call.pad_left = same_padding(call.input.w, kernel_size, stride).first;
  return call;
}

bool inside(const CallShape& call, int y, int x) {
  return y >= 0 && y < call.input.h && x >= 0 && x < call.input.w;
}

void check(const CallShape& call, const Counted& counted) {
  const LatencyFeatures features = latency_features(call, 1000);
  CHECK(features.nominal_macs == 1000);
  const std::vector<const char*> names = feature_names(call.kernel, call.variant);
  REQUIRE(names.size() <= kMostFeatures);
  CAPTURE(call.input.h, call.input.w, call.input.c, call.output.c, call.kernel_h, call.stride_h);
  for (size_t i = 0; i < names.size(); ++i) {
    CAPTURE(names[i]);
    const auto found = counted.find(names[i]);
    CHECK(features.counts[i] == static_cast<double>(found == counted.end() ? 0 : found->second));
  }
  CHECK(features.used == names.size());
}

// tn_conv2d_portable(), tn_depthwise_portable(): `per_tap` products at every tap of every output channel.
Counted portable_loops(const CallShape& call, int per_tap) {
  Counted counted;
  for (int out_y = 0; out_y < call.output.h; ++out_y) {
    for (int out_x = 0; out_x < call.output.w; ++out_x) {
      ++counted["positions"];
      for (int out = 0; out < call.output.c; ++out) {
        ++counted["outputs"];
        for (int y = 0; y < call.kernel_h; ++y) {
          ++counted["rows"];
          for (int x = 0; x < call.kernel_w; ++x) {
            ++counted["taps"];
            const bool is_inside = inside(call, out_y * call.stride_h - call.pad_top + y,
                                          out_x * call.stride_w - call.pad_left + x);
            counted[is_inside ? "macs" : "padded_macs"] += per_tap;
            const int in_y = out_y * call.stride_h - call.pad_top + y;
            if (in_y < 0 || in_y >= call.input.h)
              counted["macs_above_below"] += per_tap;
            else if (!is_inside)
              counted["macs_beside"] += per_tap;
          }
        }
      }
    }
  }
  counted["call"] = 1;
  return counted;
}

// tn_conv2d_dsp().
Counted dsp_conv_loops(const CallShape& call, bool pointwise) {
  Counted counted;
  const int fours = tn_conv2d_row_bytes(call.kernel_h, call.kernel_w, call.input.c) / 4;
  const int positions = call.output.h * call.output.w;
  for (int done = 0; done < positions; done += TN_CONV2D_POSITIONS) {
    for (int out = 0; out < call.output.c; ++out) {
      ++counted["block_channels"];
      int four = 0;
      for (; four + 4 <= fours; four += 4) ++counted["loops"], counted["products"] += 4;
      for (; four < fours; ++four) ++counted["loops"], ++counted["products"];
    }
    for (int i = done; i < std::min(done + TN_CONV2D_POSITIONS, positions); ++i) {
      ++counted["positions"];
      const int top = i / call.output.w * call.stride_h - call.pad_top;
      const int left = i % call.output.w * call.stride_w - call.pad_left;
      if (pointwise || call.input.c % 4 != 0) counted["spread_fours"] += fours;
      for (int y = top; y < top + call.kernel_h && !pointwise; ++y) {
        ++counted[call.input.c % 4 == 0 ? "rows" : "copy_rows"];
        int run = 0;  // bytes of the row inside
        for (int x = left; x < left + call.kernel_w; ++x) {
          const bool is_inside = inside(call, y, x);
          run += is_inside ? call.input.c : 0;
          if (call.input.c % 4 == 0)
            counted[is_inside ? "spread_fours" : "padding_fours"] += call.input.c / 4;
        }
        if (call.input.c % 4 == 0) continue;
        counted["copied_words"] += run / 4;
        counted["copied_bytes"] += run % 4 + call.kernel_w * call.input.c - run;
      }
    }
  }
  counted["call"] = 1;
  return counted;
}

// tn_fill_window().
void fill(Counted& counted, int to, int count) {
  if (to % 2 != 0 && count > 0) --count, ++counted["filled_pixels"];
  if (count > 3) ++counted["filled_rows"];
  for (; count > 3; count -= 4) ++counted["filled_fours"];
  if (count > 1) count -= 2, ++counted["filled_pairs"];
  counted["filled_pixels"] += count;
}

// tn_depthwise_dsp().
Counted dsp_depthwise_loops(const CallShape& call) {
  Counted counted;
  const int pitch = tn_depthwise_window_words(call.input.w, call.kernel_w, call.stride_w);
  const auto load_row = [&](int y) {
    if (y < 0 || y >= call.input.h) {
      counted["padding_words"] += pitch;
      ++counted["outside_rows"];
      return;
    }
    const int room = 2 * pitch - call.pad_left;
    const int inside = std::min(call.input.w, room);
    for (int x = 0; x < call.pad_left; ++x) ++counted["padding_pixels"];
    fill(counted, call.pad_left, inside);
    for (int x = inside; x < room; ++x) ++counted["padding_pixels"];
  };
  for (int channel = 0; channel < call.input.c; ++channel) {
    ++counted["channels"];
    int next = -call.pad_top;
    for (int y = 0; y < call.kernel_h; ++y) load_row(next++);
    for (int out_y = 0; out_y < call.output.h; ++out_y) {
      ++counted["output_rows"];
      counted["odd_rows"] += call.output.w % 2;
      for (int x = 0; x < call.output.w; x += 2) ++counted["pairs"];
      if (out_y + 1 == call.output.h) break;
      int kept = (call.kernel_h - call.stride_h) * pitch;
      for (; kept >= 4; kept -= 4) ++counted["moved_fours"];
      counted["moved_words"] += kept;
      for (int y = call.kernel_h - call.stride_h; y < call.kernel_h; ++y) load_row(next++);
    }
  }
  return counted;
}

// A loop over `bytes`, sixteen at a time, of tn_copy_bytes() or tn_fill_bytes().
void sixteens(Counted& counted, const char* loops, const char* calls, int bytes) {
  if (bytes == 0) return;
  ++counted[calls];
  for (; bytes > 0; bytes -= 16) ++counted[loops];
}

// tn_conv2d_mve().
Counted mve_conv_loops(const CallShape& call, bool pointwise) {
  Counted counted;
  const int positions = call.output.h * call.output.w;
  const int row = call.kernel_w * call.input.c;
  for (int done = 0; done < positions; done += TN_CONV2D_POSITIONS) {
    ++counted["blocks"];
    for (int out = 0; out < call.output.c; ++out) {
      ++counted["block_channels"];
      for (int tap = 0; tap < call.kernel_h * row; tap += 16) ++counted["products"];
    }
    for (int i = done; i < std::min(done + TN_CONV2D_POSITIONS, positions) && !pointwise; ++i) {
      ++counted["positions"];
      const int top = i / call.output.w * call.stride_h - call.pad_top;
      const int left = i % call.output.w * call.stride_w - call.pad_left;
      for (int y = top; y < top + call.kernel_h; ++y) {
        int before = 0, run = 0, after = 0;
        for (int x = left; x < left + call.kernel_w; ++x)
          (x < 0 ? before : x < call.input.w ? run : after) += call.input.c;
        if (y < 0 || y >= call.input.h) {
          sixteens(counted, "filled_sixteens", "fills", row);
          continue;
        }
        sixteens(counted, "filled_sixteens", "fills", before);
        sixteens(counted, "copied_sixteens", "copies", run);
        sixteens(counted, "filled_sixteens", "fills", after);
      }
    }
  }
  counted["call"] = 1;
  return counted;
}

// tn_depthwise_mve().
Counted mve_depthwise_loops(const CallShape& call) {
  Counted counted;
  const int width = tn_depthwise_window_pixels(call.input.w, call.kernel_w, call.stride_w);
  const auto load_row = [&](int y) {
    const int room = width - call.pad_left;
    const int inside = y < 0 || y >= call.input.h ? 0 : std::min(call.input.w, room);
    sixteens(counted, "filled_sixteens", "fills", call.pad_left * TN_DEPTHWISE_LANES);
    counted["loaded_pixels"] += inside;
    sixteens(counted, "filled_sixteens", "fills", (room - inside) * TN_DEPTHWISE_LANES);
  };
  for (int channel = 0; channel < call.input.c; channel += TN_DEPTHWISE_LANES) {
    ++counted["groups"];
    int next = -call.pad_top;
    for (int y = 0; y < call.kernel_h; ++y) load_row(next++);
    for (int out_y = 0; out_y < call.output.h; ++out_y) {
      ++counted["output_rows"];
      for (int x = 0; x < call.output.w; x += 2) {
        ++counted["pairs"];
        if (x + 1 < call.output.w) ++counted["second_outputs"];
      }
      if (out_y + 1 == call.output.h) break;
      for (int y = 0; y < call.kernel_h - call.stride_h; ++y)
        sixteens(counted, "moved_sixteens", "moves", width * TN_DEPTHWISE_LANES);
      for (int y = call.kernel_h - call.stride_h; y < call.kernel_h; ++y) load_row(next++);
    }
  }
  return counted;
}

// tn_depthwise_portable_in_place().
Counted in_place_loops(const CallShape& call) {
  Counted counted;
  for (int channel = 0; channel < call.input.c; ++channel) {
    ++counted["channels"];
    int next = 0;
    for (int out_y = 0; out_y < call.output.h; ++out_y) {
      ++counted["output_rows"];
      const int first = out_y * call.stride_h;
      next = std::max(next, first);
      for (; next < first + call.kernel_h; ++next) {
        ++counted["loaded_rows"];
        const int y = next - call.pad_top;
        for (int x = 0; x < call.input.w + call.kernel_w - 1; ++x) {
          const bool row_inside = y >= 0 && y < call.input.h;
          const bool column_inside = x >= call.pad_left && x < call.pad_left + call.input.w;
          ++counted[!row_inside ? "loaded_outside" : column_inside ? "loaded_values" : "loaded_beside"];
        }
      }
      for (int out_x = 0; out_x < call.output.w; ++out_x) {
        ++counted["outputs"];
        counted["rows"] += call.kernel_h;
        counted["macs"] += call.kernel_h * call.kernel_w;
      }
    }
  }
  return counted;
}

}  // namespace

TEST_CASE("counts of the portable convolutions are those of their loops, padding included") {
  Rng rng(341);
  for (int round = 0; round < 200; ++round) {
    const int kernel_size = 1 + static_cast<int>(rng.below(7));
    const int stride = 1 + static_cast<int>(rng.below(3));
    CallShape call = random_window(rng, Kernel::kDepthwise, KernelVariant::kPortable, kernel_size, stride);
    check(call, portable_loops(call, 1));
    call.kernel = Kernel::kDepthwiseInPlace;
    check(call, in_place_loops(call));
    call.kernel = Kernel::kConv2d;
    call.output.c = 1 + static_cast<int>(rng.below(9));
    check(call, portable_loops(call, call.input.c));
  }
}

TEST_CASE("counts of the convolution with vectors are those of its blocks and copies") {
  Rng rng(344);
  for (int round = 0; round < 200; ++round) {
    const int kernel_size = 1 + static_cast<int>(rng.below(7));
    const int stride = 1 + static_cast<int>(rng.below(3));
    CallShape call = random_window(rng, Kernel::kConv2d, KernelVariant::kMve, kernel_size, stride);
    call.output.c = 1 + static_cast<int>(rng.below(9));
    check(call, mve_conv_loops(call, false));
    call = random_window(rng, Kernel::kConv2d1x1, KernelVariant::kMve, 1, 1);
    call.output.c = 1 + static_cast<int>(rng.below(9));
    check(call, mve_conv_loops(call, true));
  }
}

TEST_CASE("counts of the convolution with DSP instructions are those of its blocks and patches") {
  Rng rng(342);
  for (int round = 0; round < 200; ++round) {
    const int kernel_size = 1 + static_cast<int>(rng.below(7));
    const int stride = 1 + static_cast<int>(rng.below(3));
    CallShape call = random_window(rng, Kernel::kConv2d, KernelVariant::kDsp, kernel_size, stride);
    call.output.c = 1 + static_cast<int>(rng.below(9));
    check(call, dsp_conv_loops(call, false));
    call = random_window(rng, Kernel::kConv2d1x1, KernelVariant::kDsp, 1, 1);
    call.input.c = 4 * static_cast<int>(1 + rng.below(20));
    call.output.c = 1 + static_cast<int>(rng.below(9));
    check(call, dsp_conv_loops(call, true));
  }
}

TEST_CASE("counts of the depthwise templates are those of their window") {
  Rng rng(343);
  const Kernel kernels[3][2] = {{Kernel::kDepthwise3x3s1, Kernel::kDepthwise3x3s2},
                                {Kernel::kDepthwise5x5s1, Kernel::kDepthwise5x5s2},
                                {Kernel::kDepthwise7x7s1, Kernel::kDepthwise7x7s2}};
  for (int round = 0; round < 200; ++round) {
    const auto size = rng.below(3);
    const auto stride = rng.below(2);
    CallShape call = random_window(rng, kernels[size][stride], KernelVariant::kDsp,
                                   3 + 2 * static_cast<int>(size), 1 + static_cast<int>(stride));
    check(call, dsp_depthwise_loops(call));
    call.variant = KernelVariant::kMve;
    check(call, mve_depthwise_loops(call));
  }
}

TEST_CASE("counts of a pad are the moves of tn_pad()") {
  Rng rng(31);
  for (int round = 0; round < 300; ++round) {
    CallShape call;
    call.kernel = Kernel::kPad;
    const auto some = [&](int most) { return static_cast<int>(rng.below(most)); };
    call.input = {1 + some(5), 1 + some(5), 1 + some(9)};
    const bool pads_channels = rng.chance(0.5);
    const int bottom = some(4);
    const int right = some(4);
    const int before = pads_channels ? some(6) : 0;
    const int after = pads_channels ? some(6) : 0;
    call.pad_top = some(4);
    call.pad_left = some(4);
    call.output = {call.input.h + call.pad_top + bottom, call.input.w + call.pad_left + right,
                   call.input.c + before + after};
    Counted counted;
    const auto move = [&](const std::string& what, int bytes) {
      counted[what + "_fours"] += bytes / 4;
      counted[what + "_loops"] += bytes >= 4 ? 1 : 0;
      counted[what + "_pairs"] += bytes % 4 / 2;
      counted[what + "_ones"] += bytes % 2;
      counted[what + "_rests"] += bytes % 4 / 2 + bytes % 2;
    };
    // Up to the first value that is no padding, or from the last one, in one go; which channels are padded at
    // either end moves between the two.
    const Shape& out = call.output;
    int filled = (call.pad_top * out.w + call.pad_left) * out.c;
    move("filled", filled);
    for (int y = 0; y < call.input.h; ++y) {
      ++counted["rows"];
      const int runs = before + after > 0 ? call.input.w : 1;
      for (int x = 0; x < runs; ++x) {
        ++counted["runs"];
        move("copied", runs == 1 && before + after == 0 ? call.input.w * call.input.c : call.input.c);
        if (x + 1 < runs) {
          move("filled", before + after);
          filled += before + after;
        }
      }
      const int gap = before + after + (call.pad_left + right) * out.c;
      if (y + 1 < call.input.h) {
        move("filled", gap);
        filled += gap;
      }
    }
    move("filled", static_cast<int>(out.elements() - call.input.elements()) - filled);
    counted["call"] = 1;
    check(call, counted);
  }
  // A reshape whose input stays is a copy of rows, whatever shape the copy has.
  CallShape copy;
  copy.kernel = Kernel::kPad;
  copy.input = {4, 4, 6};
  copy.output = {1, 2, 48};
  check(copy, {{"copied_fours", 24}, {"copied_loops", 4}, {"runs", 4}, {"rows", 4}, {"call", 1}});
  copy.kernel = Kernel::kReshape;
  check(copy, {});
}
