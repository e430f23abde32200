#include <catch2/catch.hpp>
#include <regex>

#include "cli/front_report.h"
#include "graph/lower.h"

using namespace tinynas;
using Catch::Matchers::Contains;

namespace {

SearchResult some_search() {
  SearchSpace space;
  space.name = "front";
  space.stages = {{16, 2, {3, 5}, {2, 4}, {1, 2}}, {24, 2, {3, 5}, {2, 4}, {1, 2}}};
  space.widths = {1};
  space.resolutions = {32};
  Rng rng(4);
  SearchResult result;
  for (int i = 0; i < 40; ++i) {
    const Architecture architecture = sample(space, {1.0, 32}, rng);
    result.candidates.push_back({architecture, rng.uniform(), estimate(lower(space, architecture, 10))});
  }
  result.best = result.candidates.front();
  return result;
}

int count_of(const std::string& text, const std::string& part) {
  int count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE("the front as JSON, table and picture holds every network of it") {
  const SearchResult result = some_search();
  const nlohmann::json front = front_json(result);
  REQUIRE(front.size() > 2);
  REQUIRE(front.size() < 40);
  const std::string table = front_table(front, "  ");
  for (const nlohmann::json& network : front) {
    CHECK_THAT(table, Contains(network.at("arch").get<std::string>()));
    CHECK(network.at("latency_ms").is_null());
  }
  const std::string svg = front_svg(result);
  CHECK(count_of(svg, "fill=\"#bbb\"") == 40);
  CHECK(count_of(svg, "fill=\"#1b6ca8\"") == static_cast<int>(front.size()));
  // Nothing is drawn outside of the picture.
  const std::regex centre("cx=\"([0-9.-]+)\" cy=\"([0-9.-]+)\"");
  for (std::sregex_iterator at(svg.begin(), svg.end(), centre), end; at != end; ++at) {
    CHECK(std::stod((*at)[1]) >= 0);
    CHECK(std::stod((*at)[1]) <= 640);
    CHECK(std::stod((*at)[2]) >= 0);
    CHECK(std::stod((*at)[2]) <= 400);
  }
}

TEST_CASE("a search of one network has a picture, too") {
  SearchResult result = some_search();
  result.candidates.resize(1);
  CHECK(front_json(result).size() == 1);
  CHECK_THAT(front_svg(result), !Contains("nan") && !Contains("inf"));
}
