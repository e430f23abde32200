#include <algorithm>
#include <catch2/catch.hpp>

#include "../graph/reference_networks.h"
#include "../support/branching_graph.h"
#include "../support/random_graph.h"
#include "cost_models/segment_costs.h"
#include "graph/lower.h"
#include "stream_execution.h"

using namespace tinynas;
using namespace tinynas::testing;

namespace {

// Every segment that the planner may choose from, up to `strips` strips.
std::vector<Segment> all_segments(const Graph& graph, const PlanOptions& options, int strips) {
  const RowGraph rows(graph, planned_order(graph, options));
  SegmentCosts costs(graph, rows, options);
  std::vector<Segment> segments;
  for (int position = 0; position < rows.size(); ++position) {
    Segment layer;
    if (costs.layer(position, layer)) segments.push_back(layer);
  }
  for (int end = 1; end <= rows.size(); ++end) {
    for (int n = 1; n <= strips; ++n) {
      std::vector<Segment> streams;
      costs.append_streams(end, std::array{n}, INT64_MAX, INT64_MAX, streams);
      for (const Segment& segment : streams) {
        if (n == 1 || segment.first > 0 || options.input != InputKind::kRows) segments.push_back(segment);
      }
    }
  }
  return segments;
}

// A partition drawn from the end to the front; empty where the draw leads nowhere.
std::vector<Segment> random_partition(const std::vector<Segment>& segments, int operators, Rng& rng) {
  std::vector<Segment> partition;
  for (int end = operators; end > 0; end = partition.front().first) {
    std::vector<Segment> here;
    std::copy_if(segments.begin(), segments.end(), std::back_inserter(here),
                 [&](const Segment& segment) { return segment.end == end; });
    if (here.empty()) return {};
    partition.insert(partition.begin(), rng.pick(here));
  }
  return partition;
}

PlanOptions random_options(Rng& rng) {
  PlanOptions options;
  options.schedule = Schedule::kStream;
  options.variant = rng.chance(0.5) ? KernelVariant::kPortable : KernelVariant::kDsp;
  options.in_place = rng.chance(0.85);
  options.input =
      rng.pick(std::vector<InputKind>{InputKind::kResident, InputKind::kRows, InputKind::kReread});
  return options;
}

Graph random_network(Rng& rng) {
  if (rng.chance(0.2))
    return BranchingGraph(rng, 4 + static_cast<int>(rng.below(8)), 0.3, Shapes::kReal).graph();
  RandomGraphOptions options;
  options.max_side = 16;
  options.max_channels = 6;
  options.max_stride = rng.chance(0.2) ? 3 : 2;
  options.explicit_padding = rng.chance(0.5);
  options.pads_and_reshapes = rng.chance(0.3);
  return random_graph(rng, options);
}

const PlannedBuffer& output_of(const Graph& graph, const MemoryPlan& plan, const PlanSegment& segment) {
  const PlanStep& last = plan.order[static_cast<size_t>(segment.last_step)];
  const TensorId id = graph.ops[static_cast<size_t>(last.op)].output;
  return plan.buffers[static_cast<size_t>(plan.buffer_of_tensor[static_cast<size_t>(id)])];
}

// A convolution that overlaps its input and is called once.
bool grows_as_a_whole(const Graph& graph, const MemoryPlan& plan, const PlanSegment& segment) {
  return segment.streamed && !runs_by_rows(graph, plan, segment) &&
         output_of(graph, plan, segment).grows_into >= 0;
}

}  // namespace

TEST_CASE("every segment that is offered executes: rows, strips, sharing, growing into the input") {
  Rng rng(501);
  int streamed = 0;
  int grown = 0;
  int strips = 0;
  int in_place = 0;
  int sums = 0;
  int whole = 0;
  for (int round = 0; round < 1500; ++round) {
    const Graph graph = random_network(rng);
    const PlanOptions options = random_options(rng);
    const std::vector<Segment> segments = all_segments(graph, options, 4);
    const std::vector<Segment> partition =
        random_partition(segments, static_cast<int>(graph.ops.size()), rng);
    if (partition.empty()) continue;
    const MemoryPlan plan = plan_segments(graph, options, partition);
    StreamExecution execution(graph, plan);
    CAPTURE(round, graph.ops.size());
    REQUIRE(execution.run() == "");
    REQUIRE(StreamExecution(graph, plan, 1).run() == "");
    CHECK(execution.extra_macs() == plan.extra_macs);
    // What the search thought that it would cost.
    int64_t bytes = 0;
    int64_t extra_macs = 0;
    for (const Segment& segment : partition) {
      bytes = std::max(bytes, segment.bytes);
      extra_macs += segment.extra_macs;
      streamed += segment.streamed ? 1 : 0;
      strips += segment.strips > 1 ? 1 : 0;
      grown += segment.consumed >= 0 ? 1 : 0;
    }
    CHECK(plan.lower_bound_bytes == bytes);
    CHECK(plan.extra_macs == extra_macs);
    CHECK(plan.arena_bytes >= plan.lower_bound_bytes);
    for (const PlanSegment& segment : plan.segments) {
      sums += segment.accumulator_buffer >= 0 ? 1 : 0;
      whole += grows_as_a_whole(graph, plan, segment) ? 1 : 0;
      if (segment.strips == 1) CHECK(segment.extra_macs == 0);
      for (int step = segment.first_step; segment.streamed && step <= segment.last_step; ++step)
        in_place += plan.order[static_cast<size_t>(step)].in_place ? 1 : 0;
    }
  }
  // The draws reach everything that is to be shown.
  CHECK(streamed > 1000);
  CHECK(strips > 150);
  CHECK(grown > 150);
  CHECK(in_place > 150);
  CHECK(sums > 50);
  CHECK(whole > 50);
}

