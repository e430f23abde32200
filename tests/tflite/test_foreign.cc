// Files as other tools write them: float or uint8 ends, explicit PAD, scales per tensor, no bias, heads with
// MEAN.
#include <catch2/catch.hpp>

#include "base/error.h"
#include "base/rng.h"
#include "file_builder.h"
#include "quantize/interpreter.h"
#include "tflite/tflite.h"

using namespace tinynas;
using namespace tinynas::testing;
using Catch::Matchers::Contains;

namespace {

std::vector<uint8_t> random_bytes(size_t count, Rng& rng) {
  std::vector<uint8_t> bytes(count);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(rng.next());
  return bytes;
}

// float -> QUANTIZE -> PAD -> CONV_2D (no bias) -> PAD -> DEPTHWISE (multiplier 2, a scale per tensor) ->
// MEAN
// -> FULLY_CONNECTED -> SOFTMAX -> DEQUANTIZE.
File classifier(bool keep_dims = false) {
  Rng rng(7);
  File f;
  const int32_t image = f.add({"image", {1, 6, 5, 3}, Type::FLOAT32});
  const int32_t x = f.add({"x", {1, 6, 5, 3}, Type::INT8, {0.5f}, {-3}});
  const int32_t paddings =
      f.add({"paddings", {4, 2}, Type::INT32, {}, {}, int32_bytes({0, 0, 0, 1, 1, 1, 0, 0})});
  const int32_t padded = f.add({"padded", {1, 7, 7, 3}, Type::INT8, {0.5f}, {-3}});
  const int32_t w1 = f.add(
      {"w1", {4, 3, 3, 3}, Type::INT8, {0.01f, 0.02f, 0.03f, 0.04f}, {0, 0, 0, 0}, random_bytes(108, rng)});
  const int32_t a = f.add({"model/conv/Relu;model/bn", {1, 3, 3, 4}, Type::INT8, {0.25f}, {4}});
  const int32_t paddings2 = f.add({"p2", {4, 2}, Type::INT32, {}, {}, int32_bytes({0, 0, 1, 1, 1, 1, 0, 0})});
  const int32_t padded2 = f.add({"padded2", {1, 5, 5, 4}, Type::INT8, {0.25f}, {4}});
  const int32_t w2 = f.add({"w2", {1, 3, 3, 8}, Type::INT8, {0.05f}, {0}, random_bytes(72, rng)});
  const int32_t b2 = f.add({"b2", {8}, Type::INT32, {}, {}, int32_bytes({1, 2, 3, 4, 5, 6, 7, -8})});
  const int32_t b = f.add({"b", {1, 3, 3, 8}, Type::INT8, {0.125f}, {-10}});
  const int32_t axes = f.add({"axes", {2}, Type::INT32, {}, {}, int32_bytes({2, -3})});
  const std::vector<int32_t> pooled =
      keep_dims ? std::vector<int32_t>{1, 1, 1, 8} : std::vector<int32_t>{1, 8};
  const int32_t c = f.add({"c", pooled, Type::INT8, {0.1f}, {0}});
  const int32_t shape = f.add({"shape", {2}, Type::INT32, {}, {}, int32_bytes({-1, 8})});
  const int32_t flat = f.add({"flat", {1, 8}, Type::INT8, {0.1f}, {0}});
  const int32_t w3 = f.add({"w3", {5, 8}, Type::INT8, {0.02f}, {0}, random_bytes(40, rng)});
  const int32_t d = f.add({"d", {1, 5}, Type::INT8, {0.2f}, {1}});
  const int32_t e = f.add({"e", {1, 5}, Type::INT8, {1.0f / 256}, {-128}});
  const int32_t out = f.add({"out", {1, 5}, Type::FLOAT32});
  f.ops = {{Code::QUANTIZE, {image}, {x}},
           {Code::PAD, {x, paddings}, {padded}},
           {Code::CONV_2D, {padded, w1, -1}, {a}, conv_options(fb::Padding::VALID, 2)},
           {Code::PAD, {a, paddings2}, {padded2}},
           {Code::DEPTHWISE_CONV_2D, {padded2, w2, b2}, {b}, depthwise_options(fb::Padding::VALID, 1, 2)},
           {Code::MEAN, {b, axes}, {c}, mean_options(keep_dims)},
           {Code::RESHAPE, {c, shape}, {flat}},
           {Code::FULLY_CONNECTED, {flat, w3}, {d}, connected_options()},
           {Code::SOFTMAX, {d}, {e}, softmax_options(1)},
           {Code::DEQUANTIZE, {e}, {out}}};
  f.outputs = {out};
  return f;
}

std::string complaint(const File& file) {
  try {
    read_tflite(file.bytes(), "net.tflite");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::kData);
    CHECK_THAT(error.what(), Contains("net.tflite: "));
    return error.what();
  }
  return "accepted";
}

