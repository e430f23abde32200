#include <algorithm>
#include <catch2/catch.hpp>

#include "../graph/random_graph.h"
#include "../graph/reference_networks.h"
#include "../space/random_space.h"
#include "base/error.h"
#include "cost_models/memory_plan.h"
#include "cost_models/step_rules.h"
#include "graph/lower.h"
#include "runtime/tn_buffer_sizes.h"

using namespace tinynas;
using namespace tinynas::testing;

namespace {

// A tensor's value, byte by byte: different for every tensor.
uint32_t stamp(TensorId id, int64_t byte) {
  return static_cast<uint32_t>(id + 1) * 1000003u + static_cast<uint32_t>(byte);
}

// Executes the plan on an arena of stamps: every operator finds its inputs intact, overwrites its scratch,
// and writes its output. Only what the plan says is believed; lifetimes are not.
void simulate(const Graph& graph, const MemoryPlan& plan) {
  std::vector<uint32_t> arena(static_cast<size_t>(plan.arena_bytes), 0);
  const auto write = [&](TensorId id) {
    for (int64_t byte = 0; byte < graph.tensor(id).bytes(); ++byte) {
      arena.at(static_cast<size_t>(plan.offset_of(id) + byte)) = stamp(id, byte);
    }
  };
  const auto intact = [&](TensorId id) {
    for (int64_t byte = 0; byte < graph.tensor(id).bytes(); ++byte) {
      if (arena.at(static_cast<size_t>(plan.offset_of(id) + byte)) != stamp(id, byte)) return false;
    }
    return true;
  };
  write(graph.input);
  for (const PlanStep& step : plan.order) {
    const Op& op = graph.ops[static_cast<size_t>(step.op)];
    if (step.scratch_buffer >= 0) {
      const PlannedBuffer& scratch = plan.buffers[static_cast<size_t>(step.scratch_buffer)];
      REQUIRE(scratch.size_bytes == step.scratch_bytes);
      for (int64_t byte = 0; byte < scratch.size_bytes; ++byte) {
        arena.at(static_cast<size_t>(scratch.offset_bytes + byte)) = 0xDEAD0000u;
      }
    } else {
      REQUIRE(step.scratch_bytes == 0);
    }
    // A kernel that does not work in place may write all of its output before it reads an input's last byte.
    if (!step.in_place) write(op.output);
    for (const TensorId id : op.inputs) REQUIRE(intact(id));
    if (step.in_place) {
      REQUIRE(plan.offset_of(op.inputs[static_cast<size_t>(step.in_place_input)]) ==
              plan.offset_of(op.output));
      write(op.output);
    }
  }
  REQUIRE(intact(graph.output));
}

void check_plan(const Graph& graph, const PlanOptions& options) {
  const MemoryPlan plan = plan_memory(graph, options);
  simulate(graph, plan);
  CHECK(plan.arena_bytes % options.alignment == 0);
  CHECK(plan.arena_bytes >= plan.lower_bound_bytes);
  CHECK(plan.input_bytes == graph.tensor(graph.input).bytes());
  CHECK(plan.arena_excl_input_bytes == plan.arena_bytes - plan.input_bytes);
  int64_t end = 0;
  std::vector<int> homes(graph.tensors.size(), 0);
  for (size_t i = 0; i < plan.buffers.size(); ++i) {
    const PlannedBuffer& buffer = plan.buffers[i];
    CHECK(buffer.offset_bytes % options.alignment == 0);
    end = std::max(end, align_up(buffer.offset_bytes + buffer.size_bytes, options.alignment));
    const std::vector<TensorId> tensors = tensors_of_buffer(graph, plan, static_cast<int>(i));
    CHECK(tensors.empty() == (buffer.tensor < 0));
    if (!tensors.empty()) CHECK(tensors.front() == buffer.tensor);
    for (const TensorId id : tensors) {
      ++homes[static_cast<size_t>(id)];
      CHECK(plan.buffer_of_tensor[static_cast<size_t>(id)] == static_cast<int>(i));
      CHECK(graph.tensor(id).bytes() <= buffer.size_bytes);
    }
    if (!tensors.empty()) CHECK(graph.tensor(tensors.front()).bytes() == buffer.size_bytes);
  }
  CHECK(end == plan.arena_bytes);
  CHECK(std::all_of(homes.begin(), homes.end(), [](int count) { return count == 1; }));
  // Live bytes from the buffers' lifetimes, and the bound from them.
  int64_t bound = 0;
  int64_t most = 0;
  for (size_t step = 0; step < plan.order.size(); ++step) {
    int64_t live = 0;
    int64_t aligned = 0;
    for (const PlannedBuffer& buffer : plan.buffers) {
      if (static_cast<int>(step) < buffer.first_step || static_cast<int>(step) > buffer.last_step) continue;
      live += buffer.bytes_at(static_cast<int>(step));
      aligned += align_up(buffer.bytes_at(static_cast<int>(step)), options.alignment);
    }
    CHECK(plan.order[step].live_bytes == live);
    bound = std::max(bound, aligned);
    most = std::max(most, live);
  }
  CHECK(plan.lower_bound_bytes == bound);
  CHECK(plan.order[static_cast<size_t>(plan.bottleneck_step)].live_bytes == most);
}

Op make_op(OpKind kind, const char* name, std::vector<TensorId> inputs, TensorId output, int kernel = 1,
           int stride = 1, Padding padding = {}) {
  Op op;
  op.kind = kind;
  op.name = name;
  op.inputs = std::move(inputs);
  op.output = output;
  op.kernel_h = op.kernel_w = kernel;
  op.stride_h = op.stride_w = stride;
  op.padding = padding;
  return op;
}

constexpr Padding kSame3{1, 1, 1, 1};

}  // namespace

