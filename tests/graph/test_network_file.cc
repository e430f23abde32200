#include "graph/network_file.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <functional>
#include <map>

#include "base/error.h"
#include "base/files.h"
#include "base/rng.h"
#include "graph/lower.h"
#include "graph/ofa_json.h"
#include "reference_networks.h"

using namespace tinynas;
using namespace tinynas::testing;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

fs::path network(const std::string& name) { return fs::path("tests/networks") / (name + ".json"); }

nlohmann::json json_of(const std::string& name) { return nlohmann::json::parse(read_file(network(name))); }

double millions(int64_t count) { return static_cast<double>(count) / 1e6; }

// What is said of a spoilt file.
std::string complaint(const std::string& name, const std::function<void(nlohmann::json&)>& spoil,
                      std::optional<int> resolution = std::nullopt) {
  nlohmann::json json = json_of(name);
  spoil(json);
  try {
    lower(network_from_ofa_json(json, "net.json", resolution)).check();
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::kUsage);
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("published network files have their published MACs and parameters") {
  const NetworkFile proxyless = load_network(network("proxyless-w0.3"));
  CHECK(millions(macs(proxyless.graph)) == Approx(38.3).margin(0.05));
  CHECK(millions(published_params(proxyless.graph)) == Approx(0.75).margin(0.008));

  const NetworkFile full = load_network(network("mobilenetv2-w1.0"), 224);
  CHECK(millions(macs(full.graph)) == Approx(300).epsilon(0.01));
  CHECK(millions(published_params(full.graph)) == Approx(3.5).margin(0.05));

  const NetworkFile small = load_network(network("mobilenetv2-w0.35"));
  CHECK(millions(macs(small.graph)) == Approx(23.5).margin(0.05));
  CHECK(millions(published_params(small.graph)) == Approx(0.75).margin(0.005));

  const NetworkFile mcunet = load_network(network("mcunet-320k"));
  CHECK(millions(macs(mcunet.graph)) == Approx(81.79).margin(0.005));
  CHECK(millions(published_params(mcunet.graph)) == Approx(0.737).margin(0.0005));
}

TEST_CASE("the networks of the firmware benchmark have their MACs, and softmax is last") {
  const std::map<std::string, int64_t> expected{
      {"person-detection", 7157888}, {"resnet-ic", 12501632}, {"dscnn-kws", 2656768}};
  for (const auto& [name, network_macs] : expected) {
    CAPTURE(name);
    const Graph graph = load_network(network(name)).graph;
    CHECK(graph.name == name);
    CHECK(macs(graph) == network_macs);
    CHECK(graph.ops.back().kind == OpKind::kSoftmax);
    CHECK(graph.ops[graph.ops.size() - 3].kind == OpKind::kAvgPool);
  }
}

TEST_CASE("a file and the same network as a space lower to the same operators") {
  const ReferenceNetwork net = mcunet_320k();
  const Graph ours = lower(net.space, net.architecture, 1000);
  const Graph theirs = load_network(network("mcunet-320k")).graph;
  REQUIRE(ours.ops.size() == theirs.ops.size());
  for (size_t i = 0; i < ours.ops.size(); ++i) {
    CAPTURE(ours.ops[i].name, theirs.ops[i].name);
    CHECK(ours.ops[i].kind == theirs.ops[i].kind);
    CHECK(ours.ops[i].inputs == theirs.ops[i].inputs);
    CHECK(ours.ops[i].padding == theirs.ops[i].padding);
    CHECK(ours.ops[i].activation == theirs.ops[i].activation);
    CHECK(ours.tensor(ours.ops[i].output).shape == theirs.tensor(theirs.ops[i].output).shape);
  }
}

TEST_CASE("skipped blocks leave no operators, and the others keep their numbers") {
  const NetworkFile file = load_network(network("proxyless-w0.3"));
  REQUIRE(file.blocks);
  std::vector<int> indices;
  for (const BlockSpec& block : file.blocks->blocks) indices.push_back(block.index);
  CHECK(std::vector<int>(indices.begin(), indices.begin() + 5) == std::vector<int>{0, 1, 2, 5, 6});
  CHECK_THAT(file.graph.ops.back().name, Contains("classifier"));
}

TEST_CASE("a malformed file is refused with the path inside it") {
  using J = nlohmann::json;
  const std::string net = "mcunet-320k";
  CHECK(complaint(net, [](J&) {}) == "accepted");
  CHECK_THAT(complaint(net, [](J& j) { j["blocks"][2]["mobile_inverted_conv"]["kernel_size"] = "x"; }),
             Contains("net.json: blocks[2].mobile_inverted_conv.kernel_size: got \"x\""));
  CHECK_THAT(complaint(net, [](J& j) { j["first_conv"].erase("out_channels"); }),
             Contains("net.json: first_conv.out_channels: is missing"));
  CHECK_THAT(complaint(net, [](J& j) { j["blocks"][4]["mobile_inverted_conv"]["in_channels"] = 17; }),
             Contains("blocks[4].mobile_inverted_conv.in_channels: got 17, expected 16"));
  CHECK_THAT(complaint(net, [](J& j) { j["blocks"][4]["mobile_inverted_conv"]["out_channels"] = 0; }),
             Contains("blocks[4].mobile_inverted_conv.out_channels: got 0"));
  CHECK_THAT(complaint(net, [](J& j) { j["blocks"][1]["mobile_inverted_conv"]["use_se"] = true; }),
             Contains("blocks[1].mobile_inverted_conv.use_se") && Contains("squeeze"));
  CHECK_THAT(complaint(net, [](J& j) { j["blocks"][1]["mobile_inverted_conv"]["act_func"] = "h_swish"; }),
             Contains("blocks[1].mobile_inverted_conv.act_func: got \"h_swish\""));
  CHECK_THAT(complaint(net, [](J& j) { j["blocks"][1]["shortcut"] = j["blocks"][2]["shortcut"]; }),
             Contains("blocks[1].shortcut") && Contains("expected null"));
  CHECK_THAT(complaint(net, [](J& j) { j["blocks"][2]["shortcut"]["name"] = "ConvLayer"; }),
             Contains("blocks[2].shortcut.name: got \"ConvLayer\", expected IdentityLayer"));
  CHECK_THAT(complaint(net,
                       [](J& j) {
                         j["blocks"][5] = J{{"mobile_inverted_conv", nullptr}, {"shortcut", nullptr}};
                       }),
             Contains("blocks[5]") && Contains("nothing passes"));
  CHECK_THAT(complaint(net, [](J& j) { j["blocks"][5] = 3; }), Contains("blocks[5]"));
  CHECK_THAT(complaint(net, [](J& j) { j["blocks"] = "none"; }),
             Contains("blocks: got \"none\", expected an array"));
  CHECK_THAT(complaint(net, [](J& j) { j["first_conv"]["groups"] = 3; }),
             Contains("first_conv.groups: got 3, expected 1"));
  CHECK_THAT(complaint(net, [](J& j) { j["classifier"]["in_features"] = 7; }),
             Contains("classifier.in_features: got 7, expected 160"));
  CHECK_THAT(complaint(net, [](J& j) { j["blocks"][2]["mobile_inverted_conv"]["mid_channels"] = 1e9; }),
             Contains("mid_channels"));
  CHECK_THAT(complaint(net, [](J& j) { j["blocks"][0]["mobile_inverted_conv"]["mid_channels"] = 24; }),
             Contains("blocks[0].mobile_inverted_conv.mid_channels"));
  CHECK_THAT(complaint(net, [](J& j) { j["blocks"][2]["mobile_inverted_conv"]["expand_ratio"] = -3; }),
             Contains("expand_ratio"));
  CHECK_THAT(complaint(net, [](J& j) { j["resolution"] = 0; }), Contains("resolution: got 0"));
  CHECK_THAT(complaint(net, [](J& j) { j["resolution"] = 60000; }), Contains("out of range"));
  CHECK_THAT(complaint(
                 net, [](J&) {}, 60000),
             Contains("out of range"));
  CHECK_THAT(complaint("mobilenetv2-w1.0", [](J&) {}), Contains("resolution") && Contains("--resolution"));
}

TEST_CASE("what would change the operators or the parameters has no silent default") {
  using J = nlohmann::json;
  const std::string net = "proxyless-w0.3";
  for (const char* layer : {"/first_conv", "/feature_mix_layer", "/blocks/1/mobile_inverted_conv"}) {
    const nlohmann::json::json_pointer at(layer);
    CAPTURE(layer);
    CHECK_THAT(complaint(net, [&](J& j) { j[at].erase("stride"); }), Contains("stride: is missing"));
    CHECK_THAT(complaint(net, [&](J& j) { j[at]["stride"] = nullptr; }), Contains("stride: got null"));
    CHECK_THAT(complaint(net, [&](J& j) { j[at]["use_bn"] = false; }),
               Contains("use_bn: got false, expected true"));
    CHECK_THAT(complaint(net, [&](J& j) { j[at]["bias"] = true; }),
               Contains("bias: got true, expected false"));
    CHECK_THAT(complaint(net, [&](J& j) { j[at]["ops_order"] = "act_weight_bn"; }), Contains("ops_order"));
    CHECK(complaint(net, [&](J& j) { j[at].erase("use_bn"); }) == "accepted");
  }
  CHECK_THAT(complaint(net, [](J& j) { j["classifier"]["use_bn"] = true; }), Contains("classifier.use_bn"));
  CHECK_THAT(complaint(net, [](J& j) { j["classifier"]["bias"] = false; }), Contains("classifier.bias"));
  CHECK_THAT(complaint(net, [](J& j) { j["classifier"]["act_func"] = "relu"; }),
             Contains("classifier.act_func"));
  CHECK_THAT(complaint(net, [](J& j) { j["bn"]["eps"] = "x"; }),
             Contains("bn.eps: got \"x\", expected a number"));
  CHECK_THAT(complaint(net, [](J& j) { j["bn"] = 3; }), Contains("bn: got 3"));
  CHECK(complaint(net, [](J& j) { j.erase("bn"); }) == "accepted");
}

TEST_CASE("files that are no networks are refused") {
  const auto complaint_of = [](const fs::path& path,
                               std::optional<int> resolution = std::nullopt) -> std::string {
    try {
      load_network(path, resolution);
    } catch (const Error& error) {
      CHECK(error.code() == ExitCode::kUsage);
      return error.what();
    }
    return "accepted";
  };
  CHECK_THAT(complaint_of("no/such/file.json"), Contains("no/such/file.json") && Contains("does not exist"));
  CHECK_THAT(complaint_of("tests"), Contains("is a folder"));
  CHECK_THAT(complaint_of("README.md"), Contains("not valid JSON"));
  CHECK_THAT(complaint_of("CMakePresets.json"), Contains("is no network"));
  CHECK_THAT(complaint_of(network("mcunet-320k"), 0), Contains("--resolution: got 0"));
}

TEST_CASE("mutated files throw errors and nothing else") {
  Rng rng(611);
  const std::string original = read_file(network("proxyless-w0.3"));
  int refused = 0;
  for (int round = 0; round < 400; ++round) {
    std::string text = original;
    for (int64_t edits = 1 + rng.below(4); edits > 0; --edits) {
      const auto at = static_cast<size_t>(rng.below(static_cast<int64_t>(text.size())));
      const std::string pieces[] = {"0", "-1", "null", "1e30", "\"x\"", "[]", "{}", "99999999", ",", ""};
      text.replace(at, static_cast<size_t>(rng.below(6)), pieces[rng.below(10)]);
    }
    try {
      const nlohmann::json json = nlohmann::json::parse(text);
      lower(network_from_ofa_json(json, "mutated", std::nullopt)).check();
    } catch (const Error& error) {
      CHECK(error.code() == ExitCode::kUsage);
      ++refused;
    } catch (const nlohmann::json::parse_error&) {
    }
  }
  CHECK(refused > 20);
}
