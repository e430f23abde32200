#include <sys/stat.h>
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

TEST_CASE("a file that a person names is looked at before it is read") {
  const fs::path directory = fresh_directory("given");
  write_file_atomic(directory / "ten", "0123456789");
  REQUIRE(::mkfifo((directory / "pipe").c_str(), 0600) == 0);
  fs::create_symlink("/dev/zero", directory / "endless");
  fs::resize_file(directory / "ten", 10);
  CHECK(read_given_file(directory / "ten", 10) == "0123456789");
  const auto complaint = [&](const std::string& name, ExitCode code = ExitCode::kData) {
    try {
      read_given_file(directory / name, 9, code);
    } catch (const Error& error) {
      CHECK(error.code() == code);
      CHECK_THAT(error.what(), Contains((directory / name).string()));
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK_THAT(complaint("ten"), Contains("has 10 bytes") && Contains("at most 9"));
  CHECK_THAT(complaint("no"), Contains("does not exist"));
  CHECK_THAT(complaint("no", ExitCode::kUsage), Contains("does not exist"));
  CHECK_THAT(complaint("."), Contains("is a folder"));
  // Opening the one would wait for ever, reading the other would not end.
  CHECK_THAT(complaint("pipe"), Contains("a device or a pipe"));
  CHECK_THAT(complaint("endless"), Contains("a device or a pipe"));
  // 10 GB that take no place on the disk.
  write_file_atomic(directory / "huge", "");
  fs::resize_file(directory / "huge", 10'000'000'000);
  CHECK_THAT(complaint("huge"), Contains("has 10000000000 bytes"));
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