// The portable convolutions need no scratch, which keeps the arithmetic short.
const PlanOptions kNoScratch{.variant = KernelVariant::kPortable};

TEST_CASE("a chain alternates between both ends of the arena") {
  // input 64 -> a 128 -> b 32 -> c 96: the peak is input + a = 192.
  Graph graph;
  graph.tensors = {{"input", {4, 4, 4}}, {"a", {4, 4, 8}}, {"b", {4, 4, 2}}, {"c", {4, 4, 6}}};
  graph.ops = {make_op(OpKind::kConv2d, "a", {0}, 1), make_op(OpKind::kConv2d, "b", {1}, 2),
               make_op(OpKind::kConv2d, "c", {2}, 3)};
  graph.input = 0;
  graph.output = 3;
  graph.check();
  const MemoryPlan plan = plan_memory(graph, kNoScratch);
  CHECK(plan.arena_bytes == 192);
  CHECK(plan.arena_excl_input_bytes == 128);
  CHECK(plan.offset_of(1) == 0);    // the largest at the bottom
  CHECK(plan.offset_of(0) == 128);  // above it
  CHECK(plan.offset_of(2) == 128);  // takes the dead input's place
  CHECK(plan.offset_of(3) == 0);
  CHECK(plan.bottleneck_step == 0);
  CHECK(plan.order[0].live_bytes == 192);
}

