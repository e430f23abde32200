#include "base/json_text.h"

#include <catch2/catch.hpp>

#include "base/error.h"

using namespace tinynas;
using Catch::Matchers::Contains;

TEST_CASE("JSON is read as it stands") {
  CHECK(parse_json(R"({"a": [{"a": 1}, {"a": 2}], "b": {"a": null}})", "x.json")["a"][1]["a"] == 2);
  CHECK(parse_json("[[], {}]", "x.json").size() == 2);
}

TEST_CASE("a key that stands twice in an object, and what is no JSON, are refused") {
  CHECK_THROWS_WITH(parse_json(R"({"a": 1, "b": {}, "a": 2})", "x.json"),
                    Contains("x.json: key \"a\" stands twice"));
  CHECK_THROWS_WITH(parse_json(R"([{"x": {"k": 1, "k": 1}}])", "x.json"), Contains("key \"k\""));
  CHECK_THROWS_WITH(parse_json("{\"a\": ", "x.json"), Contains("x.json: not valid JSON"));
  CHECK_THROWS_AS(parse_json("", "x.json"), Error);
  // Nested deeper than a stack of calls could be.
  CHECK_THROWS_AS(parse_json(std::string(200000, '['), "x.json"), Error);
}