template <typename Change>
std::string complaint_after(const Change& change) {
  File file = classifier();
  change(file);
  return complaint(file);
}

}  // namespace

TEST_CASE("float ends, explicit padding, missing biases and scales per tensor are read") {
  for (const bool keep_dims : {false, true}) {
    const TfliteImport imported = read_tflite(classifier(keep_dims).bytes(), "net.tflite");
    const Graph& graph = imported.model.graph;
    REQUIRE(imported.notes.size() == 2);
    CHECK_THAT(imported.notes[0], Contains("round(x / 0.5) + (-3)"));
    CHECK_THAT(imported.notes[1], Contains("0.00390625 * (int8 - (-128))"));
    REQUIRE(graph.ops.size() == 5);
    CHECK(graph.tensor(graph.input).name == "image");
    CHECK(graph.ops[0].name == "model/conv/Relu");
    CHECK(graph.ops[0].padding == Padding{0, 1, 1, 1});
    CHECK(imported.model.ops[0].bias == std::vector<int32_t>(4, 0));
    CHECK(graph.ops[1].padding == Padding{1, 1, 1, 1});
    CHECK(graph.ops[1].depth_multiplier == 2);
    CHECK(graph.ops[1].activation == Activation::kRelu6);
    CHECK(imported.model.ops[1].weight_scales == std::vector<float>(8, 0.05f));
    CHECK(imported.model.ops[1].bias[7] == -8);
    CHECK(graph.ops[2].kind == OpKind::kGlobalAvgPool);
    CHECK(graph.ops[3].kind == OpKind::kFullyConnected);
    Interpreter(imported.model).run(std::vector<int8_t>(90, 5).data());
    // Written as a file of ours it computes the same.
    const Int8Model again = read_tflite(tflite_bytes(imported.model), "again.tflite").model;
    Rng rng(3);
    std::vector<int8_t> image(90);
    for (int8_t& value : image) value = static_cast<int8_t>(rng.next());
    Interpreter first(imported.model);
    Interpreter second(again);
    CHECK(first.run(image.data()) == second.run(image.data()));
  }
}

TEST_CASE("uint8 ends are a shift by 128") {
  File file = classifier();
  file.tensors[0].type = Type::UINT8;
  file.tensors[0].scales = {0.5f};
  file.tensors[0].zero_points = {125};
  const TfliteImport imported = read_tflite(file.bytes(), "net.tflite");
  CHECK_THAT(imported.notes[0], Contains("int8 = uint8 - 128"));
  file.tensors[0].zero_points = {124};
  CHECK_THAT(complaint(file), Contains("operator 0 (QUANTIZE)") && Contains("zero point by 128"));
}

TEST_CASE("fully connected weights with a scale for each output become a convolution over the whole map") {
  Rng rng(5);
  File f;
  const int32_t x = f.add({"x", {1, 2, 3, 4}, Type::INT8, {0.5f}, {7}});
  const int32_t w =
      f.add({"w", {3, 24}, Type::INT8, {0.01f, 0.02f, 0.04f}, {0, 0, 0}, random_bytes(72, rng)});
  const int32_t y = f.add({"y", {1, 3}, Type::INT8, {2.0f}, {-5}});
  f.ops = {{Code::FULLY_CONNECTED, {x, w, -1}, {y}, connected_options()}};
  f.outputs = {y};
  const Int8Model model = read_tflite(f.bytes(), "fc.tflite").model;
  CHECK(model.graph.ops[0].kind == OpKind::kConv2d);
  std::vector<int8_t> input(24);
  for (int8_t& value : input) value = static_cast<int8_t>(rng.next());
  Interpreter interpreter(model);
  const std::vector<int8_t>& got = interpreter.run(input.data());
  for (size_t o = 0; o < 3; ++o) {
    double sum = 0;
    for (size_t i = 0; i < 24; ++i)
      sum += 0.5 * (input[i] - 7) * f.tensors[1].scales[o] * model.ops[0].weights[o * 24 + i];
    CHECK(std::abs(got[o] - std::clamp(sum / 2.0 - 5, -128.0, 127.0)) <= 0.51);
  }
}

