#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "data/split.h"

using namespace tinynas;

TEST_CASE("a stratified choice is a partition, keeps every class's share and follows the seed") {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    Rng rng(seed);
    std::vector<int32_t> labels(static_cast<size_t>(20 + rng.below(300)));
    const int64_t classes = 2 + rng.below(8);
    for (int32_t& label : labels) label = static_cast<int32_t>(rng.below(classes));
    const auto total = static_cast<int64_t>(labels.size());
    const int64_t count = rng.below(total + 1);

    const Split split = stratified_choice(labels, count, rng);
    CHECK(static_cast<int64_t>(split.chosen.size()) == count);
    CHECK(std::is_sorted(split.chosen.begin(), split.chosen.end()));
    std::set<int64_t> all(split.chosen.begin(), split.chosen.end());
    all.insert(split.rest.begin(), split.rest.end());
    CHECK(static_cast<int64_t>(all.size()) == total);
    CHECK(split.chosen.size() + split.rest.size() == labels.size());
    CHECK((all.empty() || (*all.begin() == 0 && *all.rbegin() == total - 1)));

    for (int32_t k = 0; k < classes; ++k) {
      const auto of_class = std::count(labels.begin(), labels.end(), k);
      const auto chosen = std::count_if(split.chosen.begin(), split.chosen.end(),
                                        [&](int64_t i) { return labels[static_cast<size_t>(i)] == k; });
      const double share = static_cast<double>(of_class * count) / static_cast<double>(total);
      CHECK(std::abs(static_cast<double>(chosen) - share) < 1.0);
    }
    CHECK(stratified_choice(labels, count, rng).chosen == split.chosen);
  }
}

TEST_CASE("another seed chooses other images") {
  const std::vector<int32_t> labels(100, 0);
  CHECK(stratified_choice(labels, 50, Rng(1)).chosen != stratified_choice(labels, 50, Rng(2)).chosen);
}

TEST_CASE("take keeps pixels and labels together") {
  ImageSet set;
  set.height = set.width = set.channels = 1;
  for (int i = 0; i < 10; ++i) {
    set.pixels.push_back(static_cast<uint8_t>(10 * i));
    set.labels.push_back(i);
  }
  const ImageSet taken = take(set, {7, 2, 2});
  CHECK(taken.labels == std::vector<int32_t>{7, 2, 2});
  CHECK(taken.pixels == std::vector<uint8_t>{70, 20, 20});
  CHECK(taken.image_bytes() == 1);
}
