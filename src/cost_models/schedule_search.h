// Which segments: the partition of the operators with the smallest peak, or the fewest MACs computed again.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cost_models/memory_plan.h"
#include "cost_models/row_graph.h"
#include "cost_models/segment_costs.h"

namespace tinynas {

// A schedule: segments that cover the operators in order.
struct Partition {
  std::vector<Segment> segments;
  int64_t bytes = 0;  // the largest of a segment: what the arena holds when nothing is lost in packing
  int64_t extra_macs = 0;
};

// Every point of the trade-off between bytes and MACs computed again that no other point betters in both, by
// falling bytes; the last is the smallest there is.
struct TradeOff {
  int64_t bytes = 0;
  int64_t extra_macs = 0;
};

// Dynamic programmes over the borders between operators; exact for the model in segment_costs.h. A
// partition's bytes are the largest of its segments', so the smallest peak within a limit of MACs is found by
// bisection over the bytes of all segments, each step a shortest path of extra MACs. Among the partitions
// that are as good, the one with the fewest extra MACs, then the fewest strips (each runs its segment anew),
// then the fewest operators streamed, then the fewest segments.
class ScheduleSearch {
 public:
  // `rows` and `options` must outlive it.
  ScheduleSearch(const Graph& graph, const RowGraph& rows, const PlanOptions& options);

  // The fewest bytes with at most `most_macs` extra MACs; at 0 every segment has one strip (strips without a
  // halo would be free, but no network was seen that they help).
  Partition fewest_bytes(int64_t most_macs);
  // The fewest extra MACs within `most_bytes`; no segments where that cannot be.
  Partition fewest_macs(int64_t most_bytes);
  std::vector<TradeOff> trade_off();

 private:
  struct Step {
    int64_t extra_macs = -1;  // to here; -1: not to be reached
    int strips = 0;           // beyond one, of all segments
    int streamed = 0;
    int segments = 0;
    int from = -1;  // index of the segment that ends here
  };
  // A segment as the bisection sees it; sorted by their ends.
  struct Edge {
    int first = 0;
    int end = 0;
    int64_t bytes = 0;
    int64_t extra_macs = 0;
  };

  void collect(std::span<const int> strips, int64_t most_bytes, int64_t most_macs);
  void collect_whole(int64_t most_bytes);
  void link(int index);
  int64_t upper_bound();
  int64_t collect_unstriped();
  void collect_strips(int64_t most_bytes, int64_t most_macs);
  int64_t fewest_bytes_without_extra_macs() const;
  // Best partition of segments up to `most_bytes`.
  const std::vector<Step>& shortest(int64_t most_bytes);
  Partition partition_of(const std::vector<Step>& steps) const;
  int64_t smallest_peak(int64_t most_macs);
  int64_t fewest_extra_macs(const std::vector<Edge>& edges, int64_t most_bytes);

  const RowGraph& rows_;
  const PlanOptions& options_;
  SegmentCosts costs_;
  std::vector<Segment> segments_;
  std::vector<int> next_;      // of segments_: another one with the same end
  std::vector<int> first_at_;  // by end
  std::vector<Step> steps_;
  std::vector<int64_t> macs_;  // of fewest_extra_macs(), by end
};

}  // namespace tinynas