TEST_CASE("what is not supported is named with its index, its builtin name and what to do") {
  CHECK_THAT(complaint_after([](File& f) { f.ops[5].code = Code::MAX_POOL_2D; }),
             Contains("operator 5 (MAX_POOL_2D)") && Contains("AVERAGE_POOL_2D"));
  CHECK_THAT(complaint_after([](File& f) { f.ops[5].code = Code::GELU; }), Contains("operator 5 (GELU)"));
  CHECK_THAT(complaint_after([](File& f) { f.ops[5].code = static_cast<Code>(900); }),
             Contains("operator 5 (builtin operator 900)"));
  CHECK_THAT(complaint_after([](File& f) { f.ops[2].options = conv_options(fb::Padding::VALID, 2, 2); }),
             Contains("operator 2 (CONV_2D)") && Contains("dilation"));
  CHECK_THAT(complaint_after([](File& f) {
               f.ops[2].options = conv_options(fb::Padding::VALID, 2, 1, fb::ActivationFunctionType::TANH);
             }),
             Contains("TANH"));
  CHECK_THAT(complaint_after([](File& f) { f.ops[8].options = softmax_options(2); }), Contains("beta"));
  CHECK_THAT(complaint_after([](File& f) { f.tensors[7].scales = {0.5f}; }),
             Contains("operator 3 (PAD)") && Contains("different scales"));
  CHECK_THAT(complaint_after([](File& f) { f.tensors[5].type = Type::FLOAT32; }), Contains("full integer"));
  CHECK_THAT(complaint_after([](File& f) {
               f.tensors[11].data = int32_bytes({1, 3});
             }),
             Contains("(MEAN)") && Contains("rows and columns"));
  CHECK_THAT(complaint_after([](File& f) { f.inputs = {0, 1}; }), Contains("got 2 inputs"));
  CHECK_THAT(complaint_after([](File& f) { f.version = 2; }), Contains("schema version 2"));
}

TEST_CASE("malformed numbers are refused where they stand") {
  CHECK_THAT(complaint_after([](File& f) { f.tensors[4].data.pop_back(); }),
             Contains("got 107 bytes of data, expected 108"));
  CHECK_THAT(complaint_after([](File& f) { f.tensors[4].scales[2] = -1; }), Contains("scale"));
  CHECK_THAT(complaint_after([](File& f) { f.tensors[4].zero_points[2] = 1; }), Contains("zero point 1"));
  CHECK_THAT(complaint_after([](File& f) { f.tensors[4].quantized_dimension = 3; }), Contains("dimension 3"));
  CHECK_THAT(complaint_after([](File& f) { f.tensors[1].zero_points = {300}; }), Contains("zero point 300"));
  CHECK_THAT(complaint_after([](File& f) { f.tensors[5].dims = {1, 4, 3, 4}; }), Contains("makes 3x3x4"));
  CHECK_THAT(complaint_after([](File& f) { f.tensors[5].dims = {2, 3, 3, 4}; }), Contains("batch"));
  CHECK_THAT(complaint_after([](File& f) { f.tensors[5].dims = {1, -1, 3, 4}; }), Contains("static shapes"));
  CHECK_THAT(complaint_after([](File& f) { f.ops[3].inputs[0] = 99; }), Contains("tensor 99"));
  CHECK_THAT(complaint_after([](File& f) { f.ops[3].inputs[0] = 10; }),
             Contains("no operator before it makes"));
  CHECK_THAT(complaint_after([](File& f) { f.ops[2].options = conv_options(fb::Padding::SAME, 0); }),
             Contains("strides"));
  CHECK_THAT(complaint_after([](File& f) { f.ops[2].options = {}; }), Contains("options are missing"));
  CHECK_THAT(complaint_after([](File& f) { f.ops[1].inputs = {1, -1}; }), Contains("paddings are left out"));
  CHECK_THAT(complaint_after([](File& f) { f.tensors[9].scales = {0.5f}, f.tensors[9].zero_points = {0}; }),
             Contains("(DEPTHWISE_CONV_2D)") && Contains("weight scale"));
  CHECK_THAT(complaint_after([](File& f) { f.ops[8].outputs = {16}; }), Contains("there already"));
  CHECK_THAT(complaint_after([](File& f) { f.outputs = {9}; }), Contains("inside the network"));
  CHECK_THAT(complaint_after([](File& f) { f.outputs = {9}, f.ops.pop_back(); }),
             Contains("no operator makes") && Contains("b2"));
}
