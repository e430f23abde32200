#include "data/split.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace tinynas {
namespace {

// How many of each class: floor of its exact share, and the largest remainders one more.
std::vector<int64_t> shares(const std::vector<int64_t>& class_sizes, int64_t count) {
  const int64_t total = std::accumulate(class_sizes.begin(), class_sizes.end(), int64_t{0});
  std::vector<int64_t> share(class_sizes.size());
  std::vector<size_t> by_remainder(class_sizes.size());
  int64_t left = count;
  for (size_t k = 0; k < class_sizes.size(); ++k) {
    share[k] = total > 0 ? class_sizes[k] * count / total : 0;
    left -= share[k];
    by_remainder[k] = k;
  }
  const auto remainder = [&](size_t k) { return class_sizes[k] * count % std::max<int64_t>(total, 1); };
  std::stable_sort(by_remainder.begin(), by_remainder.end(),
                   [&](size_t a, size_t b) { return remainder(a) > remainder(b); });
  for (int64_t i = 0; i < left; ++i) ++share[by_remainder[static_cast<size_t>(i)]];
  return share;
}

}  // namespace

Split stratified_choice(const std::vector<int32_t>& labels, int64_t count, const Rng& rng) {
  std::vector<std::vector<int64_t>> members;
  for (size_t i = 0; i < labels.size(); ++i) {
    const auto label = static_cast<size_t>(labels[i]);
    if (label >= members.size()) members.resize(label + 1);
    members[label].push_back(static_cast<int64_t>(i));
  }
  std::vector<int64_t> class_sizes;
  for (const auto& of_class : members) class_sizes.push_back(static_cast<int64_t>(of_class.size()));
  const std::vector<int64_t> share = shares(class_sizes, count);

  Split split;
  for (size_t k = 0; k < members.size(); ++k) {
    rng.fork(k).shuffle(members[k]);
    const auto cut = members[k].begin() + share[k];
    split.chosen.insert(split.chosen.end(), members[k].begin(), cut);
    split.rest.insert(split.rest.end(), cut, members[k].end());
  }
  std::sort(split.chosen.begin(), split.chosen.end());
  std::sort(split.rest.begin(), split.rest.end());
  return split;
}

ImageSet take(const ImageSet& set, const std::vector<int64_t>& indices) {
  ImageSet taken;
  taken.height = set.height;
  taken.width = set.width;
  taken.channels = set.channels;
  const auto bytes = static_cast<size_t>(set.image_bytes());
  taken.pixels.resize(indices.size() * bytes);
  taken.labels.reserve(indices.size());
  uint8_t* out = taken.pixels.data();
  for (const int64_t index : indices) {
    std::memcpy(out, set.image(index), bytes);
    out += bytes;
    taken.labels.push_back(set.labels[static_cast<size_t>(index)]);
  }
  return taken;
}

}  // namespace tinynas
