#include <catch2/catch.hpp>

#include "base/closest.h"

using namespace tinynas;

TEST_CASE("the closest word is found through any one slip, and nothing far away is proposed") {
  const std::vector<std::string> words{"kernels", "expansions", "depths", "stride"};
  CHECK(closest_word("kernel", words) == "kernels");
  CHECK(closest_word("kernles", words) == "kernels");
  CHECK(closest_word("depth", words) == "depths");
  CHECK(closest_word("Stride", words) == "stride");
  CHECK(closest_word("population", words) == std::nullopt);
  CHECK(closest_word("x", {}) == std::nullopt);
}