TEST_CASE("rings are exact: with one row less, some row is lost") {
  Rng rng(502);
  int rings = 0;
  for (int round = 0; round < 400; ++round) {
    const Graph graph = random_network(rng);
    PlanOptions options = random_options(rng);
    options.in_place = false;  // every tensor in a ring of its own
    const std::vector<Segment> partition =
        random_partition(all_segments(graph, options, 3), static_cast<int>(graph.ops.size()), rng);
    if (partition.empty()) continue;
    const MemoryPlan plan = plan_segments(graph, options, partition);
    const RowGraph rows(graph, planned_order(graph, options));
    StreamExecution execution(graph, plan);
    REQUIRE(execution.run() == "");
    for (size_t i = 0; i < plan.buffers.size(); ++i) {
      const PlannedBuffer& ring = plan.buffers[i];
      if (ring.ring_rows < 2) continue;
      const RowTensor& tensor = rows.tensor(ring.tensor);
      // A tensor whose readers do not join is held as a whole.
      if (tensor.readers > 1 && ring.ring_rows == tensor.h) continue;
      // The formula counts all rows of the reader, whether the segment asks for them or not.
      const TensorId read_for = rows.op(tensor.last_read).output;
      if (execution.rows_made(read_for) < graph.tensor(read_for).shape.h) continue;
      MemoryPlan smaller = plan;
      --smaller.buffers[i].ring_rows;
      CAPTURE(round, graph.tensor(ring.tensor).name, ring.ring_rows);
      CHECK(StreamExecution(graph, smaller).run() != "");
      ++rings;
    }
  }
  CHECK(rings > 200);
}

TEST_CASE("a gap is exact: one row closer, a row is overwritten before it was read") {
  Rng rng(503);
  int gaps = 0;
  int lost = 0;
  for (int round = 0; round < 600; ++round) {
    const Graph graph = random_network(rng);
    PlanOptions options = random_options(rng);
    options.variant = KernelVariant::kPortable;
    const std::vector<Segment> partition =
        random_partition(all_segments(graph, options, 1), static_cast<int>(graph.ops.size()), rng);
    if (partition.empty()) continue;
    const MemoryPlan plan = plan_segments(graph, options, partition);
    for (const PlanSegment& segment : plan.segments) {
      // A kernel that is called once asks for less than a gap of rows.
      if (!segment.streamed || grows_as_a_whole(graph, plan, segment)) continue;
      const PlannedBuffer& grown = output_of(graph, plan, segment);
      if (grown.grows_into < 0) continue;
      const PlannedBuffer& into = plan.buffers[static_cast<size_t>(grown.grows_into)];
      const int64_t distance = into.offset_bytes - grown.offset_bytes;
      if (distance != grown.gap_bytes || distance < options.alignment) continue;
      // Only the two buffers move closer; whatever else is hit counts as lost as well.
      MemoryPlan closer = plan;
      closer.buffers[static_cast<size_t>(&grown - plan.buffers.data())].offset_bytes += options.alignment;
      closer.arena_bytes += options.alignment;
      ++gaps;
      lost += StreamExecution(graph, closer).run() != "" ? 1 : 0;
    }
  }
  CHECK(gaps > 40);
  // An addition may write exactly over its input, which the gap does not use.
  CHECK(lost >= gaps * 8 / 10);
}

TEST_CASE("the plans of published networks execute") {
  const ReferenceNetwork net = mobilenet_v2(0.35, 96, 0);
  const Graph graph = lower(net.space, net.architecture, 10);
  for (const InputKind input : {InputKind::kResident, InputKind::kRows, InputKind::kReread}) {
    for (const double extra : {0.0, 0.2, 10.0}) {
      PlanOptions options;
      options.schedule = Schedule::kStream;
      options.input = input;
      options.max_extra_macs = extra;
      const MemoryPlan plan = plan_memory(graph, options);
      CAPTURE(name_of(input), extra);
      CHECK(StreamExecution(graph, plan).run() == "");
      CHECK(plan.arena_bytes <= plan_memory(graph).arena_bytes);
      CHECK(static_cast<double>(plan.extra_macs) <= extra * static_cast<double>(macs(graph)));
    }
  }
}
