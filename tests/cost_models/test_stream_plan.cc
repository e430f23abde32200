#include <algorithm>
#include <catch2/catch.hpp>

#include "../graph/reference_networks.h"
#include "../space/random_space.h"
#include "../support/random_graph.h"
#include "base/error.h"
#include "cost_models/schedule_search.h"
#include "graph/graph_builder.h"
#include "graph/lower.h"

using namespace tinynas;
using namespace tinynas::testing;

namespace {

PlanOptions streaming(InputKind input, double max_extra_macs = 0) {
  PlanOptions options;
  options.schedule = Schedule::kStream;
  options.input = input;
  options.max_extra_macs = max_extra_macs;
  return options;
}

// All partitions, by recursion over the segments that end where the last one begins.
class BruteForce {
 public:
  BruteForce(const Graph& graph, const PlanOptions& options)
      : rows_(graph, planned_order(graph, options)), by_end_(rows_.ops.size() + 1) {
    SegmentCosts costs(graph, rows_, options);
    for (int end = 1; end <= rows_.size(); ++end) {
      std::vector<Segment>& here = by_end_[static_cast<size_t>(end)];
      Segment layer;
      if (costs.layer(end - 1, layer)) here.push_back(layer);
      for (int strips = 1; strips <= options.max_strips; ++strips) {
        std::vector<Segment> streams;
        costs.append_streams(end, std::array{strips}, INT64_MAX, INT64_MAX, streams);
        for (const Segment& segment : streams) {
          if (strips == 1 || segment.first > 0 || options.input != InputKind::kRows) here.push_back(segment);
        }
      }
    }
  }

  int64_t fewest_bytes(int64_t most_macs) {
    best_ = INT64_MAX;
    search(rows_.size(), {}, [&](const Found& found) {
      if (found.macs <= most_macs) best_ = std::min(best_, found.bytes);
    });
    return best_;
  }
  int64_t fewest_macs(int64_t most_bytes) {
    best_ = INT64_MAX;
    search(rows_.size(), {}, [&](const Found& found) {
      if (found.bytes <= most_bytes) best_ = std::min(best_, found.macs);
    });
    return best_;
  }
  // Beyond one a segment.
  int64_t fewest_strips(int64_t most_bytes, int64_t most_macs) {
    best_ = INT64_MAX;
    search(rows_.size(), {}, [&](const Found& found) {
      if (found.bytes <= most_bytes && found.macs <= most_macs) best_ = std::min(best_, found.strips);
    });
    return best_;
  }
  const RowGraph& rows() const { return rows_; }

 private:
  struct Found {
    int64_t bytes = 0;
    int64_t macs = 0;
    int64_t strips = 0;
  };

  template <typename Visit>
  void search(int end, const Found& behind, const Visit& visit) {
    if (end == 0) return visit(behind);
    for (const Segment& segment : by_end_[static_cast<size_t>(end)]) {
      search(segment.first,
             {std::max(behind.bytes, segment.bytes), behind.macs + segment.extra_macs,
              behind.strips + segment.strips - 1},
             visit);
    }
  }

  const RowGraph rows_;
  std::vector<std::vector<Segment>> by_end_;
  int64_t best_ = 0;
};

Graph lowered(const ReferenceNetwork& net) { return lower(net.space, net.architecture, 1000); }

}  // namespace

TEST_CASE("the search finds what brute force over all partitions finds") {
  Rng rng(511);
  int compared = 0;
  int with_macs = 0;
  for (int round = 0; round < 400; ++round) {
    RandomGraphOptions small;
    small.max_side = 24;
    small.max_blocks = 2;
    const Graph graph = random_graph(rng, small);
    if (graph.ops.size() > 7) continue;
    PlanOptions options = streaming(
        rng.pick(std::vector<InputKind>{InputKind::kResident, InputKind::kRows, InputKind::kReread}));
    options.max_strips = 3;
    BruteForce brute(graph, options);
    PlanOptions one_strip = options;
    one_strip.max_strips = 1;
    BruteForce without_strips(graph, one_strip);
    ScheduleSearch search(graph, brute.rows(), options);
    const int64_t most_macs = static_cast<int64_t>(rng.uniform() * 0.5 * static_cast<double>(macs(graph)));
    for (const int64_t limit : {int64_t{0}, most_macs}) {
      const Partition found = search.fewest_bytes(limit);
      CAPTURE(round, limit);
      const int64_t expected = (limit == 0 ? without_strips : brute).fewest_bytes(limit);
      if (expected == INT64_MAX) {
        CHECK(found.segments.empty());
        continue;
      }
      CHECK(found.bytes == expected);
      CHECK(found.extra_macs <= limit);
      int64_t strips = 0;
      for (const Segment& segment : found.segments) strips += segment.strips - 1;
      CHECK(strips == (limit == 0 ? without_strips : brute).fewest_strips(found.bytes, found.extra_macs));
      with_macs += found.extra_macs > 0 ? 1 : 0;
      ++compared;
      if (limit == 0) continue;
      // One byte less has its price, or none.
      const Partition less = search.fewest_macs(found.bytes - 1);
      const int64_t price = brute.fewest_macs(found.bytes - 1);
      CHECK((less.segments.empty() ? INT64_MAX : less.extra_macs) == price);
      CHECK(price > limit);
    }
  }
  CHECK(compared > 200);
  CHECK(with_macs > 10);
}

