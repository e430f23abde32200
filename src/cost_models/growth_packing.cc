#include "cost_models/growth_packing.h"

#include <algorithm>
#include <array>
#include <limits>

#include "base/rng.h"

namespace tinynas {
namespace {

constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();
constexpr int64_t kCloseEnough = 32;  // a loss of a 32nd: no other beginning is searched from
constexpr int kSearchRounds = 60;     // from each beginning; one is a microsecond or two

// First fit for buffers of which any two say how far apart they have to begin.
class GrowingFit {
 public:
  GrowingFit(const std::vector<Lifetime>& lifetimes, const std::vector<Growth>& growths)
      : lifetimes_(lifetimes), neighbours_(lifetimes.size()), offsets_(lifetimes.size(), -1) {
    const int count = static_cast<int>(lifetimes.size());
    for (int a = 0; a < count; ++a) {
      for (int b = a + 1; b < count; ++b) {
        const Lifetime& first = lifetimes[static_cast<size_t>(a)];
        const Lifetime& second = lifetimes[static_cast<size_t>(b)];
        const int together = std::max(first.first, second.first);
        if (together > std::min(first.last, second.last)) continue;
        // Buffers only shrink: what they take at their first common step is the most.
        const int64_t above_first = first.size_at(together);
        const int64_t above_second = second.size_at(together);
        neighbours_[static_cast<size_t>(a)].push_back({b, above_first, above_second});
        neighbours_[static_cast<size_t>(b)].push_back({a, above_second, above_first});
      }
    }
    for (const Growth& growth : growths) {
      for (Neighbour& other : neighbours_[static_cast<size_t>(growth.buffer)]) {
        if (other.buffer == growth.into) other.below = std::min(other.below, growth.gap);
      }
      for (Neighbour& other : neighbours_[static_cast<size_t>(growth.into)]) {
        if (other.buffer == growth.buffer) other.above = std::min(other.above, growth.gap);
      }
    }
  }

  const std::vector<int64_t>& offsets() const { return offsets_; }
  int64_t comparisons() const { return comparisons_; }

  // The height of the packing, or any value above `limit` as soon as it is known to exceed that. A buffer
  // takes the lowest free place, or the highest one below `ceiling` where there is one and `from_top` says
  // so. The first `kept` buffers of the order stay where `before` has them.
  int64_t place(const std::vector<int>& order, const std::vector<char>& from_top, int64_t ceiling,
                int64_t limit, size_t kept, const std::vector<int64_t>& before) {
    std::fill(offsets_.begin(), offsets_.end(), -1);
    int64_t height = 0;
    for (size_t i = 0; i < order.size(); ++i) {
      const auto at = static_cast<size_t>(order[i]);
      const int64_t offset =
          i < kept ? before[at]
                   : free_place(order[i], from_top[at] != 0 ? ceiling - lifetimes_[at].size : -1);
      height = std::max(height, offset + lifetimes_[at].size);
      if (height > limit) return height;
      offsets_[at] = offset;
    }
    return height;
  }

  // Those at the top of the arena, and all that are alive with one of them.
  std::vector<int> around_peak(const Packing& packing) const {
    std::vector<int> members;
    for (size_t i = 0; i < lifetimes_.size(); ++i) {
      if (packing.offsets[i] + lifetimes_[i].size != packing.height) continue;
      members.push_back(static_cast<int>(i));
      for (const Neighbour& other : neighbours_[i]) members.push_back(other.buffer);
    }
    return members;
  }

 private:
  struct Neighbour {
    int buffer;
    int64_t below;  // how far below its offset this one has to begin
    int64_t above;  // how far above
  };
  struct Forbidden {
    int64_t after;  // offsets strictly between the two
    int64_t before;
  };

  // `highest`: from there downwards first; negative: upwards from 0. Past one range an offset may lie in
  // another that was looked at before: until it lies in none, which takes two or three rounds.
  int64_t free_place(int buffer, int64_t highest) {
    forbidden_.clear();
    for (const Neighbour& other : neighbours_[static_cast<size_t>(buffer)]) {
      const int64_t at = offsets_[static_cast<size_t>(other.buffer)];
      if (at >= 0) forbidden_.push_back({at - other.below, at + other.above});
    }
    comparisons_ += static_cast<int64_t>(forbidden_.size());
    int64_t offset = highest;
    while (offset >= 0 && move_out(offset, [](const Forbidden& range) { return range.after; })) {
    }
    if (offset >= 0) return offset;
    offset = 0;
    while (move_out(offset, [](const Forbidden& range) { return range.before; })) {
    }
    return offset;
  }

  template <typename Edge>
  bool move_out(int64_t& offset, const Edge& edge) const {
    bool moved = false;
    for (const Forbidden& range : forbidden_) {
      if (offset <= range.after || offset >= range.before) continue;
      offset = edge(range);
      moved = true;
    }
    return moved;
  }

