/* The portable instances for any shape: what the host's tests compare every other variant with. Not part of a
 * package. */
#include "tn_instances.h"

TN_CONV2D(tn_conv2d, 0, 0)
TN_DEPTHWISE_ANY(tn_depthwise_conv2d)
TN_DEPTHWISE_ANY_IN_PLACE(tn_depthwise_conv2d_in_place)
TN_FULLY_CONNECTED(tn_fully_connected)
