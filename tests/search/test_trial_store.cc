#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "base/files.h"
#include "search/trial_store.h"
#include "synthetic.h"

using namespace tinynas;
namespace fs = std::filesystem;
using Catch::Matchers::Contains;

namespace {

struct Folder {
  fs::path path = fs::temp_directory_path() / ("tinynas_trials" + std::to_string(::getpid()));
  fs::path file = path / "trials.db";
  Folder() {
    fs::remove_all(path);
    fs::create_directories(path);
  }
  ~Folder() { fs::remove_all(path); }
};

std::vector<Architecture> architectures(int count) {
  Rng rng(1);
  std::vector<Architecture> drawn;
  while (drawn.size() < static_cast<size_t>(count)) {
    Architecture architecture = sample(small_space(), {1.0, 32}, rng);
    if (std::find(drawn.begin(), drawn.end(), architecture) == drawn.end())
      drawn.push_back(std::move(architecture));
  }
  return drawn;
}

std::string message_of(const fs::path& path) {
  try {
    TrialStore store(path);
    return "opened";
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::kFailure);
    CHECK_THAT(error.what(), Contains(path.string()));
    return error.what();
  }
}

}  // namespace

TEST_CASE("a trial comes back under its own key, sub-space and architecture, and under no other") {
  TrialStore store(":memory:");
  const std::vector<Architecture> drawn = architectures(3);
  CHECK(store.find("a", drawn[0]) == std::nullopt);
  store.put("a", drawn[0], 0.75);
  store.put("a", drawn[1], 1.0 / 3.0);
  CHECK(store.find("a", drawn[0]) == 0.75);
  CHECK(store.find("a", drawn[1]) == 1.0 / 3.0);
  CHECK(store.find("a", drawn[2]) == std::nullopt);
  CHECK(store.find("another checkpoint", drawn[0]) == std::nullopt);
  Architecture elsewhere = drawn[0];
  elsewhere.sub_space = {0.5, 32};
  CHECK(store.find("a", elsewhere) == std::nullopt);
  store.put("a", drawn[0], 0.5);
  CHECK(store.find("a", drawn[0]) == 0.5);
  CHECK(store.count() == 2);
  CHECK(store.count("a", {1.0, 32}) == 2);
  CHECK(store.count("a", {0.5, 32}) == 0);
  CHECK(store.count("b", {1.0, 32}) == 0);
}

TEST_CASE("costs come back as they were stored") {
  TrialStore store(":memory:");
  const std::vector<Architecture> drawn = architectures(3);
  const CostRow plain{1234567, 890, 65536, 1 << 20, std::nullopt, std::nullopt};
  const CostRow with_board{1, 2, 3, 4, 5.5, 6.25};
  store.put_costs("key", {{drawn[0], plain}, {drawn[1], with_board}});
  CHECK(store.find_costs("key", drawn[0]) == plain);
  CHECK(store.find_costs("key", drawn[1]) == with_board);
  CHECK(store.find_costs("key", drawn[2]) == std::nullopt);
  CHECK(store.find_costs("another board", drawn[0]) == std::nullopt);
  CHECK(store.count() == 0);
}

TEST_CASE("a row is on the disk when put returns: a process that dies at once leaves it") {
  const Folder folder;
  const std::vector<Architecture> drawn = architectures(2);
  { TrialStore store(folder.file); }
  const pid_t child = fork();
  if (child == 0) {
    TrialStore store(folder.file);
    store.put("a", drawn[0], 0.25);
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
  {
    TrialStore store(folder.file);
    CHECK(store.find("a", drawn[0]) == 0.25);
    store.put("a", drawn[1], 0.5);
  }
  CHECK(TrialStore(folder.file).count() == 2);
  // Closed in order, it is one file.
  CHECK(std::distance(fs::directory_iterator(folder.path), fs::directory_iterator()) == 1);
}

TEST_CASE("a file of another schema version or of another program is refused") {
  const Folder folder;
  { TrialStore store(folder.file); }
  const std::string good = read_file(folder.file);
  constexpr size_t kUserVersion = 60, kApplicationId = 68;  // of SQLite's file header, big-endian
  std::string changed = good;
  changed[kUserVersion + 3] = 9;
  write_file_atomic(folder.file, changed);
  CHECK_THAT(message_of(folder.file), Contains("schema version 9, expected 1"));
  changed = good;
  changed[kApplicationId] = 0;
  write_file_atomic(folder.file, changed);
  CHECK_THAT(message_of(folder.file), Contains("not a trial store"));
  write_file_atomic(folder.file, good);
  CHECK(message_of(folder.file) == "opened");
}

TEST_CASE("a store that cannot be opened is an error that names the file") {
  const Folder folder;
  CHECK_THAT(message_of(folder.path), Contains("unable to open"));
  CHECK_THAT(message_of(folder.path / "none" / "trials.db"),
             Contains("unable to open") && Contains("No such file"));
  write_file_atomic(folder.file, std::string(5000, 'x'));
  CHECK_THAT(message_of(folder.file), Contains("not a database"));
}

TEST_CASE("a damaged store is an error, never a crash") {
  const Folder folder;
  const std::vector<Architecture> drawn = architectures(60);
  {
    TrialStore store(folder.file);
    for (const Architecture& architecture : drawn) store.put("a", architecture, 0.5);
  }
  const std::string good = read_file(folder.file);
  Rng rng(1);
  int refused = 0;
  for (int round = 0; round < 60; ++round) {
    std::string damaged = good;
    if (round % 3 == 0) damaged.resize(static_cast<size_t>(rng.below(static_cast<int64_t>(good.size()))));
    for (int i = 0; i < 20 && !damaged.empty(); ++i) {
      damaged[static_cast<size_t>(rng.below(static_cast<int64_t>(damaged.size())))] =
          static_cast<char>(rng.below(256));
    }
    std::ofstream(folder.file, std::ios::binary | std::ios::trunc) << damaged;
    try {
      TrialStore store(folder.file);
      for (const Architecture& architecture : drawn) store.find("a", architecture);
      store.put("b", drawn[0], 0.5);
    } catch (const Error& error) {
      CHECK(error.code() == ExitCode::kFailure);
      CHECK_THAT(error.what(), Contains(folder.file.string()));
      ++refused;
    }
    fs::remove(folder.path / "trials.db-wal");
    fs::remove(folder.path / "trials.db-shm");
  }
  CHECK(refused > 20);
}

TEST_CASE("a full disk is an error that names the file, and no stored row is lost") {
  const Folder folder;
  const std::vector<Architecture> drawn = architectures(300);
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  std::signal(SIGXFSZ, SIG_IGN);
  size_t stored = 0;
  std::string message;
  {
    TrialStore store(folder.file);
    rlimit small = before;
    small.rlim_cur = 128 * 1024;
    REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
    try {
      for (; stored < drawn.size(); ++stored) store.put("a", drawn[stored], 0.5);
    } catch (const Error& error) {
      message = error.what();
      CHECK(error.code() == ExitCode::kFailure);
    }
    setrlimit(RLIMIT_FSIZE, &before);
  }
  CHECK_THAT(message, Contains(folder.file.string()) && Contains("cannot be written"));
  CHECK(stored > 0);
  TrialStore store(folder.file);
  CHECK(store.count() == static_cast<int64_t>(stored));
  for (size_t i = 0; i < stored; ++i) CHECK(store.find("a", drawn[i]) == 0.5);
  store.put("a", drawn.back(), 0.25);
}