  const std::vector<Lifetime>& lifetimes_;
  std::vector<std::vector<Neighbour>> neighbours_;
  std::vector<int64_t> offsets_;  // -1: not placed yet
  std::vector<Forbidden> forbidden_;
  int64_t comparisons_ = 0;
};

// Orders to begin with. What grows is placed before what it grows into, so that there is room below; or, from
// the top, behind it.
enum class First { kFullestStep, kLatestOfLong, kLargest, kEarliestOfLong };

std::vector<int> order_of(const std::vector<Lifetime>& lifetimes, First first) {
  std::vector<int64_t> live;
  for (const Lifetime& lifetime : lifetimes) {
    if (live.size() <= static_cast<size_t>(lifetime.last))
      live.resize(static_cast<size_t>(lifetime.last) + 1, 0);
    for (int step = lifetime.first; step <= lifetime.last; ++step)
      live[static_cast<size_t>(step)] += lifetime.size_at(step);
  }
  struct Entry {
    std::array<int64_t, 3> key;
    int index;
  };
  std::vector<Entry> entries;
  entries.reserve(lifetimes.size());
  for (size_t i = 0; i < lifetimes.size(); ++i) {
    const Lifetime& lifetime = lifetimes[i];
    const int64_t is_short = lifetime.first == lifetime.last ? 1 : 0;
    Entry entry{{}, static_cast<int>(i)};
    switch (first) {
      case First::kFullestStep:
        entry.key = {-*std::max_element(live.begin() + lifetime.first, live.begin() + lifetime.last + 1),
                     is_short, -lifetime.size};
        break;
      case First::kLatestOfLong:
        entry.key = {is_short, is_short != 0 ? 0 : -lifetime.first, -lifetime.size};
        break;
      case First::kLargest:
        entry.key = {-lifetime.size, -lifetime.first, 0};
        break;
      case First::kEarliestOfLong:
        entry.key = {is_short, is_short != 0 ? 0 : lifetime.first, -lifetime.size};
        break;
    }
    entries.push_back(entry);
  }
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry& a, const Entry& b) { return a.key < b.key; });
  std::vector<int> order;
  order.reserve(entries.size());
  for (const Entry& entry : entries) order.push_back(entry.index);
  return order;
}

// An order, and who comes from the top.
struct Attempt {
  std::vector<int> order;
  std::vector<char> from_top;
};

// Swaps or moves one or two buffers around the peak, or sends them to the other end. Returns how many of the
// order's first buffers it left alone.
size_t mutate(Attempt& attempt, const std::vector<int>& members, Rng& rng) {
  std::vector<int>& order = attempt.order;
  auto first = order.end();
  for (int64_t moves = 1 + rng.below(2); moves > 0; --moves) {
    const int chosen = rng.pick(members);
    const auto member = std::find(order.begin(), order.end(), chosen);
    const auto other = std::find(order.begin(), order.end(), rng.pick(members));
    first = std::min(first, member);
    switch (rng.below(3)) {
      case 0:
        first = std::min(first, other);
        std::iter_swap(member, other);
        break;
      case 1:
        first = std::min(first, other);
        if (other < member)
          std::rotate(other, member, member + 1);
        else
          std::rotate(member, member + 1, other + 1);
        break;
      default:
        attempt.from_top[static_cast<size_t>(chosen)] ^= 1;
    }
  }
  return static_cast<size_t>(first - order.begin());
}

}  // namespace

Packing pack_growing(const std::vector<Lifetime>& lifetimes, const std::vector<Growth>& growths,
                     int64_t lower_bound) {
  GrowingFit fit(lifetimes, growths);
  Packing best;
  best.height = kNoLimit;
  // Buffers that live longer take the two ends in turn, but where one grows into another: then both come from
  // the top.
  std::vector<char> none(lifetimes.size(), 0);
  std::vector<char> both_ends = none;
  char top = 0;
  std::vector<int> by_time = order_of(lifetimes, First::kEarliestOfLong);
  for (const int buffer : by_time) {
    const auto at = static_cast<size_t>(buffer);
    if (lifetimes[at].first == lifetimes[at].last) break;
    both_ends[at] = top;
    top ^= 1;
  }
  for (const Growth& growth : growths)
    both_ends[static_cast<size_t>(growth.buffer)] = both_ends[static_cast<size_t>(growth.into)] = 1;
  struct Beginning {
    Attempt attempt;
    Packing packing;
  };
  std::vector<Beginning> beginnings;
  for (const First first :
       {First::kLatestOfLong, First::kEarliestOfLong, First::kFullestStep, First::kLargest}) {
    if (best.height <= lower_bound) break;
    const std::vector<int> order = order_of(lifetimes, first);
    for (const std::vector<char>* ends : {&none, &both_ends}) {
      if (best.height <= lower_bound) break;
      const std::vector<char>& from_top = *ends;
      Attempt attempt{order, from_top};
      const int64_t height = fit.place(attempt.order, from_top, lower_bound, kNoLimit, 0, {});
      beginnings.push_back({std::move(attempt), {fit.offsets(), height}});
      if (height < best.height) best = beginnings.back().packing;
    }
  }
  // A search from each of them, the best one first: what one cannot leave, another never meets.
  std::stable_sort(beginnings.begin(), beginnings.end(), [](const Beginning& a, const Beginning& b) {
    return a.packing.height < b.packing.height;
  });
  Rng rng(lifetimes.size());
  Attempt changed;
  for (Beginning& now : beginnings) {
    std::vector<int> members = fit.around_peak(now.packing);
    for (int round = 0; round < kSearchRounds && best.height > lower_bound; ++round) {
      changed = now.attempt;
      const size_t kept = mutate(changed, members, rng);
      const int64_t height = fit.place(changed.order, changed.from_top, lower_bound, now.packing.height, kept,
                                       now.packing.offsets);
      if (height > now.packing.height) continue;
      std::swap(now.attempt, changed);
      now.packing.offsets = fit.offsets();
      now.packing.height = height;
      members = fit.around_peak(now.packing);
      if (height < best.height) best = now.packing;
    }
    if (best.height - lower_bound <= lower_bound / kCloseEnough) break;
  }
  best.comparisons = fit.comparisons();
  return best;
}

}  // namespace tinynas
