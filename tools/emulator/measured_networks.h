/*
 * Networks of measure_kernels.c, drawn from a fixed sequence: the two backbones of the MicroNets study
 * (MobileNetV2's inverted bottlenecks, and DS-CNN) in many widths, depths and resolutions. A part of that
 * file, and no other: how QEMU sees two loads in a row depends on the addresses of the code, so that another
 * object file before the kernels would change load_first and load_next of every row.
 */
#ifndef MEASURED_NETWORKS_H
#define MEASURED_NETWORKS_H

#include <stdint.h>

#include "measured_layer.h"

static uint32_t state = 20210101;
static int draw(int below) {
  state = state * 1664525u + 1013904223u;
  return (int)((state >> 16) % (uint32_t)below);
}

static int rounded(int channels, int percent, int divisor) {
  const int wanted = channels * percent / 100 + divisor / 2;
  return wanted / divisor * divisor > divisor ? wanted / divisor * divisor : divisor;
}

static int half_if(int size, int stride) { return (size + stride - 1) / stride; }

static layer made(kernel kind, int h, int w, int in_c, int out_c, int kernel_size, int stride) {
  const layer l = {kind, h, w, in_c, out_c, kernel_size, kernel_size, stride};
  return l;
}

/* In place, as the planner puts it wherever the input dies there. */
static layer depthwise(int h, int w, int c, int kernel_size, int stride) {
  return made(DEPTHWISE_IN_PLACE, h, w, c, c, kernel_size, stride);
}

/* The MBConv space of docs and configs/spaces: kernels 3, 5, 7, expansions 3, 4, 6, depths 2 to 4. */
static void run_mbconv(int index, int resolution, int width_percent, int classes) {
  static const int base[] = {24, 40, 80, 96, 192};
  static const int strides[] = {2, 2, 2, 1, 2};
  static const int kernels[] = {3, 5, 7}, expansions[] = {3, 4, 6};
  const char* name = "mbconv";
  int c = rounded(32, width_percent, 8), side = half_if(resolution, 2), stage, block;
  layer l = made(CONV2D, resolution, resolution, 3, c, 3, 2);
  measure(name, index, &l);
  l = depthwise(side, side, c, 3, 1), measure(name, index, &l);
  l = made(CONV2D_1X1, side, side, c, rounded(16, width_percent, 8), 1, 1), measure(name, index, &l);
  c = rounded(16, width_percent, 8);
  for (stage = 0; stage < 5; ++stage) {
    const int depth = 2 + draw(3), out_c = rounded(base[stage], width_percent, 8);
    for (block = 0; block < depth; ++block) {
      const int stride = block == 0 ? strides[stage] : 1, kernel_size = kernels[draw(3)];
      const int middle = c * expansions[draw(3)];
      l = made(CONV2D_1X1, side, side, c, middle, 1, 1), measure(name, index, &l);
      l = depthwise(side, side, middle, kernel_size, stride), measure(name, index, &l);
      side = half_if(side, stride);
      l = made(CONV2D_1X1, side, side, middle, out_c, 1, 1), measure(name, index, &l);
      if (c == out_c && stride == 1) l = made(ADD, side, side, c, c, 1, 1), measure(name, index, &l);
      c = out_c;
    }
  }
  l = made(GLOBAL_AVG_POOL, side, side, c, c, 1, 1), measure(name, index, &l);
  l = made(FULLY_CONNECTED, 1, 1, c, classes, 1, 1), measure(name, index, &l);
}

/* MicroNets' DS-CNN space: a 2-D stem, depthwise-separable blocks of channels in steps of 4. */
static void run_dscnn(int index, int h, int w, int stem_h, int stem_w, int least, int span, int classes) {
  const char* name = "dscnn";
  const int blocks = 4 + draw(5), second_stride_at = draw(3);
  int c = least + 4 * draw(span), block;
  layer l = made(CONV2D, h, w, 1, c, stem_h, 2);
  l.kernel_w = stem_w;
  measure(name, index, &l);
  h = half_if(h, 2), w = half_if(w, 2);
  for (block = 0; block < blocks; ++block) {
    const int stride = block == second_stride_at ? 2 : 1, out_c = least + 4 * draw(span);
    l = depthwise(h, w, c, 3, stride), measure(name, index, &l);
    h = half_if(h, stride), w = half_if(w, stride);
    l = made(CONV2D_1X1, h, w, c, out_c, 1, 1), measure(name, index, &l);
    c = out_c;
  }
  l = made(GLOBAL_AVG_POOL, h, w, c, c, 1, 1), measure(name, index, &l);
  l = made(FULLY_CONNECTED, 1, 1, c, classes, 1, 1), measure(name, index, &l);
}

#endif /* MEASURED_NETWORKS_H */