TEST_CASE("a residual block works in place: depthwise through its scratch, add into the block's input") {
  // x 8x8x4 = 256 -> e 8x8x16 = 1024 -> d (in place, k3: scratch 3 * (8 + 2) = 30) -> p 256 -> x + p.
  Graph graph;
  graph.tensors = {
      {"x", {8, 8, 4}}, {"e", {8, 8, 16}}, {"d", {8, 8, 16}}, {"p", {8, 8, 4}}, {"y", {8, 8, 4}}};
  graph.ops = {make_op(OpKind::kConv2d, "expand", {0}, 1),
               make_op(OpKind::kDepthwiseConv2d, "depthwise", {1}, 2, 3, 1, kSame3),
               make_op(OpKind::kConv2d, "project", {2}, 3), make_op(OpKind::kAdd, "add", {0, 3}, 4)};
  graph.input = 0;
  graph.output = 4;
  graph.check();
  const MemoryPlan plan = plan_memory(graph, kNoScratch);
  CHECK(plan.order[1].in_place);
  CHECK(plan.order[1].scratch_bytes == tn_depthwise_conv2d_get_buffer_size(8, 3, 3, 1, 1, 1, 1, TN_PORTABLE));
  CHECK(plan.order[1].scratch_bytes == 30);
  // For each of 3 rows: 10 pixels and 4 weights as int16.
  CHECK(plan_memory(graph).order[1].scratch_bytes == 3 * (10 + 4) * 2);
  CHECK(plan.order[3].in_place);
  CHECK(plan.order[3].in_place_input == 0);
  REQUIRE(plan.buffers.size() == 4);  // x+y, e+d, scratch, p
  CHECK(tensors_of_buffer(graph, plan, 0) == std::vector<TensorId>{0, 4});
  CHECK(tensors_of_buffer(graph, plan, 1) == std::vector<TensorId>{1, 2});
  CHECK(plan.arena_bytes == 1024 + 256 + 256);  // expanded, block's input, projection
  CHECK(plan.offset_of(2) == 0);
  CHECK(plan.offset_of(0) == 1024);
  CHECK(plan.offset_of(3) == 1280);
  CHECK(plan.buffers[2].offset_bytes == 1280);
  simulate(graph, plan);

  // Without it the depthwise output is a second tensor: 2 * 1024 + 256.
  const MemoryPlan separate = plan_memory(graph, {.variant = KernelVariant::kPortable, .in_place = false});
  CHECK(separate.arena_bytes == 2304);
  CHECK(separate.buffers.size() == 5);
  simulate(graph, separate);
}

TEST_CASE("the output of an operator does not replace an input that is still needed") {
  // a = dw(x); b = dw(x); y = a + b: x dies in the second one only.
  Graph graph;
  graph.tensors = {{"x", {8, 8, 16}}, {"a", {8, 8, 16}}, {"b", {8, 8, 16}}, {"y", {8, 8, 16}}};
  graph.ops = {make_op(OpKind::kDepthwiseConv2d, "a", {0}, 1, 3, 1, kSame3),
               make_op(OpKind::kDepthwiseConv2d, "b", {0}, 2, 3, 1, kSame3),
               make_op(OpKind::kAdd, "add", {1, 2}, 3)};
  graph.input = 0;
  graph.output = 3;
  graph.check();
  const MemoryPlan plan = plan_memory(graph);
  CHECK_FALSE(plan.order[0].in_place);
  CHECK(plan.order[1].in_place);
  CHECK(plan.order[2].in_place);
  CHECK(plan.arena_bytes == 2 * 1024 + align_up(plan.order[1].scratch_bytes, 4));
  simulate(graph, plan);

  // The graph's output does not die, even when an operator reads it last.
  Graph with_tail = graph;
  with_tail.tensors.push_back({"unused sum", {8, 8, 16}});
  with_tail.ops.push_back(make_op(OpKind::kAdd, "tail", {3, 3}, 4));
  const MemoryPlan tail = plan_memory(with_tail);
  CHECK_FALSE(tail.order[3].in_place);
}

TEST_CASE(
    "a depthwise convolution of few channels is not in place when its scratch is larger than a second "
    "tensor") {
  Graph graph;
  graph.tensors = {{"x", {2, 16, 1}}, {"y", {2, 16, 1}}};
  graph.ops = {make_op(OpKind::kDepthwiseConv2d, "dw", {0}, 1, 3, 1, kSame3)};
  graph.input = 0;
  graph.output = 1;
  graph.check();
  REQUIRE(tn_depthwise_conv2d_get_buffer_size(16, 3, 3, 1, 1, 1, 1, TN_PORTABLE) > 32);
  const MemoryPlan plan = plan_memory(graph, {.variant = KernelVariant::kPortable});
  CHECK_FALSE(plan.order[0].in_place);
  CHECK(plan.arena_bytes == 64);
}

TEST_CASE("plans of random graphs execute correctly") {
  Rng rng(81);
  for (int round = 0; round < 300; ++round) {
    const Graph graph = random_graph(rng);
    const int alignment = rng.pick(std::vector<int>{1, 4, 16});
    const KernelVariant variant = alignment == 1 || rng.chance(0.3)
                                      ? KernelVariant::kPortable
                                      : rng.pick(std::vector{KernelVariant::kDsp, KernelVariant::kMve});
    check_plan(graph, {.variant = variant, .in_place = rng.chance(0.7), .alignment = alignment});
  }
}

