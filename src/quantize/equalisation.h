// Cross-layer equalisation: channels of one layer brought to like ranges, the next layer undoing it, so that
// one scale for a whole activation tensor wastes less of int8 on the widest channel.
#pragma once

#include "quantize/float_model.h"

namespace tinynas {

struct Equalisation {
  int pairs = 0;         // equalised
  int relu6_pairs = 0;   // left alone: clipping at 6 does not commute with scaling
  double largest = 1.0;  // of all channels' factors, as a ratio >= 1 either way
};

// Scales output channel c of an operator by 1 / s_c and the weights that read it by s_c, where
// s_c = sqrt(largest |weight| of channel c / largest |weight| that reads it): both then have one range (Nagel
// et al., "Data-Free Quantization through Weight Equalization and Bias Correction", 2019, section 4.1).
// Repeated over all pairs until nothing moves, since a layer is in two of them. What the model computes stays
// the same within float rounding, so only pairs are touched where that is exact: both operators have weights,
// nothing else reads the tensor between them, it is not the graph's output, and the first one's activation is
// none or ReLU. Channels without weights on either side are left alone.
Equalisation equalise(FloatModel& model);

}  // namespace tinynas
