#include "cost_models/schedule_search.h"

#include <algorithm>
#include <array>
#include <limits>
#include <tuple>

namespace tinynas {
namespace {

constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();
// How many strips a segment may have: enough that the next choice is never far.
constexpr std::array kOneStrip = {1};
constexpr std::array kStrips = {2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 32, 48, 64};

}  // namespace

ScheduleSearch::ScheduleSearch(const Graph& graph, const RowGraph& rows, const PlanOptions& options)
    : rows_(rows), options_(options), costs_(graph, rows, options) {}

void ScheduleSearch::link(int index) {
  int& first = first_at_[static_cast<size_t>(segments_[static_cast<size_t>(index)].end)];
  next_.push_back(first);
  first = index;
}

void ScheduleSearch::collect(std::span<const int> strips, int64_t most_bytes, int64_t most_macs) {
  for (int end = 1; end <= rows_.size(); ++end) {
    size_t next = segments_.size();
    costs_.append_streams(end, strips, most_bytes, most_macs, segments_);
    for (; next < segments_.size(); ++next) link(static_cast<int>(next));
  }
}

// The most that the best of each operator by itself needs: a partition that exists, if each has one.
int64_t ScheduleSearch::upper_bound() {
  int64_t most = 0;
  for (int position = 0; position < rows_.size(); ++position) {
    Segment segment;
    int64_t bytes = costs_.layer(position, segment) ? segment.bytes : kNoLimit;
    if (bytes == kNoLimit) {
      segments_.clear();
      costs_.append_streams(position + 1, kOneStrip, kNoLimit, 0, segments_);
      for (const Segment& streamed : segments_) {
        if (streamed.first == position) bytes = streamed.bytes;
      }
    }
    most = std::max(most, bytes);
  }
  return most;
}

void ScheduleSearch::collect_whole(int64_t most_bytes) {
  segments_.clear();
  next_.clear();
  first_at_.assign(static_cast<size_t>(rows_.size()) + 1, -1);
  for (int position = 0; position < rows_.size(); ++position) {
    Segment segment;
    if (!costs_.layer(position, segment) || segment.bytes > most_bytes) continue;
    segments_.push_back(segment);
    link(static_cast<int>(segments_.size()) - 1);
  }
  collect(kOneStrip, most_bytes, 0);
}

int64_t ScheduleSearch::fewest_bytes_without_extra_macs() const {
  std::vector<int64_t> peak(static_cast<size_t>(rows_.size()) + 1, kNoLimit);
  peak[0] = 0;
  for (int end = 1; end <= rows_.size(); ++end) {
    int64_t& best = peak[static_cast<size_t>(end)];
    for (int i = first_at_[static_cast<size_t>(end)]; i >= 0; i = next_[static_cast<size_t>(i)]) {
      const Segment& segment = segments_[static_cast<size_t>(i)];
      if (segment.extra_macs > 0) continue;
      best = std::min(best, std::max(peak[static_cast<size_t>(segment.first)], segment.bytes));
    }
  }
  return peak.back();
}

const std::vector<ScheduleSearch::Step>& ScheduleSearch::shortest(int64_t most_bytes) {
  steps_.assign(static_cast<size_t>(rows_.size()) + 1, {});
  steps_[0].extra_macs = 0;
  for (int end = 1; end <= rows_.size(); ++end) {
    Step& best = steps_[static_cast<size_t>(end)];
    for (int i = first_at_[static_cast<size_t>(end)]; i >= 0; i = next_[static_cast<size_t>(i)]) {
      const Segment& segment = segments_[static_cast<size_t>(i)];
      const Step& before = steps_[static_cast<size_t>(segment.first)];
      if (segment.bytes > most_bytes || before.extra_macs < 0) continue;
      const Step here{before.extra_macs + segment.extra_macs, before.strips + segment.strips - 1,
                      before.streamed + (segment.streamed ? segment.end - segment.first : 0),
                      before.segments + 1, i};
      if (best.extra_macs < 0 || std::tie(here.extra_macs, here.strips, here.streamed, here.segments) <
                                     std::tie(best.extra_macs, best.strips, best.streamed, best.segments))
        best = here;
    }
  }
  return steps_;
}

Partition ScheduleSearch::partition_of(const std::vector<Step>& steps) const {
  Partition partition;
  if (steps.back().extra_macs < 0) return partition;
  partition.extra_macs = steps.back().extra_macs;
  for (int end = rows_.size(); end > 0;) {
    const Segment& segment = segments_[static_cast<size_t>(steps[static_cast<size_t>(end)].from)];
    partition.segments.push_back(segment);
    partition.bytes = std::max(partition.bytes, segment.bytes);
    end = segment.first;
  }
  std::reverse(partition.segments.begin(), partition.segments.end());
  return partition;
}

// Of the segments at hand, the fewest bytes with which a partition stays within `most_macs`.
int64_t ScheduleSearch::smallest_peak(int64_t most_macs) {
  // More bytes than a partition without extra MACs has nobody needs.
  const int64_t enough_bytes = fewest_bytes_without_extra_macs();
  std::vector<int64_t> peaks;
  std::vector<Edge> edges;
  peaks.reserve(segments_.size());
  edges.reserve(segments_.size());
  for (int end = 1; end <= rows_.size(); ++end) {
    for (int i = first_at_[static_cast<size_t>(end)]; i >= 0; i = next_[static_cast<size_t>(i)]) {
      const Segment& segment = segments_[static_cast<size_t>(i)];
      if (segment.bytes > enough_bytes) continue;
      edges.push_back({segment.first, end, segment.bytes, segment.extra_macs});
      peaks.push_back(segment.bytes);
    }
  }
  std::sort(peaks.begin(), peaks.end());
  peaks.erase(std::unique(peaks.begin(), peaks.end()), peaks.end());
  const auto found = std::partition_point(peaks.begin(), peaks.end(), [&](int64_t peak) {
    const int64_t macs = fewest_extra_macs(edges, peak);
    const bool enough = macs >= 0 && macs <= most_macs;
    if (enough) std::erase_if(edges, [&](const Edge& edge) { return edge.bytes > peak; });
    return !enough;
  });
  return found == peaks.end() ? kNoLimit : *found;
}

// -1 where there is no partition.
int64_t ScheduleSearch::fewest_extra_macs(const std::vector<Edge>& edges, int64_t most_bytes) {
  std::vector<int64_t>& macs = macs_;
  macs.assign(static_cast<size_t>(rows_.size()) + 1, -1);
  macs[0] = 0;
  for (const Edge& edge : edges) {
    const int64_t before = macs[static_cast<size_t>(edge.first)];
    if (edge.bytes > most_bytes || before < 0) continue;
    int64_t& best = macs[static_cast<size_t>(edge.end)];
    if (best < 0 || before + edge.extra_macs < best) best = before + edge.extra_macs;
  }
  return macs.back();
}

// The segments of one strip from which the best partition can be made, and its bytes. A tight bound leaves
// out most segments early: it is guessed from below.
int64_t ScheduleSearch::collect_unstriped() {
  const int64_t most = upper_bound();
  const int64_t least = std::max(costs_.border(0).bytes, costs_.border(rows_.size()).bytes);
  int64_t bound = std::max<int64_t>(1, most / 16);
  while (bound < least && bound < most) bound = bound > most / 2 ? most : 2 * bound;
  while (true) {
    collect_whole(bound);
    const int64_t found = fewest_bytes_without_extra_macs();
    if (found != kNoLimit || bound == most) return found;
    bound = bound > most / 2 ? most : 2 * bound;
  }
}

void ScheduleSearch::collect_strips(int64_t most_bytes, int64_t most_macs) {
  const auto end = std::upper_bound(kStrips.begin(), kStrips.end(), options_.max_strips);
  collect({kStrips.begin(), end}, most_bytes, most_macs);
}

Partition ScheduleSearch::fewest_bytes(int64_t most_macs) {
  int64_t peak = collect_unstriped();
  if (most_macs > 0) {
    collect_strips(peak - 1, most_macs);
    peak = smallest_peak(most_macs);
  }
  return partition_of(shortest(peak));
}

Partition ScheduleSearch::fewest_macs(int64_t most_bytes) {
  collect_whole(most_bytes);
  if (shortest(most_bytes).back().extra_macs < 0) {
    collect_strips(most_bytes, kNoLimit);
  }
  return partition_of(shortest(most_bytes));
}

std::vector<TradeOff> ScheduleSearch::trade_off() {
  const int64_t without = collect_unstriped();
  collect_strips(without - 1, kNoLimit);
  std::vector<TradeOff> points;
  for (int64_t limit = without;;) {
    const Partition partition = partition_of(shortest(limit));
    if (partition.segments.empty()) return points;
    // The same MACs may do with fewer bytes.
    const int64_t bytes = smallest_peak(partition.extra_macs);
    points.push_back({bytes, partition.extra_macs});
    limit = bytes - 1;
  }
}

}  // namespace tinynas
