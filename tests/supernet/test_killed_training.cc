// kill -9 at any moment: the last good state survives and training goes on from it to the same weights.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <thread>

#include "base/files.h"
#include "fixtures.h"

using namespace tinynas;
namespace fs = std::filesystem;

extern char** environ;

namespace {

constexpr const char* kFolderVariable = "TINYNAS_TEST_KILLED_TRAINING";
constexpr const char* kChild = "trains until it is killed";

void train_in(const fs::path& folder) {
  const SubSpace sub_space{0.5, 12};
  Supernet supernet(small_space(), sub_space, 2, 1);
  TrainOptions options;
  options.steps = 30;
  options.batch_size = 8;
  options.method = TrainMethod::kOfa;
  options.ema = 0.99;
  options.checkpoint_every = 2;
  MetricsLog metrics;
  const ArchitectureSampler sampler = [&](Rng& rng) { return sample(supernet.space(), sub_space, rng); };
  train_supernet(supernet, two_classes(64, 12, 1), options, sampler, {2, "cpu"}, folder / "train.state",
                 metrics);
  supernet.save(folder / "supernet.safetensors");
}

// This executable again, with the hidden test below alone. A fork would go on with half of torch's threads.
pid_t start_training(const fs::path& folder) {
  ::setenv(kFolderVariable, folder.c_str(), 1);
  const char* arguments[] = {"test_supernet", kChild, nullptr};
  posix_spawn_file_actions_t quiet;
  posix_spawn_file_actions_init(&quiet);
  posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  REQUIRE(::posix_spawn(&child, "/proc/self/exe", &quiet, nullptr, const_cast<char**>(arguments), environ) ==
          0);
  posix_spawn_file_actions_destroy(&quiet);
  return child;
}

bool ended(pid_t child, int& status) { return ::waitpid(child, &status, WNOHANG) == child; }

// True when the child was killed, false when it came to its end: `delay` after it first wrote a state.
bool kill_after_progress(pid_t child, const fs::path& state, std::chrono::milliseconds delay) {
  const auto written = [&] {
    return fs::exists(state) ? fs::last_write_time(state) : fs::file_time_type::min();
  };
  const fs::file_time_type before = written();
  int status = 0;
  while (written() == before) {
    if (ended(child, status)) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  std::this_thread::sleep_for(delay);
  ::kill(child, SIGKILL);
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFSIGNALED(status);
}

}  // namespace

TEST_CASE("trains until it is killed", "[.]") {
  const char* folder = std::getenv(kFolderVariable);
  REQUIRE(folder != nullptr);
  train_in(folder);
}

TEST_CASE("training that was killed at random moments ends at the same weights, bit for bit") {
  const fs::path folder = fs::temp_directory_path() / ("tinynas_killed_" + std::to_string(::getpid()));
  const fs::path whole = folder / "whole", killed = folder / "killed";
  fs::create_directories(whole);
  fs::create_directories(killed);
  train_in(whole);

  Rng rng(3);
  int kills = 0;
  for (int i = 0; i < 4; ++i) {
    if (kill_after_progress(start_training(killed), killed / "train.state",
                            std::chrono::milliseconds(rng.below(40))))
      ++kills;
  }
  CHECK(kills >= 3);
  int status = 0;
  const pid_t last = start_training(killed);
  REQUIRE(::waitpid(last, &status, 0) == last);
  CHECK(status == 0);
  CHECK(read_file(killed / "supernet.safetensors") == read_file(whole / "supernet.safetensors"));
  // What killed writers left beside the state is swept by the next one.
  for (const auto& entry : fs::directory_iterator(killed))
    CHECK(entry.path().filename().string().find("train.state.tmp") == std::string::npos);
  fs::remove_all(folder);
}
