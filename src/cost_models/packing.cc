#include "cost_models/packing.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <span>

#include "base/rng.h"

namespace tinynas {
namespace {

constexpr int kSearchRounds = 400;  // each is one first-fit, about a microsecond per ten buffers

bool alive_together(const Lifetime& a, const Lifetime& b) { return a.first <= b.last && b.first <= a.last; }

// What is placed, by step, so that a buffer looks only at those that it can meet.
class Placed {
 public:
  struct Extent {
    int64_t offset;
    int64_t end;
  };

  // Forgets what was placed, for other buffers; what was allocated stays.
  void begin(const std::vector<Lifetime>& lifetimes) {
    int steps = 0;
    for (const Lifetime& lifetime : lifetimes) steps = std::max(steps, lifetime.last + 1);
    begin_.assign(static_cast<size_t>(steps) + 1, 0);
    for (const Lifetime& lifetime : lifetimes) {
      for (int step = lifetime.first; step <= lifetime.last; ++step) ++begin_[static_cast<size_t>(step) + 1];
    }
    std::partial_sum(begin_.begin(), begin_.end(), begin_.begin());
    if (std::ssize(extents_) < begin_.back()) extents_.resize(static_cast<size_t>(begin_.back()));
    end_.assign(begin_.begin(), begin_.end() - 1);
    comparisons_ = 0;
  }

  void clear() { std::copy(begin_.begin(), begin_.end() - 1, end_.begin()); }

  void add(const Lifetime& lifetime, int64_t offset) {
    for (int step = lifetime.first; step <= lifetime.last; ++step) {
      extents_[static_cast<size_t>(end_[static_cast<size_t>(step)]++)] = {offset,
                                                                          offset + lifetime.size_at(step)};
    }
  }

  // In the order in which they were added.
  std::span<const Extent> at(int step) {
    const int first = begin_[static_cast<size_t>(step)];
    const int count = end_[static_cast<size_t>(step)] - first;
    comparisons_ += count;
    return {extents_.data() + first, static_cast<size_t>(count)};
  }

  int64_t comparisons() const { return comparisons_; }

 private:
  std::vector<int> begin_;  // by step: first of its places in extents_
  std::vector<int> end_;    // by step: behind the last that is taken
  std::vector<Extent> extents_;
  int64_t comparisons_ = 0;
};

// First fit in a given order.
class FirstFit {
 public:
  // `lifetimes` must outlive the placing. Every candidate of a search is packed: what one packing allocated
  // serves the thread's next.
  void begin(const std::vector<Lifetime>& lifetimes) {
    lifetimes_ = &lifetimes;
    offsets_.resize(lifetimes.size());
    placed_.begin(lifetimes);
  }

  const std::vector<int64_t>& offsets() const { return offsets_; }
  int64_t comparisons() const { return placed_.comparisons(); }

  // The height of the packing, or any value above `limit` as soon as it is known to exceed that.
  int64_t place(const std::vector<int>& order, int64_t limit) {
    placed_.clear();
    int64_t height = 0;
    for (const int buffer : order) {
      const Lifetime& lifetime = (*lifetimes_)[static_cast<size_t>(buffer)];
      const int64_t offset = lowest_free(lifetime);
      height = std::max(height, offset + lifetime.size);
      if (height > limit) return height;
      offsets_[static_cast<size_t>(buffer)] = offset;
      placed_.add(lifetime, offset);
    }
    return height;
  }

 private:
  // What overlaps the candidate does so at any offset below its own end, so the first candidate that is left
  // alone is the lowest free offset, in whatever order the others are looked at.
  int64_t lowest_free(const Lifetime& lifetime) {
    int64_t candidate = 0;
    for (bool moved = true; moved;) {
      moved = false;
      for (int step = lifetime.first; step <= lifetime.last; ++step) {
        const int64_t needed = lifetime.size_at(step);
        for (const Placed::Extent& there : placed_.at(step)) {
          // Without a branch: nobody could predict it.
          const bool meets = (there.end > candidate) & (there.offset < candidate + needed);
          candidate = meets ? there.end : candidate;
          moved |= meets;
        }
      }
    }
    return candidate;
  }

