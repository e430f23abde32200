// PAD and RESHAPE wherever other tools put them: folded, renamed, or operators of their own.
#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "base/error.h"
#include "quantize/interpreter.h"
#include "random_file.h"
#include "support/random_graph.h"
#include "tflite/tflite.h"

using namespace tinynas;
using namespace tinynas::testing;
using Catch::Matchers::Contains;

namespace {

// x {1, 4, 4, 8} -> PAD by `paddings` -> y.
struct Padded {
  File file;
  int32_t x = 0;
  int32_t y = 0;
};
Padded padded(const std::vector<int32_t>& paddings, const std::vector<int32_t>& to) {
  Padded p;
  p.x = p.file.add({"x", {1, 4, 4, 8}, Type::INT8, {0.5f}, {7}});
  const int32_t by = p.file.add({"by", {4, 2}, Type::INT32, {}, {}, int32_bytes(paddings)});
  p.y = p.file.add({"y", to, Type::INT8, {0.5f}, {7}});
  p.file.ops = {{Code::PAD, {p.x, by}, {p.y}}};
  p.file.outputs = {p.y};
  return p;
}

FileOptions pool_options(int kernel) {
  return {fb::BuiltinOptions::Pool2DOptions, [=](auto& b) {
            return fb::CreatePool2DOptions(b, fb::Padding::VALID, 1, 1, kernel, kernel).Union();
          }};
}

std::vector<OpKind> kinds(const Graph& graph) {
  std::vector<OpKind> kinds;
  for (const Op& op : graph.ops) kinds.push_back(op.kind);
  return kinds;
}

std::string complaint(const File& file) {
  try {
    read_tflite(file.bytes(), "net.tflite");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::kData);
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE(
    "random files of pads and reshapes compute what the file says, and so does what is written of them") {
  std::multiset<OpKind> seen;
  int folded = 0;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    CAPTURE(seed);
    Rng rng(seed);
    const File file = RandomFile(rng).file();
    const Int8Model model = read_tflite(file.bytes(), "net.tflite").model;
    const Int8Model again = read_tflite(tflite_bytes(model), "again.tflite").model;
    for (const Op& op : model.graph.ops) {
      seen.insert(op.kind);
      folded += op.kind == OpKind::kDepthwiseConv2d && !(op.padding == Padding{}) ? 1 : 0;
    }
    Interpreter first(model);
    Interpreter second(again);
    for (int image = 0; image < 2; ++image) {
      const std::vector<int8_t> input = random_int8_input(model.graph, rng);
      const std::vector<std::vector<int8_t>> expected = run_file(file, input);
      REQUIRE(first.run(input.data()) == expected[static_cast<size_t>(file.outputs[0])]);
      REQUIRE(second.run(input.data()) == expected[static_cast<size_t>(file.outputs[0])]);
      // Tensors that are left have the file's names and values.
      for (size_t id = 0; id < file.tensors.size(); ++id) {
        for (size_t ours = 0; ours < model.graph.tensors.size(); ++ours) {
          if (model.graph.tensors[ours].name == file.tensors[id].name)
            REQUIRE(first.tensor(static_cast<TensorId>(ours)) == expected[id]);
        }
      }
    }
    // What was read is written as what was read.
    const std::string written = tflite_bytes(again);
    REQUIRE(tflite_bytes(read_tflite(written, "third.tflite").model) == written);
  }
  CHECK(seen.count(OpKind::kPad) > 300);
  CHECK(seen.count(OpKind::kReshape) > 100);
  CHECK(folded > 50);
}

TEST_CASE("a PAD is a convolution's own where every window reaches into the input, else an operator") {
  const auto read = [](int kernel, const std::vector<int32_t>& paddings, const std::vector<int32_t>& to) {
    Padded p = padded(paddings, to);
    const int32_t w = p.file.add({"w",
                                  {1, kernel, kernel, to[3]},
                                  Type::INT8,
                                  {0.01f},
                                  {0},
                                  std::vector<uint8_t>(static_cast<size_t>(kernel * kernel * to[3]), 3)});
    const int32_t z =
        p.file.add({"z", {1, to[1] - kernel + 1, to[2] - kernel + 1, to[3]}, Type::INT8, {0.5f}, {0}});
    p.file.ops.push_back(
        {Code::DEPTHWISE_CONV_2D, {p.y, w, -1}, {z}, depthwise_options(fb::Padding::VALID, 1, 1)});
    p.file.outputs = {z};
    return read_tflite(p.file.bytes(), "net.tflite").model.graph;
  };
  const Graph folded = read(3, {0, 0, 2, 0, 1, 1, 0, 0}, {1, 6, 6, 8});
  CHECK(kinds(folded) == std::vector<OpKind>{OpKind::kDepthwiseConv2d});
  CHECK(folded.ops[0].padding == Padding{2, 1, 0, 1});
  const Graph wide = read(3, {0, 0, 3, 0, 1, 1, 0, 0}, {1, 7, 6, 8});
  CHECK(kinds(wide) == std::vector<OpKind>{OpKind::kPad, OpKind::kDepthwiseConv2d});
  CHECK(wide.ops[0].padding == Padding{3, 1, 0, 1});
  CHECK(wide.ops[1].padding == Padding{});
  const Graph channels = read(3, {0, 0, 0, 0, 0, 0, 1, 2}, {1, 4, 4, 11});
  CHECK(kinds(channels) == std::vector<OpKind>{OpKind::kPad, OpKind::kDepthwiseConv2d});
  CHECK(channels.ops[0].padding == Padding{0, 0, 0, 0, 1, 2});
  CHECK(channels.ops[0].name == "y");
}

TEST_CASE("pads that follow one another are one; at the end, before a pool or a mean they are computed") {
  Padded p = padded({0, 0, 1, 0, 0, 2, 0, 1}, {1, 5, 6, 9});
  CHECK(kinds(read_tflite(p.file.bytes(), "net").model.graph) == std::vector<OpKind>{OpKind::kPad});
  const int32_t by = p.file.add({"by2", {4, 2}, Type::INT32, {}, {}, int32_bytes({0, 0, 0, 3, 1, 0, 2, 0})});
  const int32_t z = p.file.add({"z", {1, 8, 7, 11}, Type::INT8, {0.5f}, {7}});
  p.file.ops.push_back({Code::PAD, {p.y, by}, {z}});
  p.file.outputs = {z};
  const Graph twice = read_tflite(p.file.bytes(), "net").model.graph;
  REQUIRE(kinds(twice) == std::vector<OpKind>{OpKind::kPad});
  CHECK(twice.ops[0].padding == Padding{1, 1, 3, 2, 2, 1});
  CHECK(twice.tensor(twice.output).shape == Shape{8, 7, 11});

  Padded pool = padded({0, 0, 1, 1, 1, 1, 0, 0}, {1, 6, 6, 8});
  const int32_t pooled = pool.file.add({"pooled", {1, 4, 4, 8}, Type::INT8, {0.5f}, {7}});
  pool.file.ops.push_back({Code::AVERAGE_POOL_2D, {pool.y}, {pooled}, pool_options(3)});
  pool.file.outputs = {pooled};
  const Int8Model model = read_tflite(pool.file.bytes(), "net").model;
  CHECK(kinds(model.graph) == std::vector<OpKind>{OpKind::kPad, OpKind::kAvgPool});
  // The zeros count in the average: 4 of 9 values at a corner are 7 + 9, five are the zero point 7.
  Interpreter interpreter(model);
  CHECK(interpreter.run(std::vector<int8_t>(128, 16).data())[0] == 11);
}

TEST_CASE(
    "a RESHAPE is a name where the shape does not matter or the input has no reader, else an operator") {
  // x -> RESHAPE {1, 2, 8, 8} -> pool 1x1 -> RESHAPE {1, 4, 4, 8} -> ADD x -> RESHAPE {1, 128} -> FC
  File f;
  const int32_t x = f.add({"x", {1, 4, 4, 8}, Type::INT8, {0.5f}, {7}});
  const int32_t s1 = f.add({"s1", {4}, Type::INT32, {}, {}, int32_bytes({1, 2, 8, 8})});
  const int32_t s2 = f.add({"s2", {4}, Type::INT32, {}, {}, int32_bytes({1, 4, 4, 8})});
  const int32_t s3 = f.add({"s3", {2}, Type::INT32, {}, {}, int32_bytes({-1, 128})});
  const int32_t a = f.add({"a", {1, 2, 8, 8}, Type::INT8, {0.5f}, {7}});
  const int32_t b = f.add({"b", {1, 2, 8, 8}, Type::INT8, {0.5f}, {7}});
  const int32_t c = f.add({"c", {1, 4, 4, 8}, Type::INT8, {0.5f}, {7}});
  const int32_t d = f.add({"d", {1, 4, 4, 8}, Type::INT8, {1.0f}, {0}});
  const int32_t e = f.add({"e", {1, 128}, Type::INT8, {1.0f}, {0}});
  const int32_t w = f.add({"w", {2, 128}, Type::INT8, {0.01f}, {0}, std::vector<uint8_t>(256, 2)});
  const int32_t y = f.add({"y", {1, 2}, Type::INT8, {1.0f}, {0}});
  f.ops = {{Code::RESHAPE, {x, s1}, {a}}, {Code::AVERAGE_POOL_2D, {a}, {b}, pool_options(1)},
           {Code::RESHAPE, {b, s2}, {c}}, {Code::ADD, {c, x}, {d}, add_options()},
           {Code::RESHAPE, {d, s3}, {e}}, {Code::FULLY_CONNECTED, {e, w, -1}, {y}, connected_options()}};
  f.outputs = {y};
  const Graph graph = read_tflite(f.bytes(), "net").model.graph;
  CHECK(kinds(graph) == std::vector<OpKind>{OpKind::kAvgPool, OpKind::kReshape, OpKind::kReshape,
                                            OpKind::kAdd, OpKind::kFullyConnected});
  CHECK(graph.tensor(graph.input).shape == Shape{2, 8, 8});
}

TEST_CASE("a file that says two shapes of one value is refused by the operator") {
  // x -> RESHAPE a -> ADD(a, x), where both are one tensor until one of them is read.
  File f;
  const int32_t x = f.add({"x", {1, 4, 4, 8}, Type::INT8, {0.5f}, {7}});
  const int32_t s = f.add({"s", {4}, Type::INT32, {}, {}, int32_bytes({1, 2, 8, 8})});
  const int32_t a = f.add({"a", {1, 2, 8, 8}, Type::INT8, {0.5f}, {7}});
  const int32_t y = f.add({"y", {1, 2, 8, 8}, Type::INT8, {0.5f}, {7}});
  f.ops = {{Code::RESHAPE, {x, s}, {a}}, {Code::ADD, {a, x}, {y}, add_options()}};
  f.outputs = {y};
  CHECK_THAT(complaint(f), Contains("operator 1 (ADD)") && Contains("expected two tensors of one shape"));
  // The shape that is asked for is what TensorFlow Lite makes.
  f.ops[1] = {Code::AVERAGE_POOL_2D, {a}, {y}, pool_options(1)};
  CHECK(complaint(f) == "accepted");
  f.tensors[static_cast<size_t>(s)].data = int32_bytes({1, 8, 2, 8});
  CHECK_THAT(complaint(f), Contains("operator 0 (RESHAPE)") && Contains("reshapes to 1x8x2x8"));
  f.tensors[static_cast<size_t>(s)].data = int32_bytes({1, 2, -1, 8});
  CHECK(complaint(f) == "accepted");
}

TEST_CASE("paddings that cannot be are refused with the operator's index and what to do") {
  const auto after = [](const std::function<void(Padded&)>& change) {
    Padded p = padded({0, 0, 1, 0, 0, 2, 0, 1}, {1, 5, 6, 9});
    change(p);
    return complaint(p.file);
  };
  CHECK(after([](Padded&) {}) == "accepted");
  const std::string place = "net.tflite: operator 0 (PAD): ";
  const auto paddings = [](Padded& p) -> FileTensor& { return p.file.tensors[1]; };
  CHECK_THAT(after([&](Padded& p) {
               paddings(p).data = int32_bytes({0, 0, -1, 2, 0, 2, 0, 1});
             }),
             Contains(place + "got a padding of -1, expected 0 to 65535"));
  CHECK_THAT(after([&](Padded& p) {
               paddings(p).data = int32_bytes({0, 0, INT32_MAX, 2, 0, 2, 0, 1});
             }),
             Contains(place + "got a padding of 2147483647, expected 0 to 65535"));
  CHECK_THAT(after([&](Padded& p) { paddings(p).data.clear(); }),
             Contains(place) && Contains("computed at run time") && Contains("static shapes"));
  CHECK_THAT(after([&](Padded& p) {
               paddings(p).dims = {2, 4};
             }),
             Contains(place) && Contains("expected 4x2"));
  CHECK_THAT(after([&](Padded& p) {
               paddings(p).dims = {3, 2}, paddings(p).data.resize(24);
             }),
             Contains(place) && Contains("expected 4x2"));
  CHECK_THAT(after([&](Padded& p) { paddings(p).type = Type::FLOAT32; }),
             Contains(place) && Contains("expected INT32"));
  CHECK_THAT(after([&](Padded& p) {
               paddings(p).data = int32_bytes({0, 1, 1, 0, 0, 2, 0, 1});
             }),
             Contains(place) && Contains("pads the batch") && Contains("batch of 1"));
  CHECK_THAT(after([&](Padded& p) { p.file.ops[0].inputs[1] = -1; }), Contains("paddings are left out"));
  CHECK_THAT(after([&](Padded& p) {
               p.file.tensors[2].dims = {1, 5, 6, 8};
             }),
             Contains(place) && Contains("it makes 5x6x9 values"));
  CHECK_THAT(after([&](Padded& p) { p.file.tensors[2].zero_points = {8}; }),
             Contains(place) && Contains("zero points"));
  // As many as may be, and one more row than a tensor may have.
  const auto rows = [&](int32_t more) {
    return after([&](Padded& p) {
      paddings(p).data = int32_bytes({0, 0, more, 0, 0, 0, 0, 0});
      p.file.tensors[2].dims = {1, 4 + more, 4, 8};
    });
  };
  CHECK(rows(65531) == "accepted");
  CHECK_THAT(rows(65532), Contains("out of range") && Contains("65535"));
  CHECK_THAT(after([&](Padded& p) {
               paddings(p).data = int32_bytes({0, 0, 65535, 0, 65535, 0, 65535, 0});
               p.file.tensors[2].dims = {1, 65539, 65539, 65543};
             }),
             Contains(place) && Contains("expected up to"));
}
