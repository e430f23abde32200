// Changed bytes and cut files: a model that passes its check, or Error(kData) that names the file.
#include <catch2/catch.hpp>

#include "base/error.h"
#include "support/random_graph.h"
#include "tflite/tflite.h"

using namespace tinynas;
using namespace tinynas::testing;
using Catch::Matchers::Contains;

TEST_CASE("fuzz: malformed .tflite files are refused by name or harmless") {
  Rng rng(99);
  int accepted = 0;
  int refused = 0;
  for (int base = 0; base < 12; ++base) {
    RandomGraphOptions options;
    options.pool_padding = false;
    options.max_channels = 6;
    const std::string good = tflite_bytes(random_int8_model(random_graph(rng, options), rng));
    for (int trial = 0; trial < 1500; ++trial) {
      std::string bytes = good;
      if (trial % 10 == 0) {
        bytes.resize(static_cast<size_t>(rng.below(static_cast<int64_t>(good.size()))));
      } else {
        for (int64_t edits = 1 + rng.below(4); edits > 0; --edits) {
          char& byte = bytes[static_cast<size_t>(rng.below(static_cast<int64_t>(bytes.size())))];
          byte =
              rng.chance(0.5) ? static_cast<char>(rng.next()) : static_cast<char>(byte ^ (1 << rng.below(8)));
        }
      }
      try {
        read_tflite(bytes, "f.tflite").model.check();
        ++accepted;
      } catch (const Error& error) {
        REQUIRE(error.code() == ExitCode::kData);
        REQUIRE_THAT(error.what(), Contains("f.tflite: "));
        ++refused;
      }
    }
  }
  CHECK(accepted > 100);
  CHECK(refused > 1000);
}

TEST_CASE("64-bit numbers that are not aligned, which no verifier refuses, are read like others") {
  Rng rng(98);
  for (int round = 0; round < 5; ++round) {
    RandomGraphOptions options;
    options.pool_padding = false;
    const std::string good = tflite_bytes(random_int8_model(random_graph(rng, options), rng));
    // The root's offset counts from the file's beginning, all others from where they stand.
    std::string shifted = good;
    shifted.insert(8, 4, '\0');
    shifted[0] = static_cast<char>(shifted[0] + 4);
    REQUIRE(static_cast<unsigned char>(good[0]) < 252);
    CHECK(tflite_bytes(read_tflite(shifted, "shifted").model) ==
          tflite_bytes(read_tflite(good, "good").model));
  }
}

TEST_CASE("what is no .tflite file is refused") {
  for (const std::string bytes : {"", "TFL3", "\x10\0\0\0TFL3", "{\"format\": 1} and more"}) {
    CHECK_THROWS_WITH(read_tflite(bytes, "x.tflite"), Contains("x.tflite: is"));
  }
  CHECK_THROWS_WITH(load_tflite("no/such.tflite"), Contains("no/such.tflite"));
}