  const std::vector<Lifetime>* lifetimes_ = nullptr;
  std::vector<int64_t> offsets_;
  Placed placed_;
};

// Orders to begin with. Ties go to the lower index, so that the result is defined. kLasting: what lives for
// more than a step, the largest first, then all else (scratch) as it comes: the least to sort, and the best
// packing of most networks.
enum class First { kLasting, kLargest, kLongest, kMostArea, kEarliest };

// By size, the largest first, ties by index: the buffers of `lifetimes` for which `wanted` holds. Sizes and
// indices are below 2^31: both fit into one key, which sorts faster than pairs do.
template <typename Wanted>
void append_by_size(const std::vector<Lifetime>& lifetimes, const Wanted& wanted, std::vector<int>& order) {
  thread_local std::vector<uint64_t> keys;
  keys.clear();
  for (size_t i = 0; i < lifetimes.size(); ++i) {
    if (wanted(lifetimes[i])) keys.push_back(static_cast<uint64_t>(INT32_MAX - lifetimes[i].size) << 32 | i);
  }
  std::sort(keys.begin(), keys.end());
  for (const uint64_t key : keys) order.push_back(static_cast<int>(key & UINT32_MAX));
}

template <typename Key>
void append_by(const std::vector<Lifetime>& lifetimes, const Key& key, std::vector<int>& order) {
  order.resize(lifetimes.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    return key(lifetimes[static_cast<size_t>(a)]) < key(lifetimes[static_cast<size_t>(b)]);
  });
}

std::vector<int> order_of(const std::vector<Lifetime>& lifetimes, First first) {
  const auto steps = [](const Lifetime& lifetime) -> int64_t { return lifetime.last - lifetime.first + 1; };
  std::vector<int> order;
  order.reserve(lifetimes.size());
  switch (first) {
    case First::kLasting:
      append_by_size(
          lifetimes, [](const Lifetime& lifetime) { return lifetime.first != lifetime.last; }, order);
      for (size_t i = 0; i < lifetimes.size(); ++i) {
        if (lifetimes[i].first == lifetimes[i].last) order.push_back(static_cast<int>(i));
      }
      break;
    case First::kLargest:
      append_by_size(
          lifetimes, [](const Lifetime&) { return true; }, order);
      break;
    case First::kLongest:
      append_by(
          lifetimes, [&](const Lifetime& l) { return -((steps(l) << 32) + l.size); }, order);
      break;
    case First::kMostArea:
      append_by(
          lifetimes, [&](const Lifetime& l) { return -l.size * steps(l); }, order);
      break;
    case First::kEarliest:
      append_by(
          lifetimes, [](const Lifetime& l) { return (int64_t{l.first} << 32) - l.size; }, order);
      break;
  }
  return order;
}

// The buffers that end at `height`, and all that are alive together with one of them: moving any other cannot
// lower the peak.
std::vector<int> around_peak(const std::vector<Lifetime>& lifetimes, const Packing& packing) {
  std::vector<int> members;
  for (size_t i = 0; i < lifetimes.size(); ++i) {
    if (packing.offsets[i] + lifetimes[i].size != packing.height) continue;
    for (size_t j = 0; j < lifetimes.size(); ++j) {
      if (alive_together(lifetimes[i], lifetimes[j])) members.push_back(static_cast<int>(j));
    }
  }
  return members;
}

// Buffers that live longer than a step take the bottom and the top of an arena of `height` in turn, the
// others lie on what is at the bottom. Fits where no more than two of the former are alive at a time. False
// when it does not.
bool pack_from_both_ends(const std::vector<Lifetime>& lifetimes, int64_t height, Packing& packing) {
  packing = {std::vector<int64_t>(lifetimes.size(), 0), height};
  size_t fitted = 0;
  std::vector<int> order = order_of(lifetimes, First::kEarliest);
  std::stable_partition(order.begin(), order.end(), [&](int i) {
    const Lifetime& lifetime = lifetimes[static_cast<size_t>(i)];
    return lifetime.first != lifetime.last;
  });
  Placed placed;
  placed.begin(lifetimes);
  const auto is_free = [&](const Lifetime& lifetime, int64_t offset) {
    if (offset < 0 || offset + lifetime.size > height) return false;
    for (int step = lifetime.first; step <= lifetime.last; ++step) {
      for (const Placed::Extent& there : placed.at(step)) {
        if (there.offset < offset + lifetime.size_at(step) && offset < there.end) return false;
      }
    }
    return true;
  };
  for (const int index : order) {
    const Lifetime& lifetime = lifetimes[static_cast<size_t>(index)];
    std::vector<int64_t> candidates{0, height - lifetime.size};
    if (lifetime.first == lifetime.last) {
      for (const Placed::Extent& there : placed.at(lifetime.first)) candidates.push_back(there.end);
    }
    const auto found = std::find_if(candidates.begin(), candidates.end(),
                                    [&](int64_t offset) { return is_free(lifetime, offset); });
    if (found == candidates.end()) break;
    packing.offsets[static_cast<size_t>(index)] = *found;
    placed.add(lifetime, *found);
    ++fitted;
  }
  packing.comparisons = placed.comparisons();
  return fitted == order.size();
}

// Swaps buffers around the peak; goes on from whatever is not worse.
void search_orders(const std::vector<Lifetime>& lifetimes, FirstFit& first_fit, std::vector<int> best_order,
                   int64_t lower_bound, Packing& best) {
  Rng rng(lifetimes.size());
  std::vector<int> members = around_peak(lifetimes, best);
  for (int round = 0; round < kSearchRounds && best.height > lower_bound; ++round) {
    std::vector<int> order = best_order;
    for (int64_t swaps = 1 + rng.below(2); swaps > 0; --swaps) {
      const auto member = std::find(order.begin(), order.end(), rng.pick(members));
      const auto other = order.begin() + rng.below(static_cast<int64_t>(order.size()));
      std::iter_swap(member, other);
    }
    const int64_t height = first_fit.place(order, best.height);
    if (height > best.height) continue;
    best = {first_fit.offsets(), height};
    best_order = std::move(order);
    members = around_peak(lifetimes, best);
  }
}

}  // namespace

