#include <catch2/catch.hpp>

#include "base/error.h"
#include "base/rng.h"
#include "base/units.h"

using namespace tinynas;
using Catch::Matchers::Contains;

TEST_CASE("bytes are powers of 1024, counts of 1000") {
  CHECK(parse_bytes("320k", "--sram") == 327680);
  CHECK(parse_bytes("1M", "--flash") == 1048576);
  CHECK(parse_bytes("1.5KiB", "--sram") == 1536);
  CHECK(parse_bytes("65536", "--sram") == 65536);
  CHECK(parse_count("60M", "--max-macs") == 60000000);
  CHECK(parse_duration_ms("1.5s", "--max-latency") == 1500.0);
  CHECK(parse_energy_mj("30mJ", "--max-energy") == 30.0);
}

TEST_CASE("a wrong unit is named with the option and what is expected") {
  for (const char* text : {"320q", "", "k", "-1k", "1.2.3k", "320 k", "99999999999G", "nan"}) {
    CAPTURE(text);
    try {
      parse_bytes(text, "--sram");
      FAIL("accepted");
    } catch (const Error& error) {
      CHECK(error.code() == ExitCode::kUsage);
      CHECK_THAT(error.what(), Contains("--sram") && Contains(std::string("'") + text + "'") && Contains("320k"));
    }
  }
  CHECK_THROWS_AS(parse_duration_ms("200", "--max-latency"), Error);
}

TEST_CASE("whole bytes survive formatting to text and back") {
  Rng rng(5);
  for (int i = 0; i < 1000; ++i) {
    const int64_t bytes = rng.below(int64_t{1} << 40);
    CHECK(parse_bytes(std::to_string(bytes), "x") == bytes);
  }
  CHECK(format_bytes(327680) == "320.0 KiB");
  CHECK(format_count(38300000) == "38.30 M");
  CHECK(format_count(43059410000) == "43.06 G");
  CHECK(format_seconds(3725) == "1:02:05");
}