TEST_CASE("the trade-off falls from no extra MACs to the smallest arena, every point the best of its kind") {
  const Graph graph = lowered(mobilenet_v2(0.35, 144, 0));
  const PlanOptions options = streaming(InputKind::kReread);
  const RowGraph rows(graph, planned_order(graph, options));
  ScheduleSearch search(graph, rows, options);
  const std::vector<TradeOff> points = search.trade_off();
  REQUIRE(points.size() > 3);
  CHECK(points.front().extra_macs == 0);
  for (size_t i = 0; i < points.size(); ++i) {
    CHECK(search.fewest_macs(points[i].bytes).extra_macs == points[i].extra_macs);
    CHECK(search.fewest_bytes(points[i].extra_macs).bytes == points[i].bytes);
    if (i == 0) continue;
    CHECK(points[i].bytes < points[i - 1].bytes);
    CHECK(points[i].extra_macs > points[i - 1].extra_macs);
  }
}

TEST_CASE("published networks stream within the issue's figures") {
  struct Row {
    Graph graph;
    int64_t rows_kib;
    int64_t reread_kib;
  };
  const std::vector<Row> table = {{lowered(mobilenet_v2(0.35, 144, 0)), 28, 16},
                                  {lowered(mobilenet_v2(0.5, 160, 0)), 56, 22},
                                  {lowered(mobilenet_v2(1.0, 224, 0)), 142, 54},
                                  {lowered(mcunet_320k()), 88, 67}};
  for (const Row& row : table) {
    // Scratch and the ring of input rows are counted.
    const MemoryPlan rows = plan_memory(row.graph, streaming(InputKind::kRows));
    const MemoryPlan reread = plan_memory(row.graph, streaming(InputKind::kReread, 0.2));
    CAPTURE(row.graph.name, rows.arena_bytes, reread.arena_bytes);
    CHECK(rows.arena_bytes <= row.rows_kib * 1024);
    CHECK(rows.extra_macs == 0);
    CHECK(rows.segments.front().strips == 1);
    CHECK(reread.arena_bytes <= row.reread_kib * 1024);
    CHECK(static_cast<double>(reread.extra_macs) <= 0.2 * static_cast<double>(macs(row.graph)));
  }
}

TEST_CASE("networks of the spaces: streaming is never above the layer schedule, and auto obeys its limit") {
  Rng rng(512);
  for (int round = 0; round < 60; ++round) {
    const SearchSpace space = random_space(rng);
    const Graph graph = lower(space, sample(space, random_sub_space(space, rng), rng), 10);
    const MemoryPlan layer = plan_memory(graph);
    const MemoryPlan streamed = plan_memory(graph, streaming(InputKind::kResident));
    CHECK(streamed.arena_bytes <= layer.arena_bytes);
    CHECK(streamed.arena_bytes >= streamed.lower_bound_bytes);
    PlanOptions options;
    options.schedule = Schedule::kAuto;
    CHECK(plan_memory(graph, options).arena_bytes == layer.arena_bytes);
    options.sram_limit_bytes = layer.arena_bytes;
    CHECK_FALSE(plan_memory(graph, options).streams());
    options.sram_limit_bytes = layer.arena_bytes - 1;
    CHECK(plan_memory(graph, options).arena_bytes == streamed.arena_bytes);
  }
}

TEST_CASE("extra MACs are spent only as far as the limit of SRAM asks for") {
  const Graph graph = lowered(mobilenet_v2(0.35, 144, 0));
  PlanOptions options = streaming(InputKind::kReread);
  options.objective = PlanObjective::kMacs;
  options.sram_limit_bytes = 64 * 1024;
  CHECK(plan_memory(graph, options).extra_macs == 0);
  options.sram_limit_bytes = 16 * 1024;
  const MemoryPlan tight = plan_memory(graph, options);
  CHECK(tight.extra_macs > 0);
  CHECK(tight.arena_bytes <= 16 * 1024);
  // Less than there is: the smallest that can be had.
  options.sram_limit_bytes = 1024;
  CHECK(plan_memory(graph, options).lower_bound_bytes ==
        plan_memory(graph, streaming(InputKind::kReread, 1e6)).lower_bound_bytes);
}

TEST_CASE("options that do not go together are refused") {
  const Graph graph = lowered(mcunet_320k());
  PlanOptions options;
  options.input = InputKind::kRows;
  CHECK_THROWS_WITH(plan_memory(graph, options), Catch::Contains("resident"));
  options.schedule = Schedule::kAuto;
  CHECK(plan_memory(graph, options).streams());
  options.runtime = Runtime::kTflm;
  CHECK_THROWS_WITH(plan_memory(graph, options), Catch::Contains("TensorFlow Lite Micro"));
  options = streaming(InputKind::kReread, -0.1);
  CHECK_THROWS_WITH(plan_memory(graph, options), Catch::Contains("max_extra_macs"));
  options = streaming(InputKind::kReread);
  options.objective = PlanObjective::kMacs;
  CHECK_THROWS_WITH(plan_memory(graph, options), Catch::Contains("limit of SRAM"));
  options = streaming(InputKind::kReread);
  options.max_strips = 0;
  CHECK_THROWS_WITH(plan_memory(graph, options), Catch::Contains("max_strips"));
}

TEST_CASE("a network whose first operator has no row kernel wants a resident input") {
  Graph graph;
  graph.name = "dense";
  GraphBuilder builder(graph, Names::kFull, 1);
  graph.output = builder.fully_connected("dense", builder.input({4, 4, 2}), 3);
  CHECK_THROWS_WITH(plan_memory(graph, streaming(InputKind::kRows)),
                    Catch::Contains("dense") && Catch::Contains("rows"));
  CHECK(plan_memory(graph, streaming(InputKind::kResident)).arena_bytes == plan_memory(graph).arena_bytes);
}