Packing pack(const std::vector<Lifetime>& lifetimes, int64_t lower_bound) {
  if (lifetimes.empty()) return {};
  thread_local FirstFit first_fit;
  first_fit.begin(lifetimes);
  Packing best;
  best.height = std::numeric_limits<int64_t>::max();
  std::vector<int> best_order;
  for (const First first :
       {First::kLasting, First::kLargest, First::kLongest, First::kMostArea, First::kEarliest}) {
    std::vector<int> order = order_of(lifetimes, first);
    const int64_t height = first_fit.place(order, best.height);
    if (height >= best.height) continue;
    best = {first_fit.offsets(), height};
    best_order = std::move(order);
    if (best.height <= lower_bound) break;
  }
  int64_t comparisons = 0;
  if (best.height > lower_bound) {
    Packing from_both_ends;
    const bool fits = pack_from_both_ends(lifetimes, lower_bound, from_both_ends);
    comparisons = from_both_ends.comparisons;
    if (fits)
      best = std::move(from_both_ends);
    else
      search_orders(lifetimes, first_fit, std::move(best_order), lower_bound, best);
  }
  best.comparisons = comparisons + first_fit.comparisons();
  return best;
}

Packing pack_greedily(const std::vector<Lifetime>& lifetimes) {
  FirstFit first_fit;
  first_fit.begin(lifetimes);
  const int64_t height =
      first_fit.place(order_of(lifetimes, First::kLargest), std::numeric_limits<int64_t>::max());
  return {first_fit.offsets(), height, first_fit.comparisons()};
}

}  // namespace tinynas
