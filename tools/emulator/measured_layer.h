/* A layer that measure_kernels.c runs. */
#ifndef MEASURED_LAYER_H
#define MEASURED_LAYER_H

typedef enum {
  CONV2D,
  CONV2D_1X1,
  DEPTHWISE,
  DEPTHWISE_IN_PLACE,
  FULLY_CONNECTED,
  ADD,
  GLOBAL_AVG_POOL,
  AVG_POOL,
  SOFTMAX,
  DEPTHWISE_MULTIPLIER,
  PAD /* kernel_h - 1 rows and kernel_w - 1 columns of padding, out_c - in_c channels */
} kernel;
typedef struct {
  kernel kind;
  int h, w, in_c, out_c, kernel_h, kernel_w, stride;
} layer;

/* Runs one layer between the marks and prints its line. `index` is of the network, -1 for none. */
static void measure(const char* network, int index, const layer* l);

#endif /* MEASURED_LAYER_H */
