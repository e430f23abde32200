#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "base/error.h"
#include "base/rng.h"
#include "export/c_text.h"

using namespace tinynas;

TEST_CASE("floats read back as the same value") {
  Rng rng(1);
  for (int i = 0; i < 1000; ++i) {
    const auto value = static_cast<float>(std::exp(20 * rng.normal() / 3));
    REQUIRE(std::strtof(c_float(value).c_str(), nullptr) == value);
  }
  CHECK(c_float(1.0f) == "1.000000000e+00f");
}

TEST_CASE("text from outside cannot end a comment or a string") {
  CHECK(c_comment("a*/b\n/*\\?") == "a_/b_/___");
  CHECK(c_string("a\"b\\?\n\xc3") == R"("a\"b\\\?\012\303")");
  CHECK(c_symbol("stage0.block1/x") == "stage0_block1_x");
}

TEST_CASE("arrays hold every value") {
  CHECK(c_array("a", std::vector<int8_t>{-128, 0, 127}) == "const int8_t a[3] = {\n    -128, 0, 127,\n};\n");
  const auto words = c_array("b", std::vector<int32_t>(50, std::numeric_limits<int32_t>::min()));
  CHECK(std::count(words.begin(), words.end(), ',') == 50);
  size_t start = 0;
  for (size_t end = words.find('\n'); end != std::string::npos;
       start = end + 1, end = words.find('\n', start)) {
    CHECK(end - start <= 110);
  }
}

TEST_CASE("a template key without a value is an error") {
  CHECK(fill_template("@A@-@@-@B@", {{"A", "1"}, {"B", "2"}, {"", "@"}}) == "1-@-2");
  CHECK_THROWS_AS(fill_template("@C@", {{"A", "1"}}), Error);
  CHECK_THROWS_AS(fill_template("a@b", {{"A", "1"}}), Error);
}
