#include <catch2/catch.hpp>

#include "base/error.h"
#include "base/rng.h"
#include "cost_models/csv.h"

using namespace tinynas;
using Catch::Matchers::Contains;

namespace {

std::string error_of(const std::string& text) {
  try {
    const CsvTable table(text, "t.csv");
    table.require_columns({"macs", "latency_ms", "note"}, {"macs"});
    for (size_t row = 0; row < table.rows(); ++row) table.positive(row, "macs");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::kUsage);
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("a table's fields are found by column") {
  const CsvTable table("# comment\n\n macs , note\r\n1e6,plain\n2.5, \"a, \"\"b\"\"\" \n", "t.csv");
  REQUIRE(table.rows() == 2);
  CHECK(table.columns() == std::vector<std::string>{"macs", "note"});
  CHECK(table.positive(0, "macs") == 1e6);
  CHECK(table.number(1, "macs") == 2.5);
  CHECK(table.text(0, "note") == "plain");
  CHECK(table.text(1, "note") == "a, \"b\"");
  CHECK(table.place(1) == "t.csv:5");
  CHECK_THROWS_AS(table.text(0, "none"), std::logic_error);
}

TEST_CASE("a byte order mark is no part of the first column") {
  const CsvTable table("\xEF\xBB\xBFmacs,note\n1,x\n", "t.csv");
  CHECK(table.columns().front() == "macs");
  CHECK(table.positive(0, "macs") == 1);
}

TEST_CASE("errors of a table name the file, the line and the column") {
  CHECK(error_of("macs,latency_ms\n1,2\n") == "accepted");
  CHECK_THAT(error_of(""), Contains("t.csv") && Contains("empty"));
  CHECK_THAT(error_of("macs,latency\n1,2\n"), Contains("t.csv:1") && Contains("did you mean \"latency_ms\""));
  CHECK_THAT(error_of("macs,xyzzyx\n1,2\n"), Contains("unknown column \"xyzzyx\", expected "));
  CHECK_THAT(error_of("latency_ms\n1\n"), Contains("t.csv:1") && Contains("\"macs\" is missing"));
  CHECK_THAT(error_of("macs,macs\n1,2\n"), Contains("twice"));
  CHECK_THAT(error_of("macs,note\n1\n"), Contains("t.csv:2") && Contains("got 1 fields, expected 2"));
  CHECK_THAT(error_of("macs,note\n1,\"open\n"), Contains("t.csv:2") && Contains("quote"));
  CHECK_THAT(error_of("macs,note\n1,\"a\" b\n"), Contains("t.csv:2") && Contains("closing quote"));
  for (const char* bad : {"nan", "inf", "-1", "0", "1x", "", "0x10", "1e999"}) {
    CHECK_THAT(error_of("macs,note\n5,\n" + std::string(bad) + ",\n"),
               Contains("t.csv:3: macs: got '" + std::string(bad) + "'"));
  }
}

TEST_CASE("any bytes are a table or an Error") {
  Rng rng(311);
  const std::string good = "# c\nmacs,latency_ms,note\n1e6,2.5,\"x, y\"\n7,8,z\n";
  for (int round = 0; round < 3000; ++round) {
    std::string text = good;
    for (int64_t edits = 1 + rng.below(6); edits > 0; --edits) {
      text[static_cast<size_t>(rng.below(static_cast<int64_t>(text.size())))] =
          static_cast<char>(rng.below(4) == 0 ? ",\"\n#"[rng.below(4)] : rng.below(256));
    }
    error_of(text);  // checks that what it throws is an Error
  }
}
