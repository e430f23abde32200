#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "base/metrics.h"

using namespace tinynas;
namespace fs = std::filesystem;
using Catch::Matchers::Contains;

namespace {
fs::path fresh_directory(const std::string& name) {
  const fs::path directory = fs::temp_directory_path() / ("tinynas_" + name + std::to_string(::getpid()));
  fs::remove_all(directory);
  fs::create_directories(directory);
  return directory;
}
}  // namespace

TEST_CASE("a file is replaced whole and leaves no temporary") {
  const fs::path directory = fresh_directory("files");
  write_file_atomic(directory / "a", "old");
  write_file_atomic(directory / "a", std::string(100000, 'x'));
  CHECK(read_file(directory / "a").size() == 100000);
  CHECK(std::distance(fs::directory_iterator(directory), fs::directory_iterator()) == 1);
  CHECK(hash_file_hex(directory / "a") == hash_hex(std::string(100000, 'x')));
  fs::remove_all(directory);
}

TEST_CASE("a full disk is an error that names the file, and the old content stays") {
  if (!fs::exists("/dev/full")) return;
  MetricsLog log("/dev/full");
  try {
    log.write({{"event", "epoch"}});
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::kFailure);
    CHECK_THAT(error.what(), Contains("/dev/full") && Contains("No space left"));
  }
  CHECK_THROWS_AS(write_file_atomic("/nonexistent-folder/a", "x"), Error);
}

TEST_CASE("an interruption is an error with its own exit code") {
  CHECK_NOTHROW(check_interrupt());
  set_interrupted(true);
  try {
    check_interrupt();
    FAIL("went on");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::kInterrupted);
  }
  set_interrupted(false);
}
