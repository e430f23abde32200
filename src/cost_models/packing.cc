#include "cost_models/packing.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "base/rng.h"

namespace tinynas {
namespace {

constexpr int kSearchRounds = 400;  // each is one first-fit, about a microsecond per ten buffers

bool alive_together(const Lifetime& a, const Lifetime& b) { return a.first <= b.last && b.first <= a.last; }

class Packer {
 public:
  explicit Packer(const std::vector<Lifetime>& lifetimes)
      : lifetimes_(lifetimes), offsets_(lifetimes.size()) {
    order_.resize(lifetimes.size());
    by_offset_.reserve(lifetimes.size());
    best_.height = INT64_MAX;
  }

  std::vector<int>& order() { return order_; }
  const Packing& best() const { return best_; }
  Packing take_best() { return std::move(best_); }

  // Places the buffers by first fit in the current order and keeps the result when it is the best so far.
  int64_t place() {
    by_offset_.clear();
    int64_t height = 0;
    for (const int buffer : order_) {
      const Lifetime& lifetime = lifetimes_[static_cast<size_t>(buffer)];
      const int64_t offset = lowest_free(lifetime);
      offsets_[static_cast<size_t>(buffer)] = offset;
      const auto after =
          std::upper_bound(by_offset_.begin(), by_offset_.end(), offset,
                           [](int64_t value, const Placed& placed) { return value < placed.offset; });
      by_offset_.insert(after, {offset, offset + lifetime.size, lifetime.first, lifetime.last});
      height = std::max(height, offset + lifetime.size);
    }
    if (height < best_.height) {
      best_.height = height;
      best_.offsets = offsets_;
    }
    return height;
  }

  // The buffers that end at `height` in the last placement, and all that are alive together with one of them:
  // moving any other cannot lower the peak.
  void around_peak(int64_t height, std::vector<int>& members) const {
    members.clear();
    for (size_t i = 0; i < lifetimes_.size(); ++i) {
      if (offsets_[i] + lifetimes_[i].size != height) continue;
      for (size_t j = 0; j < lifetimes_.size(); ++j) {
        if (alive_together(lifetimes_[i], lifetimes_[j])) members.push_back(static_cast<int>(j));
      }
    }
  }

 private:
  struct Placed {
    int64_t offset;
    int64_t end;
    int first;
    int last;
  };

  int64_t lowest_free(const Lifetime& lifetime) const {
    int64_t candidate = 0;
    for (const Placed& placed : by_offset_) {
      if (placed.first > lifetime.last || placed.last < lifetime.first) continue;
      if (placed.offset >= candidate + lifetime.size) break;
      candidate = std::max(candidate, placed.end);
    }
    return candidate;
  }

  const std::vector<Lifetime>& lifetimes_;
  std::vector<int> order_;
  std::vector<int64_t> offsets_;
  std::vector<Placed> by_offset_;  // placed so far
  Packing best_;
};

// Orders to begin with. Ties go to the lower index, so that the result is defined.
template <typename Before>
void sort_order(std::vector<int>& order, const std::vector<Lifetime>& lifetimes, const Before& before) {
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](int a, int b) {
    const Lifetime& la = lifetimes[static_cast<size_t>(a)];
    const Lifetime& lb = lifetimes[static_cast<size_t>(b)];
    if (before(la, lb)) return true;
    if (before(lb, la)) return false;
    return a < b;
  });
}

bool larger(const Lifetime& a, const Lifetime& b) { return a.size > b.size; }

bool longer(const Lifetime& a, const Lifetime& b) {
  const int length_a = a.last - a.first;
  const int length_b = b.last - b.first;
  return length_a != length_b ? length_a > length_b : a.size > b.size;
}

bool more_area(const Lifetime& a, const Lifetime& b) {
  return a.size * (a.last - a.first + 1) > b.size * (b.last - b.first + 1);
}

bool earlier(const Lifetime& a, const Lifetime& b) {
  return a.first != b.first ? a.first < b.first : a.size > b.size;
}

}  // namespace

Packing pack(const std::vector<Lifetime>& lifetimes, int64_t lower_bound) {
  if (lifetimes.empty()) return {};
  Packer packer(lifetimes);
  std::vector<int> best_order;
  int64_t best = INT64_MAX;
  for (const auto before : {larger, longer, more_area, earlier}) {
    sort_order(packer.order(), lifetimes, before);
    const int64_t height = packer.place();
    if (height < best) {
      best = height;
      best_order = packer.order();
    }
    if (best <= lower_bound) return packer.take_best();
  }

  // Swap buffers around the peak; go on from whatever is not worse.
  Rng rng(lifetimes.size());
  std::vector<int> members;
  std::vector<int>& order = packer.order();
  order = best_order;
  packer.place();
  packer.around_peak(best, members);
  for (int round = 0; round < kSearchRounds && best > lower_bound; ++round) {
    order = best_order;
    for (int64_t swaps = 1 + rng.below(2); swaps > 0; --swaps) {
      const auto member = std::find(order.begin(), order.end(), rng.pick(members));
      const auto other = order.begin() + rng.below(static_cast<int64_t>(order.size()));
      std::iter_swap(member, other);
    }
    const int64_t height = packer.place();
    if (height > best) continue;
    best = height;
    best_order = order;
    packer.around_peak(best, members);
  }
  return packer.take_best();
}

}  // namespace tinynas
