// Network files of Once-for-All and MCUNet (MIT Han Lab), as their Python code writes them.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "graph/block_network.h"

namespace tinynas {

// True for a JSON object with first_conv, blocks and classifier.
bool is_ofa_json(const nlohmann::json& json);

// {name, resolution, first_conv, blocks[], feature_mix_layer|null, classifier}. A block is
// {mobile_inverted_conv, shortcut} (MCUNet) or {conv, shortcut} (Once-for-All's ResidualBlock): the first an
// MBInvertedConvLayer or MBConvLayer, or a ZeroLayer or null where the block is skipped; the second null or
// an IdentityLayer. Expansion 1 has no expansion convolution; mid_channels, where not null, overrides
// round(in_channels * expand_ratio). `stride` has no default. Square inputs of `resolution` rows, or of the
// file's where that is not given (Once-for-All's files have none). Blocks are called "block<i>" by their
// index in the file.
//
// Throws Error(kUsage) naming the file and the path inside the JSON: missing and mistyped values, channels
// that do not follow from the layer before, and what our operators cannot express (squeeze-and-excite,
// h-swish, groups, dilation, a shortcut that is no identity, convolutions without batch norm or with a bias
// of their own, a classifier with batch norm, without a bias or with an activation). Of batch norm's settings
// only the type is checked; dropout is not read.
BlockNetwork network_from_ofa_json(const nlohmann::json& json, const std::string& where,
                                   std::optional<int> resolution);

}  // namespace tinynas
