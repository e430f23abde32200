#include <atomic>
#include <catch2/catch.hpp>
#include <stdexcept>

#include "supernet/worker_pool.h"

using namespace tinynas;

TEST_CASE("every task runs once") {
  WorkerPool pool(3);
  for (int round = 0; round < 50; ++round) {
    std::vector<std::atomic<int>> runs(17);
    pool.run(17, [&](int64_t i) { ++runs[static_cast<size_t>(i)]; });
    for (const auto& count : runs) CHECK(count == 1);
  }
  pool.run(0, [](int64_t) { throw std::runtime_error("no task"); });
}

TEST_CASE("an exception of a task reaches the caller, and the pool goes on") {
  WorkerPool pool(2);
  CHECK_THROWS_WITH(pool.run(8,
                             [](int64_t i) {
                               if (i == 3) throw std::runtime_error("three");
                             }),
                    "three");
  std::atomic<int> runs{0};
  pool.run(4, [&](int64_t) { ++runs; });
  CHECK(runs == 4);
}