TEST_CASE("working in place never raises the bound") {
  Rng rng(82);
  for (int round = 0; round < 200; ++round) {
    const Graph graph = random_graph(rng);
    CHECK(plan_memory(graph).lower_bound_bytes <= plan_memory(graph, {.in_place = false}).lower_bound_bytes);
  }
}

TEST_CASE("plans of the space's networks reach the liveness bound: they are optimal") {
  Rng rng(83);
  int above = 0;
  for (int round = 0; round < 400; ++round) {
    const SearchSpace space = random_space(rng);
    const Graph graph = lower(space, sample(space, random_sub_space(space, rng), rng), 10);
    const MemoryPlan plan = plan_memory(graph);
    above += plan.arena_bytes > plan.lower_bound_bytes ? 1 : 0;
    if (round < 50) check_plan(graph, {});
  }
  CHECK(above == 0);
}

TEST_CASE("MobileNetV2 layer by layer needs what is known of it") {
  // The peak is stage 1's first expansion, its input beside its output: the depthwise convolution of stride 2
  // behind it works in place. design.md, section 4, has the same figures: 1372 KiB and 284 KiB.
  const ReferenceNetwork full = mobilenet_v2(1.0, 224, 0);
  const MemoryPlan plan = plan_memory(lower(full.space, full.architecture, 1000), kNoScratch);
  CHECK(plan.arena_bytes == 112 * 112 * 16 + 112 * 112 * 96);
  CHECK(plan.arena_bytes == plan.lower_bound_bytes);
  const ReferenceNetwork small = mobilenet_v2(0.35, 144, 0);
  const MemoryPlan small_plan = plan_memory(lower(small.space, small.architecture, 1000), kNoScratch);
  CHECK(small_plan.arena_bytes == 72 * 72 * 8 + 72 * 72 * 48);
  CHECK(small_plan.arena_bytes == small_plan.lower_bound_bytes);
}

TEST_CASE("an arena beyond what 32 bits count is refused") {
  // Nine tensors of 2^28 bytes, all read by the additions at the end.
  Graph graph;
  constexpr int kSide = 16384;
  graph.tensors.push_back({"input", {kSide, kSide, 1}});
  graph.input = 0;
  const auto append = [&](OpKind kind, TensorIds inputs) {
    const std::string name = "op" + std::to_string(graph.ops.size());
    graph.tensors.push_back({name, {kSide, kSide, 1}});
    Op op;
    op.kind = kind;
    op.name = name;
    op.inputs = inputs;
    op.output = static_cast<TensorId>(graph.tensors.size()) - 1;
    graph.ops.push_back(op);
    return op.output;
  };
  std::vector<TensorId> wide;
  for (int i = 0; i < 9; ++i) wide.push_back(append(OpKind::kConv2d, {graph.input}));
  TensorId sum = append(OpKind::kAdd, {wide[0], wide[1]});
  for (int i = 2; i < 9; ++i) sum = append(OpKind::kAdd, {sum, wide[static_cast<size_t>(i)]});
  graph.output = sum;
  graph.check();
  PlanOptions given_order;
  given_order.search_order = false;
  CHECK_THROWS_WITH(plan_memory(graph, given_order), Catch::Matchers::Contains("alive at once"));
  // In another order there are never more than a few: the search finds it.
  CHECK(plan_memory(graph).arena_bytes < INT32_MAX);
}

TEST_CASE("an alignment that is not a power of two is refused") {
  const ReferenceNetwork net = mcunet_320k();
  const Graph graph = lower(net.space, net.architecture, 1000);
  CHECK_THROWS_AS(plan_memory(graph, {.alignment = 3}), Error);
  CHECK_THROWS_AS(plan_memory(graph, {.alignment = 0}), Error);
  // int32 sums of a streamed mean lie in the arena.
  CHECK_THROWS_AS(
      plan_memory(graph,
                  {.variant = KernelVariant::kPortable, .alignment = 2, .schedule = Schedule::kStream}),
      Error);
}
