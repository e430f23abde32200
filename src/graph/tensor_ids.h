// The inputs of an operator: up to two ids without an allocation. Operators are made by the million in a
// search.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>
#include <stdexcept>
#include <vector>

namespace tinynas {

using TensorId = int;

class TensorIds {
 public:
  static constexpr size_t kCapacity = 2;  // no operator of ours has more inputs

  TensorIds() = default;
  TensorIds(std::initializer_list<TensorId> ids) { assign(ids.begin(), ids.end()); }
  // Throws std::length_error above kCapacity; readers of outside files check the number first.
  TensorIds(const std::vector<TensorId>& ids) { assign(ids.begin(), ids.end()); }  // NOLINT: a list is a list

  const TensorId* begin() const { return ids_.data(); }
  const TensorId* end() const { return ids_.data() + size_; }
  size_t size() const { return size_; }
  TensorId operator[](size_t i) const { return ids_[i]; }
  bool operator==(const TensorIds& other) const {
    return std::equal(begin(), end(), other.begin(), other.end());
  }

 private:
  template <typename Iterator>
  void assign(Iterator first, Iterator last) {
    if (static_cast<size_t>(last - first) > kCapacity)
      throw std::length_error("an operator has at most two inputs");
    size_ = static_cast<size_t>(std::copy(first, last, ids_.begin()) - ids_.begin());
  }

  std::array<TensorId, kCapacity> ids_{};
  size_t size_ = 0;
};

}  // namespace tinynas
