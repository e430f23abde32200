#include "graph/ofa_json.h"

#include <cmath>

#include "base/json_reader.h"
#include "graph/limits.h"

namespace tinynas {
namespace {

constexpr double kMaxExpansion = 64;

int int_of(const JsonReader& reader, int64_t low, int64_t high) {
  return static_cast<int>(reader.integer(low, high));
}
int channels_of(const JsonReader& reader) { return int_of(reader, 1, kMaxDimension); }

struct Size {
  int h = 1;
  int w = 1;
};

// An integer, or a list of rows and columns.
Size size_of(const JsonReader& reader, int high) {
  if (!reader.is_array()) {
    const int side = int_of(reader, 1, high);
    return {side, side};
  }
  const std::vector<JsonReader> sides = reader.elements();
  if (sides.size() != 2) reader.fail("a size, or two (rows and columns)");
  return {int_of(sides[0], 1, high), int_of(sides[1], 1, high)};
}

int square_of(const JsonReader& reader, int high) {
  const Size size = size_of(reader, high);
  if (size.h != size.w) reader.fail("as many rows as columns, in a depthwise convolution");
  return size.h;
}

Activation activation_of(const JsonReader& layer) {
  if (!layer.has_value("act_func")) return Activation::kNone;
  const std::string name = layer["act_func"].text();
  if (name == "relu6") return Activation::kRelu6;
  if (name == "relu") return Activation::kRelu;
  if (name == "none") return Activation::kNone;
  layer["act_func"].fail("relu6, relu or null (no other activation has a kernel)");
}

void require_type(const JsonReader& layer, std::initializer_list<const char*> types) {
  const std::string type = layer["name"].text();
  std::string expected;
  for (const char* known : types) {
    if (type == known) return;
    expected += (expected.empty() ? "" : " or ") + std::string(known);
  }
  layer["name"].fail(expected);
}

void require_channels(const JsonReader& layer, const char* key, int expected) {
  if (channels_of(layer[key]) != expected)
    layer[key].fail(std::to_string(expected) + ", the channels of the layer before");
}

void require_flag(const JsonReader& layer, const char* key, bool expected, const char* why) {
  if (layer.has_value(key) && layer[key].flag() != expected)
    layer[key].fail(std::string(expected ? "true" : "false") + " (" + why + ")");
}

void require_order(const JsonReader& layer) {
  if (layer.has_value("ops_order")) layer["ops_order"].require_text("weight_bn_act");
}

// Weights are followed by batch norm, which stands for their bias: parameters are counted so.
void require_batch_norm(const JsonReader& layer) {
  require_flag(layer, "use_bn", true, "parameters are counted with batch norm's scale and shift");
  require_flag(layer, "bias", false, "batch norm's shift is the bias");
  require_order(layer);
}

// Read by those who train; here they only have to be what they are called.
void check_batch_norm_settings(const JsonReader& root) {
  if (!root.has_value("bn")) return;
  const JsonReader settings = root["bn"];
  if (!settings.is_object()) settings.fail("an object with momentum and eps");
  for (const char* key : {"momentum", "eps"}) {
    if (settings.has_value(key)) settings[key].number();
  }
}

// Options of a layer that would change what is computed.
void require_plain(const JsonReader& layer) {
  if (layer.has_value("use_se") && layer["use_se"].flag())
    layer["use_se"].fail("false (squeeze-and-excite has no kernel)");
  if (layer.has_value("has_shuffle") && layer["has_shuffle"].flag()) layer["has_shuffle"].fail("false");
  for (const char* key : {"groups", "dilation"}) {
    if (layer.has_value(key) && layer[key].integer(1, INT32_MAX) != 1) layer[key].fail("1");
  }
}

ConvSpec read_conv(const JsonReader& layer, int in_channels) {
  require_type(layer, {"ConvLayer"});
  require_plain(layer);
  require_batch_norm(layer);
  require_channels(layer, "in_channels", in_channels);
  ConvSpec conv;
  conv.channels = channels_of(layer["out_channels"]);
  const Size kernel = size_of(layer["kernel_size"], kMaxKernelSize);
  conv.kernel_h = kernel.h;
  conv.kernel_w = kernel.w;
  const Size stride = size_of(layer["stride"], kMaxStride);
  conv.stride_h = stride.h;
  conv.stride_w = stride.w;
  conv.activation = activation_of(layer);
  return conv;
}

// round() of Python: halves to the even neighbour.
int expanded_channels(const JsonReader& layer, int in_channels) {
  const double expansion = layer["expand_ratio"].number();
  if (!(expansion > 0 && expansion <= kMaxExpansion))
    layer["expand_ratio"].fail("a number above 0, up to " + std::to_string(static_cast<int>(kMaxExpansion)));
  int mid = static_cast<int>(std::nearbyint(in_channels * expansion));
  if (layer.has_value("mid_channels")) mid = channels_of(layer["mid_channels"]);
  if (expansion == 1.0) {
    if (mid != in_channels) {
      layer["mid_channels"].fail(std::to_string(in_channels) +
                                 ", the block's input, where expand_ratio is 1");
    }
    return 0;
  }
  if (mid < 1 || mid > kMaxDimension)
    layer["expand_ratio"].fail("a ratio that leaves 1 to " + std::to_string(kMaxDimension) + " channels");
  return mid;
}

BlockSpec read_mbconv(const JsonReader& layer, int in_channels) {
  require_type(layer, {"MBInvertedConvLayer", "MBConvLayer"});
  require_plain(layer);
  require_batch_norm(layer);
  require_channels(layer, "in_channels", in_channels);
  BlockSpec block;
  block.expanded_channels = expanded_channels(layer, in_channels);
  block.kernel = square_of(layer["kernel_size"], kMaxKernelSize);
  block.stride = square_of(layer["stride"], kMaxStride);
  block.activation = activation_of(layer);
  block.channels = channels_of(layer["out_channels"]);
  return block;
}

bool has_identity(const JsonReader& block) {
  if (!block.has_value("shortcut")) return false;
  const JsonReader shortcut = block["shortcut"];
  require_type(shortcut, {"IdentityLayer"});
  if (shortcut.has_value("use_bn") && shortcut["use_bn"].flag()) shortcut["use_bn"].fail("false");
  if (activation_of(shortcut) != Activation::kNone) shortcut["act_func"].fail("null");
  return true;
}

// The block's convolution, whatever it is called; none where the block is skipped.
std::optional<JsonReader> convolution_of(const JsonReader& block) {
  const char* key = block.has("conv") ? "conv" : "mobile_inverted_conv";
  if (!block.has(key)) block.fail("a block with mobile_inverted_conv (or conv)");
  if (!block.has_value(key)) return std::nullopt;
  const JsonReader layer = block[key];
  if (layer["name"].text() == "ZeroLayer") return std::nullopt;
  return layer;
}

}  // namespace

bool is_ofa_json(const nlohmann::json& json) {
  return json.is_object() && json.contains("first_conv") && json.contains("blocks") &&
         json.contains("classifier");
}

BlockNetwork network_from_ofa_json(const nlohmann::json& json, const std::string& where,
                                   std::optional<int> resolution) {
  const JsonReader root(json, where);
  BlockNetwork network;
  check_batch_norm_settings(root);
  network.name = root.has_value("name") ? root["name"].text() : "network";
  if (!resolution && !root.has_value("resolution")) {
    throw usage_error(where +
                      ": resolution: is missing, as in every file of Once-for-All; give --resolution");
  }
  const int rows = resolution ? *resolution : int_of(root["resolution"], 1, kMaxDimension);
  const JsonReader first = root["first_conv"];
  network.input = {rows, rows, channels_of(first["in_channels"])};
  network.stem = read_conv(first, network.input.c);

  int channels = network.stem.channels;
  const std::vector<JsonReader> blocks = root["blocks"].elements();
  for (size_t i = 0; i < blocks.size(); ++i) {
    const bool identity = has_identity(blocks[i]);
    const std::optional<JsonReader> layer = convolution_of(blocks[i]);
    if (!layer) {
      if (!identity) blocks[i].fail("a convolution or an identity shortcut: without both nothing passes");
      continue;
    }
    BlockSpec block = read_mbconv(*layer, channels);
    block.index = static_cast<int>(i);
    block.residual = identity;
    if (identity && (block.stride != 1 || block.channels != channels)) {
      blocks[i]["shortcut"].fail("null: the block changes the shape, so that nothing can be added");
    }
    channels = block.channels;
    network.blocks.push_back(block);
  }
  if (root.has_value("feature_mix_layer")) {
    network.head = read_conv(root["feature_mix_layer"], channels);
    channels = network.head->channels;
  }
  const JsonReader classifier = root["classifier"];
  require_type(classifier, {"LinearLayer"});
  require_flag(classifier, "use_bn", false, "the classifier has a bias instead");
  require_flag(classifier, "bias", true, "parameters are counted with it");
  require_order(classifier);
  if (activation_of(classifier) != Activation::kNone) classifier["act_func"].fail("null");
  require_channels(classifier, "in_features", channels);
  network.classes = channels_of(classifier["out_features"]);
  return network;
}

}  // namespace tinynas
