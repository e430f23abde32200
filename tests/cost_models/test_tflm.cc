#include "cost_models/tflm.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdio>
#include <cstring>

#include "cost_models/costs.h"
#include "cost_models/memory_plan.h"
#include "graph/graph_builder.h"
#include "graph/network_file.h"

using namespace tinynas;

namespace {

constexpr Activation kRelu = Activation::kRelu;

// The networks of MLPerf Tiny that were measured on TensorFlow Lite Micro. Pooling is global where their
// files pool over the whole map; softmax, which works on a dozen values, is left out.
Graph resnet_ic() {
  Graph graph;
  GraphBuilder builder(graph, Names::kFull, 20);
  TensorId x = builder.input({32, 32, 3});
  x = builder.conv("stem", x, 16, 3, 3, 1, 1, kRelu);
  int block = 0;
  for (const int channels : {16, 32, 64}) {
    builder.set_prefix("block" + std::to_string(block++) + ".");
    const int stride = channels == 16 ? 1 : 2;
    const TensorId in = x;
    x = builder.conv("a", x, channels, 3, 3, stride, stride, kRelu);
    x = builder.conv("b", x, channels, 3, 3, 1, 1, Activation::kNone);
    const TensorId shortcut =
        stride == 1 ? in : builder.conv("shortcut", in, channels, 1, 1, 2, 2, Activation::kNone);
    x = builder.add("add", shortcut, x);
  }
  x = builder.global_avg_pool("pool", x);
  graph.output = builder.fully_connected("classifier", x, 10);
  return graph;
}

Graph dscnn_kws() {
  Graph graph;
  GraphBuilder builder(graph, Names::kFull, 20);
  TensorId x = builder.input({49, 10, 1});
  x = builder.conv("stem", x, 64, 10, 4, 2, 2, kRelu);
  for (int i = 0; i < 4; ++i) {
    builder.set_prefix("block" + std::to_string(i) + ".");
    x = builder.depthwise("depthwise", x, 3, 1, kRelu);
    x = builder.pointwise("project", x, 64, kRelu);
  }
  x = builder.global_avg_pool("pool", x);
  graph.output = builder.fully_connected("classifier", x, 12);
  return graph;
}

const TflmPeer& peer(const char* name) {
  for (const TflmPeer& row : tflm_peers()) {
    if (std::strcmp(row.name, name) == 0) return row;
  }
  throw std::logic_error("no such peer");
}

}  // namespace

TEST_CASE("TensorFlow Lite Micro's plan of a network is what was measured of it") {
  // resnet: three tensors of 32x32x16 and CMSIS-NN's two columns of int16.
  const MemoryPlan resnet = plan_memory(resnet_ic(), PlanOptions::of(Runtime::kTflm));
  CHECK(macs(resnet_ic()) == 12501632);
  CHECK(macs(dscnn_kws()) == 2656768);
  CHECK(resnet.arena_bytes == peer("resnet-ic").activations_bytes);
  const MemoryPlan dscnn = plan_memory(dscnn_kws(), PlanOptions::of(Runtime::kTflm));
  CHECK(dscnn.arena_bytes == peer("dscnn-kws").activations_bytes);
  for (const PlanStep& step : resnet.order) CHECK_FALSE(step.in_place);
}

TEST_CASE(
    "what the interpreter needs in all is within 2 % of the measured RAM and 7 % of the measured Flash") {
  for (const TflmPeer& row : tflm_peers()) {
    // A graph with the peer's operators and channels; only their numbers count.
    Graph graph;
    GraphBuilder builder(graph, Names::kFull, 80);
    TensorId x = builder.input({1, 1, 1});
    x = builder.pointwise("all", x, row.channels, kRelu);
    for (int i = 1; i < row.operators; ++i) x = builder.global_avg_pool("p" + std::to_string(i), x);
    const TflmOverhead overhead = tflm_overhead(graph);
    const auto total =
        static_cast<double>(row.activations_bytes + overhead.persistent_bytes + overhead.stack_bytes);
    const auto flash = static_cast<double>(row.weights_bytes + overhead.file_bytes + overhead.code_bytes);
    std::printf("tflm %-17s RAM %8.0f, measured %8lld (%+.1f %%); Flash %8.0f, measured %8lld (%+.1f %%)\n",
                row.name, total, static_cast<long long>(row.total_ram_bytes),
                100 * (total / static_cast<double>(row.total_ram_bytes) - 1), flash,
                static_cast<long long>(row.linked_flash_bytes),
                100 * (flash / static_cast<double>(row.linked_flash_bytes) - 1));
    CHECK(total == Approx(static_cast<double>(row.total_ram_bytes)).epsilon(0.02));
    CHECK(flash == Approx(static_cast<double>(row.linked_flash_bytes)).epsilon(0.07));
  }
}

TEST_CASE("on TensorFlow Lite Micro the same model needs more of everything") {
  const Graph graph = load_network("tests/networks/mcunet-320k.json").graph;
  CostOptions options;
  options.plan = PlanOptions::of(Runtime::kTflm);
  const CostReport theirs = estimate(graph, options);
  const CostReport ours = estimate(graph);
  CHECK(theirs.sram.persistent_bytes > 50000);
  CHECK(theirs.sram.total_bytes() > ours.sram.total_bytes());
  CHECK(theirs.flash.total_bytes() > ours.flash.total_bytes());
  CHECK(theirs.flash.weights_bytes == ours.flash.weights_bytes);
  CHECK(theirs.macs == ours.macs);
}
